"""What it means that a program could not be started: not there, not allowed, for another CPU, without interpreter."""

import posixpath
import re
from collections.abc import Mapping

from lambdapack.errors.build import ROOT_SCRIPT
from lambdapack.errors.install import BUILD_PROGRAMS, CRASHED, NO_TOOLCHAIN
from lambdapack.explain.facts.nouns import FactKind, Reader, Slots, TextFacts
from lambdapack.explain.nouns import Conclusion, Meaning
from lambdapack.explain.owners import package_of_path
from lambdapack.messages import Certainty, Rank
from lambdapack.rules.binary.loader_records import WRONG_CPU
from lambdapack.rules.binary.node_records import MISSING_INTERPRETER, NO_EXEC_BIT
from lambdapack.rules.lockfile.records import GIT_DEPENDENCY
from lambdapack.rules.package.records import MISSING_PROGRAM

_DEPLOYED = r"^(?:/var/task|/opt|/tmp)/|node_modules/"
_WRAPPERS = frozenset(("node", "npm", "npx", "sh", "bash", "cmd", "cmd.exe", "cross-env", "exec", "env"))

_BUILD_TOOLS = frozenset(("prebuild", "prebuildify", "neon", "napi", "cargo-cp-artifact", "node-gyp", "cmake-ts"))
"""Tools that build or fetch an addon, which a package brings itself."""

PROGRAM_PACKAGES: Mapping[str, tuple[str, ...]] = {
    "ffmpeg": ("ffmpeg-static",),
    "ffprobe": ("ffprobe-static",),
    "yt-dlp": ("youtube-dl-exec",),
    "youtube-dl": ("youtube-dl-exec",),
    "exiftool": ("exiftool-vendored",),
    "chrome": ("@sparticuz/chromium",),
    "chromium": ("@sparticuz/chromium",),
    "gm": ("sharp",),
    "convert": ("sharp",),
    "identify": ("sharp",),
    "magick": ("sharp",),
    "graphicsmagick/imagemagick": ("sharp",),
    "imagemagick": ("sharp",),
    "graphicsmagick": ("sharp",),
}
"""Packages that bring a program, or do its work without one (their README files, 2026-11)."""


def conclude_refused_program(slots: Slots, facts: TextFacts) -> Meaning | None:
    """The code of the refusal says what is wrong with a program; its place says who has to bring it."""
    program = slots.get("program", "").strip("'\"`,()")
    code = _refusal_code(slots)
    if "interpreter" in slots:
        return _conclude_interpreter(slots, facts)
    if code in {"ENOEXEC", "-8", "-86", "EBADARCH"}:
        return _conclude_foreign_program(program, code, facts, image="image" in slots)
    if code == "EACCES":
        return _conclude_forbidden_program(program, facts)
    if code == "ENOENT":
        return _conclude_absent_program(program or posixpath.basename(slots.get("file", "")), slots, facts)
    return None


def _refusal_code(slots: Slots) -> str:
    said = slots.get("said", "").lower()
    if "permission" in said or slots.get("status") == "126":
        return "EACCES"
    if "exec format" in said:
        return "ENOEXEC"
    return slots.get("code", "") or ("ENOENT" if slots.get("program") or slots.get("file") else "EBADARCH")


def _conclude_interpreter(slots: Slots, facts: TextFacts) -> Meaning:
    name = posixpath.basename(slots["interpreter"].split()[0])
    file = slots.get("file", "")
    says = f"{posixpath.basename(file) or 'a script'} asks for the interpreter {name}, which is not there"
    fix = ("{verify}", "{layer}") if name != "node" else ("{verify}",)
    del facts
    return Meaning(MISSING_INTERPRETER, Certainty.CERTAIN, says, fix=fix)


_IMAGE_PROGRAMS = r"lambda-entrypoint|docker-entrypoint|^/(?:usr/)?(?:bin|sbin)/(?:sh|bash)$|^/(?:usr/)?local/bin"


def _conclude_foreign_program(program: str, code: str, facts: TextFacts, *, image: bool) -> Meaning:
    name = posixpath.basename(program) or "the program"
    if image or re.search(_IMAGE_PROGRAMS, program):
        if facts.reader is Reader.LAMBDA or "CloudFormation" in facts.speakers:
            says = "the image is for another CPU than the function's architecture"
            return Meaning(WRONG_CPU, Certainty.LIKELY, says, package="", fix=("{buildx}", "{configuration}"))
        says = "the image is for another CPU, and this machine has no emulator for it"
        other = Meaning(WRONG_CPU, Certainty.LIKELY, "the image or program is for another CPU than the machine")
        return Meaning(CRASHED, Certainty.LIKELY, says, (other,))
    if code in {"-86", "EBADARCH"}:
        says = f"{name} is for another CPU than this Mac's, and Rosetta does not translate it"
        return Meaning(WRONG_CPU, Certainty.CERTAIN, says)
    return Meaning(WRONG_CPU, Certainty.LIKELY, f"{name} is a program for another CPU, or no program at all")


def _conclude_forbidden_program(program: str, facts: TextFacts) -> Meaning | None:
    if program and not re.search(_DEPLOYED, program) and not (facts.on_lambda and "/" in program):
        return None
    name = posixpath.basename(program) or "a program that is started"
    says = f"{name} has no execute bit for the user that starts it"
    fix = ("{build}", "{chmod}") if program.startswith("/var/task/") else ()
    if program.startswith("/opt/"):
        fix = ("{chmod}", "{layer}")
    return Meaning(NO_EXEC_BIT, Certainty.LIKELY, says, fix=fix)


def _conclude_absent_program(program: str, slots: Slots, facts: TextFacts) -> Meaning | None:
    name = posixpath.basename(program.replace("\\", "/"))
    bare = re.sub(r"\.(?:exe|cmd|bat)$", "", name)
    if bare == "git":
        if not facts.is_manager_run and not facts.manager and facts.reader is not Reader.LAMBDA:
            return None
        if facts.reader is not Reader.LAMBDA:
            return Meaning(GIT_DEPENDENCY, Certainty.LIKELY, "git is not there, and a dependency comes from git")
    if (re.fullmatch(BUILD_PROGRAMS, bare) or bare in _BUILD_TOOLS) and not facts.on_lambda:
        return Meaning(NO_TOOLCHAIN, Certainty.CERTAIN, f"{bare} is not there, and a package has to be compiled here")
    if bare in _WRAPPERS and facts.reader is not Reader.LAMBDA:
        return None
    if re.search(_DEPLOYED, program):
        loader = Meaning(MISSING_INTERPRETER, Certainty.POSSIBLE, f"{name} is there, and its interpreter is not")
        owner = package_of_path(program) or None
        return Meaning(
            MISSING_PROGRAM, Certainty.LIKELY, f"the program {name} is not in the package", (loader,), package=owner
        )
    if not _is_own_program(bare, facts, slots):
        return None
    if "code" not in slots and _is_script_tool(bare, facts):
        return _blame_missing_tool(bare, "build")
    owner = "gm" if bare == "ImageMagick" and "/" in program else None
    place = "the runtime" if facts.on_lambda else "this machine's PATH"
    return Meaning(
        MISSING_PROGRAM,
        Certainty.CERTAIN if facts.on_lambda else Certainty.LIKELY,
        f"the program {bare} is not on {place}, and something starts it",
        package="" if bare.lower() == "docker" else owner or _owner_of_program(bare),
        fix=_program_commands(bare, facts),
        prevent=_program_advice(bare),
    )


def _is_own_program(bare: str, facts: TextFacts, slots: Slots) -> bool:
    """A shell's word is about packaging where a package, the runtime or a tool for Lambda says it."""
    known = bare.lower() in PROGRAM_PACKAGES or bare.lower() in SYSTEM_PROGRAMS or "file" in slots
    if "Python" in facts.speakers and bare.lower() not in PROGRAM_PACKAGES:
        return False
    tools = {"SAM", "CDK", "Serverless", "SST", "Docker", "esbuild", "Node.js"} & set(facts.speakers)
    return bool(facts.on_lambda or known or tools or facts.manager or "code" in slots) and bool(bare)


SYSTEM_PROGRAMS = frozenset(
    re.findall(
        r"[\w.-]+",
        "aws clamscan curl dbus-launch dot file freshclam gpg graphviz ghostscript gs inkscape java jq latex "
        "libreoffice "
        "lp mogrify mongodump mutool mysql mysqldump node openssl pandoc pdfinfo pdflatex pdftk pdftocairo pdftoppm "
        "pdftotext perl pg_dump php pip pip3 psql qpdf redis-cli rsync ruby sam soffice sqlite3 ssh tar tesseract "
        "unzip "
        "wget which wkhtmltoimage wkhtmltopdf xdg-open xelatex xvfb-run zip",
    )
)
"""Programs that come with a system or a layer, never with a devDependency."""


def _is_script_tool(bare: str, facts: TextFacts) -> bool:
    """Tell whether a shell missed what a devDependency brings: a manager's script ran, and no system has it."""
    known = bare.lower() in PROGRAM_PACKAGES or bare.lower() in SYSTEM_PROGRAMS or bare.lower() in {"docker", "esbuild"}
    return bool(facts.manager) and facts.reader is not Reader.LAMBDA and not known


def _owner_of_program(bare: str) -> str | None:
    return bare if bare in {"esbuild", "prisma"} else None


def _program_advice(bare: str) -> str:
    packages = PROGRAM_PACKAGES.get(bare.lower(), ())
    instead = f" {', '.join(packages)} brings it, or does its work without it." if packages else ""
    return (
        f"A program comes to Lambda in a layer (/opt/bin is on PATH) or in a package that brings it.{instead} "
        "`lambdapack verify` names the programs that code starts and nothing brings."
    )


def _program_commands(bare: str, facts: TextFacts) -> tuple[str, ...]:
    """How a program comes to where it is started: a package that brings it, a layer, or an install on this system."""
    if bare.lower() == "docker":
        return ("lambdapack doctor", "sudo systemctl start docker")
    if bare == "esbuild":
        return ("npm install --save-dev esbuild",)  # the name of the bundler itself, in the public registry
    own = {
        "darwin": f"brew install {bare.lower()}",
        "win32": f"winget install {bare}",
        "alpine": f"apk add --no-cache {bare.lower()}",
    }
    if facts.reader is Reader.LAMBDA or facts.on_lambda:
        return ("{layer}", "{verify}")
    system = own.get(facts.system, f"sudo apt-get install -y {bare.lower()}")
    if facts.system == "rhel":
        system = f"sudo dnf install -y {bare}"
    return (system, "{layer}")


def conclude_root_script(slots: Slots, facts: TextFacts) -> Meaning | None:
    """A script of the project calls a tool that is a devDependency, and devDependencies are left out."""
    program = posixpath.basename(slots.get("program", ""))
    if not program or re.fullmatch(BUILD_PROGRAMS, program) or program in _WRAPPERS:
        return None
    path = slots.get("path", "")
    if "node_modules/" in path:
        says = f"the install script of a package calls {program}, which is not there"
        return Meaning(MISSING_PROGRAM, Certainty.LIKELY, says, rank=Rank.PLAIN)
    del facts
    return _blame_missing_tool(program, slots.get("script", "prepare" if program in _HOOK_TOOLS else "postinstall"))


_HOOK_TOOLS = frozenset(("husky", "lefthook", "simple-git-hooks", "lint-staged", "is-ci"))
"""Tools for a developer's clone: what ships never needs them."""


def _blame_missing_tool(program: str, script: str) -> Meaning:
    """A hook is guarded; what builds has to be installed, from the devDependencies that the project declares."""
    says = f"the project's own script calls {program}, a devDependency that is not installed here"
    if program in _HOOK_TOOLS:
        fix: tuple[str, ...] = (f"npm pkg set scripts.{script}='{program} || true'", "{build}")
    elif script == "build":
        fix = ("npm ci --include=dev", "npm pkg get devDependencies", "{build}")
    else:
        fix = (f"npm pkg set scripts.{script}='{program} || true'", "npm ci --include=dev", "{build}")
    return Meaning(ROOT_SCRIPT, Certainty.LIKELY, says, package=program, fix=fix)


CONCLUSIONS: Mapping[FactKind, Conclusion] = {
    FactKind.PROGRAM_REFUSED: conclude_refused_program,
    FactKind.ROOT_SCRIPT: conclude_root_script,
}
