"""Fills the commands that fix a cause with what the text, the settings and the package book know."""

import re
from dataclasses import dataclass, replace

from lambdapack.book.book import BinaryDelivery, BookEntry, MaintenanceStatus, find_book_entry
from lambdapack.explain.causes import cause_of
from lambdapack.explain.nouns import Meaning, Slots, TextOrigin
from lambdapack.model import Architecture, Target
from lambdapack.rules.commands import build_command, npm_ci_command
from lambdapack.rules.selection.tokens import parse_platform_tags
from lambdapack.runtimes.runtime import runtime_ids, runtime_node_major, shipped_runtime
from lambdapack.runtimes.versions import node_major_of_abi

STATUS_SENTENCES = {
    MaintenanceStatus.DEPRECATED: "its authors have given it up.",
    MaintenanceStatus.DEAD: "nobody looks after it any more.",
}


def render_book_advice(package: str | None) -> str:
    """Return sentences for people, "" for a package that the book does not have."""
    found = find_book_entry(package) if package else None
    if found is None:
        return ""
    parts = (STATUS_SENTENCES.get(found.status, ""), _render_alternatives(found), found.requirements, found.advice)
    said = " ".join(part for part in parts if part)
    return f"{found.name}: {said[0].lower() if parts[0] else said[0]}{said[1:]}" if said else ""


def _render_alternatives(found: BookEntry) -> str:
    native = [name for name in found.replacements if name not in found.javascript_replacements]
    parts = (
        f"Maintained in its place: {', '.join(native)}." if native else "",
        f"Without a binary: {', '.join(found.javascript_replacements)}." if found.javascript_replacements else "",
    )
    return " ".join(part for part in parts if part)


def replacement_command(package: str | None) -> str:
    """Return the command that takes a maintained package in place of one that is given up, "" for others."""
    found = find_book_entry(package) if package else None
    if found is None or found.is_maintained or not found.alternatives:
        return ""
    return f"npm uninstall {found.name} && npm install {found.alternatives[0]}"


def has_platform_packages(package: str | None) -> bool:
    """Whether its binary is a package of its own: then there is nothing to rebuild, only to install again."""
    found = find_book_entry(package) if package else None
    return found is not None and found.delivery is BinaryDelivery.PLATFORM_PACKAGES


HANDLER_FILE_NAME = r"\w[\w/-]*(?:\.[cm]?js)?"
"""What a handler's file may be called in the package."""


@dataclass(frozen=True, slots=True)
class ExplainTarget:
    """What the function will run on, as far as anybody said so."""

    runtime: str  # "nodejs22.x": of the settings, else the newest
    architecture: Architecture | None = None


@dataclass(frozen=True, slots=True)
class Cure:
    """A remedy with its slots filled."""

    fix: tuple[str, ...]  # commands in the order to try them
    prevent: str  # one sentence


def fill_remedy(reading: Meaning, slots: Slots, world: TextOrigin, aim: ExplainTarget, package: str | None) -> Cure:
    """Return the cure of what was read, filled with what is known; a command that lacks its word is left out."""
    remedy = reading.record.remedy
    if remedy is None:
        return Cure((reading.record.fix,), reading.record.fix)
    own = remedy.alpine if world.system == "alpine" else remedy.local if world.system else ()
    commands = reading.fix or ((*own, "{build}") if own else remedy.commands)
    architecture = _host_architecture(cause_of(reading.record), slots, world)
    words = _collect_words(slots, replace(world, architecture=architecture), aim, package)
    filled = [_reinstall_command(command, package).format_map(words) for command in commands]
    filled.insert(1, replacement_command(package) if remedy.replaceable else "")
    kept = (" ".join(command.split()) for command in filled if command and _MISSING_WORD not in command)
    return Cure(tuple(dict.fromkeys(kept)), remedy.prevent)


def _reinstall_command(command: str, package: str | None) -> str:
    """There is nothing to rebuild where the binary is a package of its own."""
    if command.startswith("npm rebuild {package}") and has_platform_packages(package):
        return "npm uninstall {package} && npm install {package}"
    return command


_MISSING_WORD = "\0"


class _CommandWords(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return _MISSING_WORD


def _collect_words(slots: Slots, world: TextOrigin, aim: ExplainTarget, package: str | None) -> _CommandWords:
    arch = _target_architecture(world, aim)
    runtime = _runtime_of_node(slots, world)
    arch_name = arch.aws if arch else "all"
    node = runtime_node_major(runtime or aim.runtime)
    words = _CommandWords(
        arch=f" --arch {arch_name}",
        build=build_command(arch_name, runtime),
        docker=_docker_command(node, arch or Architecture.X86_64),
        package=package or "",
        handler=_handler_name(slots),
        needs=slots.get("needs", _MISSING_WORD),
        tools=_tools_command(world),
        npm_ci=npm_ci_command(arch or Architecture.X86_64),
        native=_native_node_command(slots, node),
        libraries=_libraries_command(world, package),
        path=slots.get("file", _MISSING_WORD),
        function=slots.get("function") or "FUNCTION",
        newer=_runtime_with_node_api(slots, aim),
    )
    if package is None:
        words["package"] = _MISSING_WORD
    return words


def _handler_name(slots: Slots) -> str:
    """The name that the text has; where it has the file alone, or the export alone, the usual other half."""
    name, module = slots.get("handler", ""), slots.get("module", "").removeprefix("/var/task/")
    file = re.sub(r"\.[cm]?js$", "", module) if re.fullmatch(HANDLER_FILE_NAME, module) else "index"
    return name if "." in name else f"{file}.{name or 'handler'}"


def _host_architecture(cause: str, slots: Slots, world: TextOrigin) -> Architecture | None:
    """Return the CPU that the file met, when the text does not say it: not the one in the name of the file."""
    made_for = parse_platform_tags(slots.get("file", "")).cpus if cause == "wrong-cpu" else frozenset()
    others = [architecture for architecture in Architecture if architecture.node not in made_for]
    known = len(others) == 1 and not world.architecture
    return others[0] if known else world.architecture


def _target_architecture(world: TextOrigin, aim: ExplainTarget) -> Architecture | None:
    if world.system in {"darwin", "win32"}:
        return aim.architecture
    return world.architecture or aim.architecture


def _runtime_of_node(slots: Slots, world: TextOrigin) -> str | None:
    """The runtime of the Node.js that complained, when Lambda has one of that major."""
    wanted = slots.get("wanted", "")
    major = (node_major_of_abi(int(wanted)) if wanted.isdigit() else None) or world.node_major
    name = f"nodejs{major}.x"
    return name if name in runtime_ids() else None


def _runtime_with_node_api(slots: Slots, aim: ExplainTarget) -> str:
    """The oldest runtime that has the Node-API of the message; the own one when it names none."""
    wanted = max((int(match) for match in re.findall(r"\d+", slots.get("needs", ""))), default=0)
    if not wanted:
        return aim.runtime
    able = [
        runtime for runtime in runtime_ids() if shipped_runtime(Target(runtime, Architecture.X86_64)).node_api >= wanted
    ]
    return able[0] if able else aim.runtime


def _docker_command(node: int, arch: Architecture) -> str:
    image = f"public.ecr.aws/sam/build-nodejs{node}.x:latest-{arch.aws}"
    return f'docker run --rm --platform {arch.oci_platform} -v "$PWD":/var/task -w /var/task {image} npm ci'


def _tools_command(world: TextOrigin) -> str:
    if world.system == "darwin":
        return "xcode-select --install"
    if world.system == "win32":
        return "winget install Microsoft.VisualStudio.2022.BuildTools Python.Python.3.12"
    if world.system == "alpine":
        return "apk add --no-cache python3 make g++"
    return "sudo apt-get install -y python3 make g++"


def _native_node_command(slots: Slots, node: int) -> str:
    """A node that runs translated wants the other CPU's files: a native one ends it, where it is the odd one out."""
    translated = slots.get("needs", "").startswith("x86_64") and "arm64" in slots.get("has", "")
    return f"arch -arm64 nvm install {node}" if translated else ""


_CANVAS_APT_COMMAND = "sudo apt-get install -y libcairo2-dev libpango1.0-dev libjpeg-dev libgif-dev librsvg2-dev"


def _libraries_command(world: TextOrigin, package: str | None) -> str:
    """What to install on an own machine; on Lambda nothing can be installed."""
    if world.on_lambda:
        return ""
    if package == "canvas":
        return (
            "brew install cairo pango libpng jpeg giflib librsvg" if world.system == "darwin" else _CANVAS_APT_COMMAND
        )
    if package == "sharp" and world.system == "alpine":
        return "apk add --no-cache vips-dev"
    return ""
