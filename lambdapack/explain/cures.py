"""The commands that end a cause here and now: the remedies, filled with what the text and the settings tell."""

import re
from dataclasses import dataclass, replace

from lambdapack.explain.counsel import has_platform_packages, replacement
from lambdapack.explain.nouns import Reading, Slots, World
from lambdapack.explain.remedies import ALPINE, LOCAL, OF_THE_PACKAGE, REMEDIES
from lambdapack.model import Architecture, Target
from lambdapack.rules.tokens import tags
from lambdapack.runtimes.abi import node_major_of
from lambdapack.runtimes.catalogue import identifiers, node_major, shipped

A_FILE = re.compile(r"\w[\w/-]*(?:\.[cm]?js)?")
"""What a handler's file may be called in the package."""


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


def cure(reading: Reading, slots: Slots, world: World, aim: Aim, package: str | None) -> Cure:
    """Return the cure of what was read, filled with what is known; a command that lacks its word is left out."""
    cause = reading.cause
    commands, prevent = REMEDIES[cause]
    own = ALPINE if world.system == "alpine" else LOCAL if world.system else {}
    if reading.fix:
        commands = reading.fix
    elif cause in own:
        commands = (*own[cause], "{build}")
    words = _words(slots, replace(world, architecture=_met(cause, slots, world)), aim, package)
    fixed = [_again(each, package).format_map(words) for each in commands]
    fixed.insert(1, replacement(package) if cause in OF_THE_PACKAGE else "")
    return Cure(
        tuple(dict.fromkeys(" ".join(each.split()) for each in fixed if _LACKING not in each and each)), prevent
    )


def _again(command: str, package: str | None) -> str:
    """There is nothing to rebuild where the binary is a package of its own."""
    if command.startswith("npm rebuild {package}") and has_platform_packages(package):
        return "npm uninstall {package} && npm install {package}"
    return command


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
        handler=_handler(slots),
        needs=slots.get("needs", _LACKING),
        tools=_tools(world),
        npm_ci=f"npm ci --os=linux --cpu={(arch or Architecture.X86_64).node} --libc=glibc",
        native=_native(slots, node),
        libraries=_libraries(world, package),
        path=slots.get("file", _LACKING),
        function=slots.get("function") or "FUNCTION",
        newer=_with_node_api(slots, aim),
    )
    if package is None:
        words["package"] = _LACKING
    return words


def _handler(slots: Slots) -> str:
    """The name that the text has; where it has the file alone, or the export alone, the usual other half."""
    name, module = slots.get("handler", ""), slots.get("module", "").removeprefix("/var/task/")
    file = re.sub(r"\.[cm]?js$", "", module) if A_FILE.fullmatch(module) else "index"
    return name if "." in name else f"{file}.{name or 'handler'}"


def _met(cause: str, slots: Slots, world: World) -> Architecture | None:
    """Return the CPU that the file met, when the text does not say it: not the one in the name of the file."""
    made_for = tags(slots.get("file", "")).cpus if cause == "wrong-cpu" else frozenset()
    others = [each for each in Architecture if each.node not in made_for]
    known = len(others) == 1 and not world.architecture
    return others[0] if known else world.architecture


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


def _with_node_api(slots: Slots, aim: Aim) -> str:
    """The oldest runtime that has the Node-API of the message; the own one when it names none."""
    wanted = max((int(each) for each in re.findall(r"\d+", slots.get("needs", ""))), default=0)
    able = [each for each in identifiers() if shipped(Target(each, Architecture.X86_64)).node_api >= wanted > 0]
    return able[0] if able else aim.runtime


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


def _native(slots: Slots, node: int) -> str:
    """A node that runs translated wants the other CPU's files: a native one ends it, where it is the odd one out."""
    translated = slots.get("needs", "").startswith("x86_64") and "arm64" in slots.get("has", "")
    return f"arch -arm64 nvm install {node}" if translated else ""


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
