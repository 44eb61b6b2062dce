"""The words in a path or a package name that name a platform, a libc or a Node.js version."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from lambdapack.runtimes.runtime import Runtime
from lambdapack.runtimes.versions import known_abis

SYSTEM_TOKENS: Mapping[str, str] = {
    "linux": "linux",
    "linuxglibc": "linux",
    "linuxmusl": "linux",
    "alpine": "linux",
    "darwin": "darwin",
    "macos": "darwin",
    "osx": "darwin",
    "mac": "darwin",
    "apple": "darwin",
    "dylib": "darwin",
    "win32": "win32",
    "windows": "win32",
    "win": "win32",
    "win64": "win32",
    "exe": "win32",
    "dll": "win32",
    "freebsd": "freebsd",
    "openbsd": "openbsd",
    "netbsd": "netbsd",
    "android": "android",
    "ios": "ios",
    "sunos": "sunos",
    "aix": "aix",
    "openharmony": "openharmony",
    "ohos": "openharmony",
    "wasm32": "wasm",
    "wasi": "wasm",
}
CPU_TOKENS: Mapping[str, str] = {
    "x64": "x64",
    "amd64": "x64",
    "win64": "x64",
    "64": "x64",
    "ia32": "ia32",
    "x86": "ia32",
    "i386": "ia32",
    "i686": "ia32",
    "arm64": "arm64",
    "aarch64": "arm64",
    "armv8": "arm64",
    "armv8l": "arm64",
    "arm64v8": "arm64",
    "arm64ec": "arm64",
    "arm": "arm",
    "armhf": "arm",
    "arm32v6": "arm",
    "arm32v7": "arm",
    "armv6": "arm",
    "armv6l": "arm",
    "armv7": "arm",
    "armv7l": "arm",
    "gnueabihf": "arm",
    "musleabihf": "arm",
    "ppc64": "ppc64",
    "ppc64le": "ppc64",
    "s390x": "s390x",
    "riscv64": "riscv64",
    "loong64": "loong64",
    "mips64el": "mips64el",
    "mips64le": "mips64el",
    "loongarch64": "loong64",
    "riscv64gc": "riscv64",
    "wasm32": "wasm",
    "universal": "any",
}
LIBC_TOKENS: Mapping[str, str] = {
    "musl": "musl",
    "linuxmusl": "musl",
    "alpine": "musl",
    "musleabihf": "musl",
    "glibc": "glibc",
    "gnu": "glibc",
    "linuxglibc": "glibc",
    "gnueabihf": "glibc",
}
"""The words that npm packages use for system, CPU and libc, read from 153 packages with native files."""

DISTRIBUTION_TOKENS: Mapping[str, str] = {
    "amzn": "amazon",
    "amazonlinux": "amazon",
    "al2": "amazon",
    "rhel": "rhel",
    "redhat": "rhel",
    "centos": "rhel",
    "fedora": "rhel",
    "almalinux": "rhel",
    "rockylinux": "rhel",
    "debian": "debian",
    "ubuntu": "debian",
    "raspbian": "debian",
    "suse": "suse",
    "opensuse": "suse",
    "sles": "suse",
    "nixos": "nixos",
    "archlinux": "arch",
}
"""Distributions by the family whose builds they run (`ID` and `ID_LIKE` of os-release); musl's are among the libcs."""

DISTRIBUTION_RELEASE = re.compile(r"(?P<name>[a-z]+?)(?P<release>\d*)")

DISTRIBUTION_RANKS = {"amazon": 3, "rhel": 2, "": 1}
"""What a loader that asks for the distribution takes on Amazon Linux (`ID_LIKE` is fedora there); others come last."""

OPENSSL_VERSION = re.compile(r"openssl[-_.]?v?(?P<major>[13])(?:[-_.](?P<minor>[01x]))?(?![0-9])")

TOOLCHAIN_TOKENS = frozenset({"msvc", "mingw", "eabi", "gnueabi", "unknown", "pc", "32"})
"""Words that stand beside a system or a CPU and tell no project apart: win32-x64-msvc, x86_64-unknown-linux-gnu."""

OTHER_HOST_TOKENS = frozenset({"electron", "nw", "webkit", "bare"})

MIN_ABI_NUMBER = 40
"""A number after "node" is a major below this and an ABI above: node-22, node-v127."""


@dataclass(frozen=True, slots=True)
class PlatformTags:
    """What a text names; an empty set says nothing."""

    systems: frozenset[str] = frozenset()
    cpus: frozenset[str] = frozenset()
    libcs: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    abis: frozenset[int] = frozenset()
    majors: frozenset[int] = frozenset()
    node_api: bool = False
    distributions: frozenset[str] = frozenset()
    openssl: frozenset[str] = frozenset()  # "3", "1.0", "1.1", "1"

    @property
    def names_platform(self) -> bool:
        """Whether a system or a CPU is named."""
        return bool(self.systems or self.cpus)


def split_words(text: str) -> tuple[str, ...]:
    """Return the lower-case words of a path or name; x86_64 counts as one word."""
    joined = text.lower().replace("x86_64", "x64").replace("x86-64", "x64")
    return tuple(part for part in re.split(r"[^a-z0-9]+", joined) if part)


def strip_platform_words(text: str) -> str:
    """Return a name without the words that name a platform: what its variants have in common."""
    known = (SYSTEM_TOKENS, CPU_TOKENS, LIBC_TOKENS, TOOLCHAIN_TOKENS)
    return "-".join(word for word in split_words(text) if not any(word in names for names in known))


MUSL_NAMES = frozenset(f"lib{name}.so" for name in ("c", "m", "dl", "pthread", "rt", "util", "crypt", "resolv", "xnet"))
"""What zig and musl-cross call musl's libc and its empty companions; glibc's carry a version (musl's Makefile)."""


def is_musl(name: str) -> bool:
    """Tell whether a SONAME is musl's libc: Alpine's, or one without a version."""
    return name in MUSL_NAMES or name.startswith(("libc.musl-", "ld-musl-"))


@lru_cache(maxsize=65536)
def parse_platform_tags(text: str) -> PlatformTags:
    """Return what a path or a name says about its target."""
    words = split_words(text)
    systems = frozenset(SYSTEM_TOKENS[word] for word in words if word in SYSTEM_TOKENS)
    cpus = frozenset(CPU_TOKENS[word] for word in words if word in CPU_TOKENS and (word != "64" or systems))
    numbers = _node_numbers(words, both=bool(systems and cpus))
    return PlatformTags(
        systems=systems,
        cpus=cpus,
        libcs=frozenset(LIBC_TOKENS[word] for word in words if word in LIBC_TOKENS),
        hosts=frozenset(words) & OTHER_HOST_TOKENS,
        abis=frozenset(number for number in numbers if number >= MIN_ABI_NUMBER),
        majors=frozenset(number for number in numbers if number < MIN_ABI_NUMBER),
        node_api=any(word.startswith("napi") for word in words),
        distributions=frozenset(name for word in words if (name := distribution_of_word(word))),
        openssl=frozenset(map(_openssl_line, OPENSSL_VERSION.finditer(text.lower()))),
    )


def distribution_of_word(word: str) -> str | None:
    """Return the family of a distribution that a word names, with or without its release: ubuntu22, amzn2023, al2."""
    if word in DISTRIBUTION_TOKENS:
        return DISTRIBUTION_TOKENS[word]
    match = DISTRIBUTION_RELEASE.fullmatch(word)
    if word in {"al2023", "amzn2", "amzn2023"}:
        return "amazon"
    return DISTRIBUTION_TOKENS.get(match["name"]) if match else None


def _openssl_line(match: re.Match[str]) -> str:
    return f"1.{match['minor']}" if match["major"] == "1" and match["minor"] in {"0", "1"} else match["major"]


def _node_numbers(words: tuple[str, ...], *, both: bool) -> frozenset[int]:
    """abi127, node-v127, node-22, and a bare known ABI number beside a system and a CPU."""
    numbers = set()
    for before, word in zip(("", *words), words, strict=False):
        tagged = re.fullmatch(r"abi(\d{1,4})", word)
        plain = re.fullmatch(r"v?(\d{1,4})", word)
        if tagged:
            numbers.add(int(tagged.group(1)))
        elif plain and (
            before == "node" or (both and word not in CPU_TOKENS and word.isdigit() and int(word) in known_abis())
        ):
            numbers.add(int(plain.group(1)))
    return frozenset(numbers)


def find_contradiction(tags: PlatformTags, runtime: Runtime) -> str | None:
    """Return what a path says that this target is not, None when nothing speaks against it."""
    cpu = runtime.target.architecture.node
    checks = (
        ("system", tags.systems, "linux"),
        ("CPU", tags.cpus - {"any"} if "any" not in tags.cpus else frozenset(), cpu),
        ("libc", tags.libcs, "glibc"),
    )
    for what, named, wanted in checks:
        if named and wanted not in named:
            return f"another {what} ({', '.join(sorted(named))})"
    if tags.openssl and not any(_is_openssl_line(line, runtime) for line in tags.openssl):
        return f"another OpenSSL ({', '.join(sorted(tags.openssl))})"
    if tags.hosts and not tags.node_api:
        return f"another program ({', '.join(sorted(tags.hosts))})"
    return _contradicting_node(tags, runtime)


def _is_openssl_line(line: str, runtime: Runtime) -> bool:
    """Tell whether the runtime's libssl is of a line such as "3" or "1.0"; "1" is any of its lines."""
    provided = next((own for soname, own in OPENSSL_LINES.items() if soname in runtime.libraries), "")
    return not provided or provided == line or provided.startswith(f"{line}.")


OPENSSL_LINES = {"libssl.so.3": "3", "libssl.so.1.1": "1.1", "libssl.so.10": "1.0"}
"""SONAMEs of the systems, with OpenSSL's line; Red Hat counts 1.0 as 10."""


def distribution_rank(tags: PlatformTags) -> int:
    """Return how near the distribution that a path names is to Amazon Linux; one that names none is for them all."""
    return max((DISTRIBUTION_RANKS.get(name, 0) for name in tags.distributions or ("",)), default=0)


def _contradicting_node(tags: PlatformTags, runtime: Runtime) -> str | None:
    if tags.abis and runtime.abi not in tags.abis and not tags.node_api:
        return f"another ABI ({', '.join(map(str, sorted(tags.abis)))})"
    if tags.majors and runtime.node_major not in tags.majors:
        return f"another Node.js ({', '.join(map(str, sorted(tags.majors)))})"
    return None


def count_target_properties(tags: PlatformTags, runtime: Runtime) -> int:
    """Return how many properties of the target a path names: of equal files the most explicit is loaded."""
    cpu = runtime.target.architecture.node
    hits = ("linux" in tags.systems, cpu in tags.cpus, "glibc" in tags.libcs)
    return sum((*hits, runtime.abi in tags.abis, runtime.node_major in tags.majors))
