"""The commands that end each cause, ours first, and the habit that keeps it from coming back."""

from collections.abc import Mapping
from dataclasses import dataclass

from lambdapack.explain.nouns import Slots, World
from lambdapack.model import Architecture
from lambdapack.runtimes.abi import node_major_of
from lambdapack.runtimes.catalogue import identifiers, node_major


@dataclass(frozen=True, slots=True)
class Aim:
    """What the function will run on, as far as anybody said so."""

    runtime: str  # "nodejs22.x": of the settings, else the newest
    architecture: Architecture | None = None


@dataclass(frozen=True, slots=True)
class Cure:
    """Commands in the order to try them, and one sentence."""

    fix: tuple[str, ...]
    prevent: str


_CLEAN = "rm -rf node_modules && npm ci"
_NEVER_COPY = (
    "Never zip, copy or commit a node_modules of another machine: `lambdapack build` installs in the Lambda image, and "
    "`lambdapack verify` in CI refuses a package that would not load."
)
_PINNED = (
    "Pin the Node.js major everywhere (.nvmrc, CI, runtime) and put it into the key of every CI cache of node_modules; "
    "`lambdapack build` compiles for the runtime itself."
)
_LOCK = "Commit the lockfile and let CI run `lambdapack build`: its pre-flight names what the lockfile lacks."

_TABLE: Mapping[str, tuple[tuple[str, ...], str]] = {
    "wrong-cpu": (("{build}", "{npm_ci}", "{docker}"), _NEVER_COPY),
    "not-elf": (("{build}", "{npm_ci}", "{docker}"), _NEVER_COPY),
    "truncated": (
        ("npm cache clean --force && rm -rf node_modules && npm ci", "git lfs pull", "{build}"),
        (
            "Keep binaries out of git-lfs and behind no rewriting proxy; `lambdapack verify` sees a cut file before "
            "Lambda."
        ),
    ),
    "wrong-class": (("{build}", "{npm_ci}"), _NEVER_COPY),
    "bad-elf": (("{build}", "npm rebuild {package} --build-from-source"), _NEVER_COPY),
    "executable": (("{build}", "npm rebuild {package} --build-from-source"), "Start programs with child_process."),
    "musl": (
        ("{build}", "{npm_ci}", "{docker}"),
        "Install in an image with the C library of the place where it runs: Lambda has glibc, Alpine has musl.",
    ),
    "missing-library": (
        ("lambdapack verify .", "{build}", "{libraries}", "{docker}"),
        (
            "Put libraries that Lambda lacks into lib/ of the function or of a layer (both are in LD_LIBRARY_PATH), or "
            "choose a package that brings its own; `lambdapack verify` names every missing one."
        ),
    ),
    "symbol-version": (
        ("{build}", "{docker}", "npm rebuild {package} --build-from-source"),
        "Build on the runtime's own Amazon Linux, not on a newer system; `lambdapack verify` compares every version.",
    ),
    "undefined-symbol": (("{build}", "npm rebuild {package} --build-from-source"), _PINNED),
    "node-abi": (
        ("{build}", "npm rebuild {package}", _CLEAN, "npm rebuild {package} --build-from-source"),
        _PINNED,
    ),
    "electron-abi": (
        ("{build}", _CLEAN, "npx @electron/rebuild --force --only {package}"),
        (
            "Keep Electron's node_modules and the function's apart: electron-rebuild leaves files that only "
            "Electron loads, "
            "and `npm rebuild` leaves files that Electron does not."
        ),
    ),
    "not-an-addon": (("{build}", "npm rebuild {package} --build-from-source", _CLEAN), _PINNED),
    "node-api-level": (
        ("lambdapack verify .", "npm ls {package}", "lambdapack build --runtime nodejs24.x{arch}"),
        "Let `lambdapack verify` compare the declared Node-API with the runtime's: node itself just crashes.",
    ),
    "static-tls": (
        ("{build}", "npm install {package}@latest"),
        "Load the library first (LD_PRELOAD in the function's environment), or use a build without initial-exec TLS.",
    ),
    "relocations": (("{build}", "npm rebuild {package} --build-from-source"), "Build on the runtime's own system."),
    "no-exec-bit": (
        ("{build}", "chmod 755 {path}"),
        "Zip with `lambdapack build` and name such files in `executable = [...]`: zips made on Windows have no modes.",
    ),
    "missing-interpreter": (("{build}", "{docker}"), _NEVER_COPY),
    "cpu-level": (
        ("{build}", "npm rebuild {package} --build-from-source"),
        "Compile without -march=native: Lambda promises x86-64-v3 at most and Graviton2.",
    ),
    "platform-package-missing": (
        (
            "{npm_ci}",
            "{build}",
            "npx npm@11 install --package-lock-only",
            "rm -rf node_modules package-lock.json && npx npm@11 install",
        ),
        _LOCK + " npm before 11.3 drops platform packages of other systems when node_modules is there (npm/cli#4828).",
    ),
    "prebuild-missing": (
        ("{build}", "npm rebuild {package} --build-from-source", "npm view {package} versions"),
        (
            "Let install scripts run in the image where the function will run; where downloads are blocked, "
            "`lambdapack "
            "build` compiles there."
        ),
    ),
    "scripts-skipped": (
        ("npm pkg set allowScripts.{package}=true --json", "{build}", "npm rebuild {package} --ignore-scripts=false"),
        (
            "List the packages that need their install script in `allowScripts` (npm 12), "
            "`onlyBuiltDependencies` (pnpm) or "
            "`dependenciesMeta` (yarn); `lambdapack build` names them before it installs."
        ),
    ),
    "toolchain-missing": (
        ("{build}", "{docker}", "{tools}"),
        (
            "Build in an image with a toolchain (`lambdapack build` takes one when the lockfile asks for it), "
            "or choose "
            "versions with prebuilt binaries."
        ),
    ),
    "compile-error": (
        ("{build}", "npm install {package}@latest", "npm view {package} engines"),
        "Choose versions that have a prebuilt binary for this Node.js; old addons do not compile with new V8 headers.",
    ),
    "emulator": (
        ("docker run --privileged --rm tonistiigi/binfmt --install all", "{build}", "{npm_ci}"),
        (
            "Emulate as little as possible: `lambdapack build` runs npm on the own CPU when no package needs a "
            "script, and "
            "`[engine.hosts]` names a machine of the other CPU."
        ),
    ),
    "missing-package": (
        ("npm install {package}", "{build}", "{layer}"),
        "Pack with `lambdapack build`: it installs `dependencies` and refuses a package whose dependency is not in it.",
    ),
    "handler": (
        ("{build}", "lambdapack verify . --handler {handler}"),
        (
            "Zip the files themselves, not the directory around them; `lambdapack verify --load` imports the "
            "handler in "
            "the runtime's image."
        ),
    ),
    "permissions": (
        ("{build}", "chmod -R u=rwX,go=rX ."),
        "Zip with `lambdapack build`: every file is readable for everybody, whatever the host's umask.",
    ),
    "too-big": (
        ("{build}", "du -sh node_modules/* | sort -h | tail", "npm prune --omit=dev", "lambdapack build --layer"),
        (
            "Ship `dependencies` only, without binaries for other systems: `lambdapack build` prunes them and says the "
            "size; above 50 MB a zip goes through S3, above 250 MB unpacked only a container image is left."
        ),
    ),
    "lock-out-of-step": (("npm install --package-lock-only", "git add package-lock.json", "{build}"), _LOCK),
    "api-conflict": (
        ("aws lambda wait function-updated-v2 --function-name {function}",),
        "Wait after each update before the next call, and let one pipeline at a time deploy a function.",
    ),
    "out-of-memory": (
        ("LAMBDAPACK_MEMORY=8g {build}", "JOBS=1 npm ci", "NODE_OPTIONS=--max-old-space-size=4096 npm ci"),
        "Give the build, or the function (`aws lambda update-function-configuration --memory-size`), more memory.",
    ),
}

_LOCAL: Mapping[str, tuple[str, ...]] = {
    "wrong-cpu": ("node -p process.arch", _CLEAN, "npm rebuild {package}"),
    "not-elf": (_CLEAN, "npm rebuild {package}"),
    "missing-library": ("{libraries}", "npm rebuild {package}"),
    "platform-package-missing": ("rm -rf node_modules package-lock.json && npx npm@11 install",),
}
"""On somebody's own machine, macOS or Windows, the plain cure is a clean install there; ours still makes the "
"package."""


def cure(cause: str, slots: Slots, world: World, aim: Aim, package: str | None) -> Cure:
    """Return the cure of a cause, filled with what is known; a command that lacks its word is left out."""
    commands, prevent = _TABLE[cause]
    if world.system in {"darwin", "win32"} and cause in _LOCAL:
        commands = (*_LOCAL[cause], "{build}")
    words = _words(slots, world, aim, package)
    fixed = (each.format_map(words) for each in commands)
    return Cure(
        tuple(dict.fromkeys(" ".join(each.split()) for each in fixed if _LACKING not in each and each)), prevent
    )


_LACKING = "\0"


class _Words(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return _LACKING


def _words(slots: Slots, world: World, aim: Aim, package: str | None) -> _Words:
    arch = _architecture(world, aim)
    runtime = _runtime(slots, world)
    flag = f" --arch {arch.aws if arch else 'all'}"
    node = node_major(runtime or aim.runtime)
    words = _Words(
        arch=flag,
        build=f"lambdapack build{f' --runtime {runtime}' if runtime else ''}{flag}",
        docker=_docker(node, arch or Architecture.X86_64),
        package=package or "",
        handler=slots.get("handler") or "index.handler",
        tools=_tools(world),
        libraries=_libraries(world, package),
        path=slots.get("file", _LACKING),
        function="FUNCTION",
    )
    if arch:
        words["npm_ci"] = f"npm ci --os=linux --cpu={arch.node} --libc=glibc"
    if package is None:
        words["package"] = _LACKING
    return words


def _architecture(world: World, aim: Aim) -> Architecture | None:
    if world.system in {"darwin", "win32"}:
        return aim.architecture
    return world.architecture or aim.architecture


def _runtime(slots: Slots, world: World) -> str | None:
    """The runtime of the Node.js that complained, when Lambda has one of that major."""
    wanted = slots.get("wanted", "")
    major = (node_major_of(int(wanted)) if wanted.isdigit() else None) or world.node_major
    name = f"nodejs{major}.x"
    return name if name in identifiers() else None


def _docker(node: int, arch: Architecture) -> str:
    image = f"public.ecr.aws/sam/build-nodejs{node}.x:latest-{arch.aws}"
    return f'docker run --rm --platform {arch.oci_platform} -v "$PWD":/var/task -w /var/task {image} npm ci'


def _tools(world: World) -> str:
    if world.system == "darwin":
        return "xcode-select --install"
    if world.system == "win32":
        return "winget install Microsoft.VisualStudio.2022.BuildTools Python.Python.3.12"
    if world.system == "alpine":
        return "apk add --no-cache python3 make g++"
    return "sudo apt-get install -y python3 make g++"


_CANVAS_DEB = "sudo apt-get install -y libcairo2-dev libpango1.0-dev libjpeg-dev libgif-dev librsvg2-dev"


def _libraries(world: World, package: str | None) -> str:
    """What to install on an own machine; on Lambda nothing can be installed."""
    if world.on_lambda:
        return ""
    if package == "canvas":
        return "brew install cairo pango libpng jpeg giflib librsvg" if world.system == "darwin" else _CANVAS_DEB
    if package == "sharp" and world.system == "alpine":
        return "apk add --no-cache vips-dev"
    return ""
