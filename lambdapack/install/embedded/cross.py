"""The native compiler for an image of another CPU: zig's clang behind our launcher, on its own files. Data only.

docs/cross-building.md section 2, F.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from lambdapack.install.embedded.compiler import TOLERANT_FLAGS, TOOLS_DIRECTORY, TRIPLES
from lambdapack.install.embedded.releases import ZIG, ZIG_VERSION
from lambdapack.install.recipe import ImageRequest, ToolVolume
from lambdapack.model import Architecture

LAUNCHER_FILE = Path(__file__).with_name("launcher.c")

MUSL_TRIPLES = {Architecture.X86_64: "x86_64-linux-musl", Architecture.ARM64: "aarch64-linux-musl"}
"""The launcher is linked with musl, statically: it runs in a container of any libc and CPU that this kernel runs."""

LAUNCHED = ("cc", "gcc", "c++", "g++", "ld.lld")

SETUP = """
export ZIG_GLOBAL_CACHE_DIR=/tmp/zig ZIG_LOCAL_CACHE_DIR=/tmp/zig HOME=/tmp
mkdir -p bin
ziglang/zig cc -target %(target)s -static -O2 -s -o bin/launcher launcher.c
for name in %(names)s; do ln -f bin/launcher "bin/$name"; done
chmod 0755 bin bin/*
"""

IMAGE_PATH = "/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin"
"""PATH of Lambda's images (docs/facts.md#5-images)."""


def cross_tools(image: ImageRequest) -> ToolVolume:
    """Return the tools for the CPU of an engine's own image, in which they are made."""
    source = LAUNCHER_FILE.read_bytes()
    setup = SETUP % {"target": MUSL_TRIPLES[image.architecture], "names": " ".join(LAUNCHED)}
    content = hashlib.sha256(source + setup.encode()).hexdigest()[:8]
    name = f"lambdapack-tools-cross-{ZIG_VERSION}-{image.architecture.aws}-{content}"
    return ToolVolume(name, TOOLS_DIRECTORY, (ZIG[image.architecture],), {"launcher.c": source}, setup, image)


def cross_environment(target: Architecture) -> Mapping[str, str]:
    """Return what scripts are told: the launcher is first in PATH, and compiles for the image's CPU."""
    return {
        "PATH": f"{TOOLS_DIRECTORY}/bin:{IMAGE_PATH}",
        "LAMBDAPACK_CROSS_TARGET": TRIPLES[target],
        "LAMBDAPACK_CROSS_FLAGS": " ".join(TOLERANT_FLAGS),
    }
