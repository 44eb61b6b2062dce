"""What it means that a module is absent, is in the other module system, or was bundled away from its addon."""

import posixpath
import re
from collections.abc import Mapping

from lambdapack.explain.facts.nouns import FactKind, Reader, Slots, TextFacts
from lambdapack.explain.nouns import Conclusion, Meaning
from lambdapack.explain.owners import package_of_path, platform_package_owner
from lambdapack.messages import NAME, Certainty, Rank
from lambdapack.model import package_of_specifier
from lambdapack.rules.function.records import HANDLER_MISSING, MODULE_AS_COMMONJS, REQUIRED_FILE_MISSING
from lambdapack.rules.lockfile.records import PLATFORM_PACKAGE_MISSING, PLUG_N_PLAY
from lambdapack.rules.modules.records import ADDON_BUNDLED, REQUIRES_MODULE
from lambdapack.rules.package.records import DEPENDENCY_MISSING, MISSING_ADDON, NOT_READABLE
from lambdapack.rules.selection.tokens import parse_platform_tags

PACKAGE_OR_FILE_NAME = f"(?i){NAME}"
"""Also the name of a handler's file; an alias of a bundler such as @/x is neither."""

HANDLER_MODULE = (
    r"(?:(?:src|dist|build|out|functions?|handlers?|lambdas?)/[\w./-]+|index|app|main|handler|server|lambda_?function)"
    r"(?:\.[cm]?js)?"
)
"""What people call a handler's file, and nobody means as a package: messages are often quoted without their stack."""

_DEPLOYED_PATHS = ("/var/task", "/opt/", "node_modules/", "LAMBDA_TASK_ROOT", "/asset-", ".aws-sam", ".serverless")
_ALIAS = r"^(?:@/|~|#|\$|virtual:|node:)"
_BUNDLER_ALIAS = r"^(?:src|components?|lib|app|pages|assets)/"
"""What bundlers and package.json rename: never a package of the registry."""
_BUILT_IN = frozenset(
    re.findall(
        r"\w+",
        "assert buffer child_process cluster console crypto dgram dns domain events fs http http2 https inspector "
        "module "
        "net os path perf_hooks process punycode querystring readline repl stream string_decoder sys timers tls tty "
        "url "
        "util v8 vm wasi worker_threads zlib",
    )
)
"""Node's own modules (Node.js documentation, "Modules: node:module API", builtinModules)."""


def conclude_absent_module(slots: Slots, facts: TextFacts) -> Meaning | None:
    """A package, a file, an addon or the handler: the specifier and the first asker tell them apart."""
    module = slots.get("module", "").replace("\\", "/").removeprefix("file://")
    stack = _asking_files(slots)
    if not module and "Runtime.ImportModuleError" in slots.get("code", "") and "Python" not in facts.speakers:
        says = "something that the handler imports is not in the package; the message behind it names what"
        return Meaning(DEPENDENCY_MISSING, Certainty.POSSIBLE, says, package="")
    if not module or module.split("/")[0].removeprefix("node:") in _BUILT_IN:
        return None
    if module.endswith(".node"):
        return _conclude_absent_addon(module, stack)
    if parse_platform_tags(posixpath.basename(module)).names_platform and not module.startswith((".", "/")):
        says = f"{module}, the binary for this platform, was not installed"
        return Meaning(PLATFORM_PACKAGE_MISSING, Certainty.LIKELY, says, package=platform_package_owner(module))
    if slots.get("hint") and not package_of_path(module):
        says = f"an import needs the whole file name: {posixpath.basename(module)} has no ending, and import adds none"
        return Meaning(REQUIRES_MODULE, Certainty.LIKELY, says, package="", fix=("{verify}", "{build}"))
    if module.startswith((".", "/")):
        return _conclude_absent_file(module, stack, facts)
    return _conclude_absent_package(module, stack, slots, facts)


def _asking_files(slots: Slots) -> str:
    """Return the require stack, or what stands in its place, as lines that begin with a dash."""
    asker = slots.get("by") or slots.get("directory", "")
    return (slots.get("stack") or (f"- {asker}" if asker else "")).replace("\\", "/")


def _first_asker(stack: str) -> str:
    lines = [line.strip(' -",') for line in stack.splitlines()]
    return next((line for line in lines if line and line != "-"), "").removeprefix("file://")


def _conclude_absent_addon(module: str, stack: str) -> Meaning:
    """An addon by path: when a bundle asks for it, the bundler left it behind; else it was never made."""
    asker = _first_asker(stack)
    if asker.startswith("/var/task/") and "node_modules/" not in asker and re.match(r"\.{0,2}/(?!var/|opt/)", module):
        name = posixpath.basename(module)
        says = f"a bundle holds the loader of {name}, and the addon itself is not beside it"
        return Meaning(ADDON_BUNDLED, Certainty.LIKELY, says, package=_owner_of_addon(module), rank=Rank.ROOT)
    owner = package_of_path(module) or package_of_path(asker) or None
    if parse_platform_tags(module).names_platform and "/build/" not in f"/{module}":
        says = f"{posixpath.basename(module)}, the binary for this platform, was not installed"
        return Meaning(PLATFORM_PACKAGE_MISSING, Certainty.LIKELY, says, rank=Rank.PLAIN, package=owner)
    says = f"{posixpath.basename(module)} was neither downloaded nor compiled for this target"
    return Meaning(MISSING_ADDON, Certainty.LIKELY, says, rank=Rank.PLAIN, package=owner)


def _owner_of_addon(path: str) -> str | None:
    """The package whose addon has this name; sharp names it after itself and the platform."""
    stem = re.sub(r"\.node$", "", posixpath.basename(path))
    bare = re.split(r"[-.](?=linux|darwin|win32|alpine)", stem)[0]
    return package_of_path(path) or (bare if bare != stem else None)


def _conclude_absent_file(module: str, stack: str, facts: TextFacts) -> Meaning | None:
    """A path: the handler's, a layer's, a package's own, or one of the project's files."""
    asker = _first_asker(stack)
    if "/var/runtime" in stack and "/var/task" not in stack and "/opt/" not in stack:
        says = f"the handler's file {module} is not in the zip"
        return Meaning(HANDLER_MISSING, Certainty.CERTAIN, says, rank=Rank.PLAIN)
    owner = package_of_path(module) or package_of_path(asker)
    if module.startswith("/opt/"):
        says = f"{module} is not in the function's layers: no layer is attached that has it, or it is elsewhere in it"
        fix = ("aws lambda get-function-configuration --function-name {function} --query Layers", "{layer}")
        return Meaning(REQUIRED_FILE_MISSING, Certainty.LIKELY, says, fix=fix, package=owner)
    deployed = any(path in f"{module} {stack}" for path in _DEPLOYED_PATHS)
    if not deployed and not _DEPLOY_TOOLS & set(facts.speakers) and (stack or _is_bundler_alone(facts)):
        return None  # somebody's own file on their own machine
    case = "; letter case counts on Lambda, unlike on macOS and Windows" if re.search(r"[A-Z]", module) else ""
    says = f"the file {module} is not in the zip, or is below another directory{case}"
    return Meaning(REQUIRED_FILE_MISSING, Certainty.LIKELY, says, package=owner or "")


def _is_bundler_alone(facts: TextFacts) -> bool:
    bundles = {"esbuild", "webpack", "rollup"} & set(facts.speakers)
    return bool(bundles) and not _DEPLOY_TOOLS & set(facts.speakers)


_DEPLOY_TOOLS = frozenset(("SAM", "CDK", "Serverless", "SST", "Terraform"))
"""Tools that package functions: what fails under them is on its way to Lambda."""


def _conclude_absent_package(module: str, stack: str, slots: Slots, facts: TextFacts) -> Meaning | None:
    if asked_by_page(stack):
        return None
    if re.match(_ALIAS, module) or (_is_bundler_alone(facts) and re.match(_BUNDLER_ALIAS, module)):
        return None
    if not re.match(PACKAGE_OR_FILE_NAME, module):
        return None
    if not stack and re.fullmatch(HANDLER_MODULE, module) and not _is_bundler_alone(facts):
        says = f"the handler's file {module} is not at the top of the zip"
        return Meaning(HANDLER_MISSING, Certainty.LIKELY, says, rank=Rank.PLAIN)
    from_runtime = "/var/runtime" in stack and "/var/task" not in stack and "/opt/" not in stack
    if from_runtime and "/node_modules/" not in stack:
        handler = Meaning(DEPENDENCY_MISSING, Certainty.POSSIBLE, f"the package {module} is not in the zip")
        says = f"the handler's file {module} is not at the top of the zip"
        return Meaning(HANDLER_MISSING, Certainty.CERTAIN, says, (handler,), rank=Rank.PLAIN)
    if ".pnp." in stack or (facts.manager == "yarn" and ".yarn/" in stack):
        return Meaning(PLUG_N_PLAY, Certainty.LIKELY, f"Yarn's resolver does not find {module}")
    return _describe_absent_package(module, stack, slots, facts)


def asked_by_page(stack: str) -> bool:
    """Tell whether what asks is part of a page in a browser: never of a function."""
    return _first_asker(stack).endswith((".vue", ".svelte", ".jsx", ".css", ".scss", ".less", ".html", ".astro"))


def _describe_absent_package(module: str, stack: str, slots: Slots, facts: TextFacts) -> Meaning:
    package = package_of_module(module) or module
    asker = _first_asker(stack)
    asking = package_of_path(asker)
    if package == "aws-sdk":
        says = "aws-sdk is v2, which runtimes from nodejs18.x on do not have: they bring @aws-sdk/* (v3) alone"
        return Meaning(DEPENDENCY_MISSING, Certainty.CERTAIN, says, package=package, fix=("{build}", "npm ls aws-sdk"))
    if asking and asking != package:
        says = f"{package}, which {asking} asks for, is not in what runs: the install is not whole"
        fix = ("{build}", "{clean}", f"npm explain {asking}")
        return Meaning(DEPENDENCY_MISSING, Certainty.CERTAIN, says, package=package, fix=fix)
    private = package.startswith("@") and not package.startswith("@aws-sdk/")
    where = (
        "; if it is a member of your workspace, build from the workspace's root, so that it is packed as well"
        if private
        else "; if package.json does not declare it, declare it first"
    )
    sure = bool(stack) or "directory" in slots or facts.on_lambda
    certainty = Certainty.CERTAIN if sure else Certainty.LIKELY
    return Meaning(DEPENDENCY_MISSING, certainty, f"the package {package} is not in what runs{where}", package=package)


def package_of_module(module: str) -> str | None:
    """Return the package of a specifier, None for a path or a URL."""
    if not module or module.startswith((".", "/")) or ":" in module:
        return None
    return package_of_specifier(module)


def conclude_module_format(slots: Slots, facts: TextFacts) -> Meaning | None:
    """The file or package that is in the other module system, and who asks for it."""
    file = slots.get("file", "").strip("'\"`,").removeprefix("file://")
    module = slots.get("module", "")
    if slots.get("extension", "") == ".node" or module.endswith(".node"):
        says = "import cannot load an addon: createRequire() of node:module gives an ES module a require()"
        return Meaning(ADDON_BUNDLED if module else REQUIRES_MODULE, Certainty.LIKELY, says)
    package = package_of_path(file) or package_of_module(module) or ""
    by = slots.get("by", "")
    if file and not package and ("/var/runtime" in by or (facts.on_lambda and "/var/task" in file and not by)):
        says = f"{posixpath.basename(file)} is an ES module, and the runtime loads the handler as CommonJS"
        return Meaning(MODULE_AS_COMMONJS, Certainty.LIKELY, says, package="")
    if file and package:
        says = f"{package} is an ES module, or exports none for require(), and CommonJS code requires it"
        fix = ("{newer_node}", f"npm view {package} versions", f"npm explain {package}")
        return Meaning(REQUIRES_MODULE, Certainty.CERTAIN, says, package=package, fix=fix)
    return _conclude_own_format(slots, package, facts)


def _conclude_own_format(slots: Slots, package: str, facts: TextFacts) -> Meaning:
    if "Runtime.UserCodeSyntaxError" in facts.codes and not package:
        says = "node could not read the handler's file as a module: it is an ES module, and is read as CommonJS"
        return Meaning(MODULE_AS_COMMONJS, Certainty.LIKELY, says, package="")
    if "name" in slots and "module" not in slots:
        says = f"{slots['name']} does not exist in an ES module: package.json or the file's ending makes this file one"
        fix = ("npm pkg delete type", "{build}") if slots["name"] != "require" else ("{build}", "npm pkg delete type")
        return Meaning(REQUIRES_MODULE, Certainty.CERTAIN, says, package="", fix=fix)
    if package and slots.get("said", "").startswith("is a CommonJS"):
        says = f"{package} is a CommonJS module: import its default and take the names from that"
        return Meaning(REQUIRES_MODULE, Certainty.CERTAIN, says, package=package, fix=("{verify}", "{build}"))
    if slots.get("module", "") and not package:
        says = "an import cannot be of a directory, and takes its file name whole"
        return Meaning(REQUIRES_MODULE, Certainty.LIKELY, says, package="", fix=("{verify}", "{build}"))
    if package and package in _BUILT_IN:
        says = "a bundle in ES module format calls require(), which an ES module does not have"
        fix = ("npx esbuild src/index.js --bundle --platform=node --format=cjs --outfile=dist/index.js", "{verify}")
        return Meaning(REQUIRES_MODULE, Certainty.LIKELY, says, package="", fix=fix)
    says = "an ES module is read as CommonJS, or CommonJS code as an ES module"
    return Meaning(REQUIRES_MODULE, Certainty.LIKELY, says, package=package or _nearest_or_none(facts))


def _nearest_or_none(facts: TextFacts) -> str | None:
    """On Lambda it is the function's own file as a rule; elsewhere the trace may name a package."""
    return "" if facts.reader is Reader.LAMBDA else None


def conclude_bundled_addon(slots: Slots, facts: TextFacts) -> Meaning | None:
    """A bundler met an addon, or a bundle runs without it."""
    file = slots.get("file", "").removeprefix("file://")
    package = package_of_path(file) or None
    bundling = "extension" in slots or not file.startswith(("/var/task", "/opt/"))
    if bundling:
        says = f"a bundler cannot take {posixpath.basename(file)} into a bundle: its package has to stay outside of it"
    else:
        says = "the loader of an addon was bundled: it searches beside the bundle, where the package's files are not"
    certainty = Certainty.CERTAIN if bundling else Certainty.LIKELY
    return Meaning(ADDON_BUNDLED, certainty, says, package=package, fix=_external_commands(package, facts))


def _external_commands(package: str | None, facts: TextFacts) -> tuple[str, ...]:
    """How the tool that speaks keeps a package outside of its bundle."""
    name = package or "{package}"
    if {"Serverless", "webpack", "rollup", "ncc"} & set(facts.speakers):
        return ("{build}", f"npm ls {name}", "{verify}")
    bundle = f"npx esbuild src/index.js --bundle --platform=node --external:{name} --outfile=dist/index.js"
    return ("{build}", bundle, "{verify}")


def conclude_plug_n_play(slots: Slots, facts: TextFacts) -> Meaning | None:
    """Yarn's resolver speaks: there is no node_modules that could be packed."""
    del facts
    module = slots.get("module", "")
    says = f"Yarn's Plug'n'Play does not find {module or 'a package'}, and Lambda has no Plug'n'Play at all"
    return Meaning(PLUG_N_PLAY, Certainty.CERTAIN, says, package=module or None)


_OWN_CALLS = frozenset(
    ("mkdir", "unlink", "rename", "rmdir", "symlink", "utime", "chown", "copyfile", "write", "link", "mkdtemp")
)


def conclude_refused_file(slots: Slots, facts: TextFacts) -> Meaning | None:
    """Only a file that was deployed or installed is ours; a user's directory is not."""
    del facts
    file, call, code = slots.get("file", ""), slots.get("call", ""), slots.get("code", "")
    code = code or {"30": "EROFS", "13": "EACCES", "2": "ENOENT"}.get(slots.get("errno", ""), "")
    name = posixpath.basename(file)
    if code == "EROFS":
        says = f"{file} is on a read-only file system: on Lambda only /tmp can be written"
        return Meaning(
            NOT_READABLE,
            Certainty.CERTAIN,
            says,
            package=package_of_path(file) or None,
            fix=("{verify} --load", "{verify}"),
            prevent="Write below /tmp alone (os.tmpdir(); HOME=/tmp for programs that keep a cache), and "
            "make at build time what is made at the first start.",
        )
    if not any(path in file for path in _DEPLOYED_PATHS[:3]) or call == "spawn":
        return None
    if code == "ENOENT":
        return _conclude_absent_asset(file, call)
    if code != "EACCES" or call in _OWN_CALLS:
        return None
    says = f"{name} is not readable for the user that runs the function"
    certainty = Certainty.CERTAIN if "/var/task" in file or "/opt/" in file else Certainty.LIKELY
    return Meaning(NOT_READABLE, certainty, says)


_ASSETS = (".node", ".wasm", ".so", ".proto", ".afm", ".prisma", ".traineddata", ".dat", ".pem")
"""Files that packages read beside their code, and bundlers leave behind."""


def _conclude_absent_asset(file: str, call: str) -> Meaning | None:
    """A file that code reads beside itself: a bundler copies JavaScript alone."""
    if not file.startswith(("/var/task/", "/opt/")) or call not in {"open", "stat", "lstat", "access", "scandir", ""}:
        return None
    if not file.endswith(_ASSETS) and "node_modules/" not in file:
        return None  # data that the project itself forgot
    if file.endswith((".node", ".wasm", ".so")) and "node_modules/" not in file:
        says = f"{posixpath.basename(file)} is not beside the bundle that loads it"
        return Meaning(ADDON_BUNDLED, Certainty.LIKELY, says)
    says = f"the file {file} is not in the zip: a bundler copies JavaScript alone, or it is left out"
    return Meaning(REQUIRED_FILE_MISSING, Certainty.LIKELY, says, package=package_of_path(file) or "")


CONCLUSIONS: Mapping[FactKind, Conclusion] = {
    FactKind.MODULE_ABSENT: conclude_absent_module,
    FactKind.MODULE_FORMAT: conclude_module_format,
    FactKind.ADDON_BUNDLED: conclude_bundled_addon,
    FactKind.PLUG_N_PLAY: conclude_plug_n_play,
    FactKind.FILE_REFUSED: conclude_refused_file,
}
