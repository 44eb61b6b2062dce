"""The words that commands are filled with: runtime, CPU, image, tools of the system, paths without Lambda's roots."""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

from lambdapack.errors.system_packages import find_system_package
from lambdapack.explain.facts.nouns import Reader, Slots, TextFacts
from lambdapack.model import Architecture, Target
from lambdapack.rules.commands import build_command, npm_ci_command
from lambdapack.rules.selection.tokens import parse_platform_tags
from lambdapack.runtimes.runtime import runtime_ids, runtime_node_major, shipped_runtime
from lambdapack.runtimes.versions import node_major_of_abi

HANDLER_FILE_NAME = r"\w[\w/-]*(?:\.[cm]?js)?"
"""What a handler's file may be called in the package."""

MISSING_WORD = "\0"
"""Stands for what is not known: a command with it is left out."""

_DEPLOYED_ROOT = r"^(?:/var/task|/opt(?:/nodejs(?=/))?)/"


@dataclass(frozen=True, slots=True)
class ExplainTarget:
    """What the function will run on and what its project uses, as far as anybody said so."""

    runtime: str  # "nodejs22.x": of the settings, else the newest
    architecture: Architecture | None = None
    manager: str = ""  # of the project's lockfile


class CommandWords(dict[str, str]):
    """The words by name; one that is not known makes its command go."""

    def __missing__(self, key: str) -> str:
        """Return what no command may have."""
        return MISSING_WORD


def collect_words(slots: Slots, facts: TextFacts, aim: ExplainTarget, package: str | None) -> CommandWords:
    """Return the words for the commands about one message."""
    chosen = _target_architecture(facts, aim)
    arch = chosen or Architecture.X86_64
    arch_name = chosen.aws if chosen else "all" if slots.get(BOTH_ARCHITECTURES) else arch.aws
    runtime = find_runtime(slots, facts) or aim.runtime
    node = runtime_node_major(runtime)
    words = CommandWords(
        arch=f" --arch {arch_name}",
        build=build_command(arch_name, runtime),
        layer=build_command(arch.aws, runtime, layer=True),
        verify=f"lambdapack verify . --runtime {runtime} --arch {arch.aws}",
        inspect=f"lambdapack inspect . --runtime {runtime} --arch {arch.aws}",
        images=f"lambdapack images build --runtime {runtime} --arch {arch.aws}",
        docker=_docker_command(node, arch, "npm ci"),
        docker_source=_docker_command(node, arch, f"sh -c 'npm ci && npm rebuild {package} --build-from-source'"),
        package=package or MISSING_WORD,
        handler=_handler_name(slots),
        needs=slots.get("needs", MISSING_WORD),
        tools=_tools_command(facts),
        npm_ci=npm_ci_command(arch),
        clean="rm -rf node_modules && npm ci",
        relock="npm install --package-lock-only && git add package-lock.json",
        native=_native_node_command(slots, node),
        libraries=_libraries_command(facts, package),
        path=slots.get("file", MISSING_WORD),
        chmod=_chmod_command(slots),
        function=slots.get("function") or "FUNCTION",
        configuration=_configuration_command(slots),
        buildx=f"docker buildx build --platform {arch.oci_platform} --provenance=false .",
        newer=_runtime_with_node_api(slots, aim),
        newer_node=_es_module_build(runtime, arch),
        abler=_abler_build(slots, runtime, arch),
        able=_describe_able_runtime(slots, runtime, arch),
        headers=_headers_command(slots, facts, package),
        system_build=_system_build(slots, runtime, arch_name) or MISSING_WORD,
        complete_build=_system_build(slots, runtime, arch_name) or build_command(arch_name, runtime),
        scope=f"{package.split('/')[0]}:" if package and package.startswith("@") else "",
        registry=_registry_option(slots),
    )
    if package is None:
        words["docker_source"] = MISSING_WORD
    return words


BOTH_ARCHITECTURES = "both_architectures"
"""The slot of a message after which nobody can tell which of the two CPUs the function has."""


def _handler_name(slots: Slots) -> str:
    """The name that the text has; where it has the file alone, or the export alone, the usual other half."""
    name, module = slots.get("handler", ""), slots.get("module", "").removeprefix("/var/task/")
    file = re.sub(r"\.[cm]?js$", "", module) if re.fullmatch(HANDLER_FILE_NAME, module) else "index"
    return name if "." in name else f"{file}.{name or 'handler'}"


def find_host_architecture(cause: str, slots: Slots, facts: TextFacts) -> Architecture | None:
    """Return the CPU that the file met, when the text does not say it: not the one in the name of the file."""
    made_for = parse_platform_tags(slots.get("file", "")).cpus if cause == "wrong-cpu" else frozenset()
    others = [architecture for architecture in Architecture if architecture.node not in made_for]
    known = len(others) == 1 and not facts.architecture
    return others[0] if known else facts.architecture


def _target_architecture(facts: TextFacts, aim: ExplainTarget) -> Architecture | None:
    if facts.system in {"darwin", "win32"} and facts.reader is not Reader.LAMBDA:
        return aim.architecture
    return facts.architecture or aim.architecture


def find_runtime(slots: Slots, facts: TextFacts) -> str | None:
    """Return the runtime of the Node.js that complained, when Lambda has one of that major."""
    wanted = slots.get("wanted", "")
    major = (node_major_of_abi(int(wanted)) if wanted.isdigit() else None) or facts.node_major
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


def _es_module_build(runtime: str, arch: Architecture) -> str:
    """The build for the first runtime from this one on whose require() takes an ES module."""
    able = (
        name for name in _runtimes_from(runtime) if shipped_runtime(Target(name, arch)).behaviour.requires_es_modules
    )
    return build_command(arch.aws, next(able, runtime))


def _runtimes_from(runtime: str) -> list[str]:
    """Return a runtime and the newer ones, by the major of their Node.js."""
    names = [name for name in runtime_ids() if re.fullmatch(r"nodejs\d+\.x", name)]
    return [name for name in names if runtime_node_major(name) >= runtime_node_major(runtime)]


SYMBOL_VERSION = r"(?P<library>[A-Z]+)_(?P<version>\d+(?:\.\d+)+)"


def _abler_build(slots: Slots, runtime: str, arch: Architecture) -> str:
    """The build for the oldest runtime from this one on whose system has the version that the message wants."""
    able = find_able_runtime(slots.get("needs", ""), runtime, arch)
    return build_command(arch.aws, able) if able else MISSING_WORD


def find_able_runtime(needs: str, runtime: str, arch: Architecture) -> str:
    """Return the first runtime from `runtime` on that guarantees a symbol version such as GLIBC_2.32, "" for none."""
    wanted = re.fullmatch(SYMBOL_VERSION, needs)
    if wanted is None:
        return ""
    return next(
        (name for name in _runtimes_from(runtime) if _has_version(name, arch, wanted["library"], wanted["version"])), ""
    )


def _has_version(runtime: str, arch: Architecture, library: str, version: str) -> bool:
    floor = shipped_runtime(Target(runtime, arch)).floor.get(library, "0")
    return [int(part) for part in floor.split(".")] >= [int(part) for part in version.split(".")]


def _describe_able_runtime(slots: Slots, runtime: str, arch: Architecture) -> str:
    """One sentence: which runtime's system has the version that a binary wants."""
    needs = slots.get("needs", "")
    if not re.fullmatch(SYMBOL_VERSION, needs):
        return ""
    able = find_able_runtime(needs, runtime, arch)
    if not able:
        return f"No runtime of Lambda guarantees {needs}: only a build on an older system, or an older version, loads. "
    return f"{able} has {needs}. "


HEADER_PACKAGES: Mapping[str, tuple[str, str, str, str]] = {
    "cairo": (
        "libcairo2-dev libpango1.0-dev libjpeg-dev libgif-dev librsvg2-dev",
        "cairo-devel pango-devel libjpeg-turbo-devel giflib-devel librsvg2-devel",
        "cairo-dev pango-dev jpeg-dev giflib-dev librsvg-dev",
        "pkg-config cairo pango libpng jpeg giflib librsvg",
    ),
    "vips": ("libvips-dev", "vips-devel", "vips-dev", "vips"),
    "libpq": ("libpq-dev", "libpq-devel", "postgresql-dev", "libpq"),
    "openssl": ("libssl-dev", "openssl-devel", "openssl-dev", "openssl"),
    "gssapi": ("libkrb5-dev", "krb5-devel", "krb5-dev", "krb5"),
    "sqlite3": ("libsqlite3-dev", "sqlite-devel", "sqlite-dev", "sqlite"),
    "udev": ("libudev-dev", "systemd-devel", "eudev-dev", ""),
    "usb": ("libusb-1.0-0-dev libudev-dev", "libusb1-devel", "libusb-dev eudev-dev", "libusb"),
    "X11": (
        "libx11-dev libxtst-dev libpng-dev",
        "libX11-devel libXtst-devel libpng-devel",
        "libx11-dev libxtst-dev",
        "",
    ),
    "secret": ("libsecret-1-dev", "libsecret-devel", "libsecret-dev", ""),
    "curl": ("libcurl4-openssl-dev", "libcurl-devel", "curl-dev", "curl"),
    "pcap": ("libpcap-dev", "libpcap-devel", "libpcap-dev", "libpcap"),
    "sql.h": ("unixodbc-dev", "unixODBC-devel", "unixodbc-dev", "unixodbc"),
    "zmq": ("libzmq3-dev", "zeromq-devel", "zeromq-dev", "zeromq"),
    "zlib": ("zlib1g-dev", "zlib-devel", "zlib-dev", "zlib"),
    "asound": ("libasound2-dev", "alsa-lib-devel", "alsa-lib-dev", ""),
    "Magick": ("libmagick++-dev", "ImageMagick-c++-devel", "imagemagick-dev", "imagemagick"),
}
"""Parts of header, pkg-config and library names to the packages with their development files: of Debian 12, Amazon
Linux 2023 (EPEL where it has none), Alpine 3.22, Homebrew (their package lists, 2026-11)."""

_HEADER_ALIASES = {"pixman": "cairo", "pango": "cairo", "pq": "libpq", "krb5": "gssapi", "ssl": "openssl"}


def _headers_command(slots: Slots, facts: TextFacts, package: str | None) -> str:
    """How the development files that a compiler misses come to this system; on Lambda nothing can be installed."""
    named = slots.get("header") or slots.get("library", "")
    word = next((key for key in (*HEADER_PACKAGES, *_HEADER_ALIASES) if named and key in named), "")
    key = _HEADER_ALIASES.get(word, word) or ("cairo" if package == "canvas" and named else "")
    if not key or facts.on_lambda:
        return MISSING_WORD
    apt, dnf, apk, brew = HEADER_PACKAGES[key]
    if facts.system == "darwin":
        return f"brew install {brew}" if brew else MISSING_WORD
    if facts.system == "win32":
        return MISSING_WORD
    if facts.system == "alpine":
        return f"apk add --no-cache {apk}"
    return f"sudo dnf install -y {dnf}" if facts.system == "rhel" else f"sudo apt-get install -y {apt}"


def _system_build(slots: Slots, runtime: str, arch: str) -> str:
    """The build that brings the missing library, header or pkg-config file; "" where no package of the image has it."""
    file = slots.get("file", "")
    soname = file if ".so" in file and "/" not in file else ""  # a file by its path is the package's own
    named = slots.get("header") or slots.get("library") or soname or _asked_of_pkg_config(slots)
    package = find_system_package(posixpath.basename(named) if named.startswith("/") else named)
    return f"{build_command(arch, runtime)} --system-package {package.amazon}" if package and package.amazon else ""


def _asked_of_pkg_config(slots: Slots) -> str:
    """The first module of a call of pkg-config."""
    words = slots.get("call", "").split()
    is_asked = bool(words) and posixpath.basename(words[0]) == "pkg-config"
    return next((word for word in words[1:] if not word.startswith("-")), "") if is_asked else ""


def _docker_command(node: int, arch: Architecture, command: str) -> str:
    image = f"public.ecr.aws/sam/build-nodejs{node}.x:latest-{arch.aws}"
    return f'docker run --rm --platform {arch.oci_platform} -v "$PWD":/var/task -w /var/task {image} {command}'


def _configuration_command(slots: Slots) -> str:
    name = slots.get("function") or "FUNCTION"
    return f"aws lambda get-function-configuration --function-name {name} --query Architectures"


def _chmod_command(slots: Slots) -> str:
    """Before packing, in the project: on Lambda neither /var/task nor /opt can be changed."""
    file = slots.get("file") or slots.get("program", "")
    if not file:
        return MISSING_WORD
    return f"chmod 755 {re.sub(_DEPLOYED_ROOT, '', file)}"


def _registry_option(slots: Slots) -> str:
    url = slots.get("url", "")
    return f"--registry={url}" if url else ""


def _tools_command(facts: TextFacts) -> str:
    if facts.system == "darwin":
        return "xcode-select --install"
    if facts.system == "win32":
        return "winget install Microsoft.VisualStudio.2022.BuildTools Python.Python.3.12"
    if facts.system == "alpine":
        return "apk add --no-cache python3 make g++"
    if facts.system == "rhel":
        return "sudo dnf install -y python3 make gcc-c++"
    return "sudo apt-get install -y python3 make g++"


def _native_node_command(slots: Slots, node: int) -> str:
    """A node that runs translated wants the other CPU's files: a native one ends it, where it is the odd one out."""
    translated = slots.get("needs", "").startswith("x86_64") and "arm64" in slots.get("has", "")
    return f"arch -arm64 nvm install {node}" if translated else ""


_CANVAS_APT_COMMAND = "sudo apt-get install -y libcairo2-dev libpango1.0-dev libjpeg-dev libgif-dev librsvg2-dev"


def _libraries_command(facts: TextFacts, package: str | None) -> str:
    """What to install on an own machine; on Lambda nothing can be installed."""
    if facts.on_lambda:
        return ""
    if package == "canvas":
        return (
            "brew install cairo pango libpng jpeg giflib librsvg" if facts.system == "darwin" else _CANVAS_APT_COMMAND
        )
    if package == "sharp" and facts.system == "alpine":
        return "apk add --no-cache vips-dev"
    return ""
