"""The file trees of the lab images, composed of packages. What the official bare image lacks stays out."""

import gzip
import io
import re
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from images.lab import deb, openssl
from images.lab.layer import Layer, relocated
from images.lab.recipe import Cpu

RUNTIME: Final = Path(__file__).with_name("runtime")
PLACES: Final[Mapping[str, str | None]] = MappingProxyType(
    {
        "": "",
        "bin": "usr/bin",
        "sbin": "usr/sbin",
        "lib": "usr/lib",
        # Packages have one thing here, a link to the loader, which the image's /usr/lib64 leads to by itself.
        "lib64": None,
        "usr/lib64": None,
        # Never read in a container, and a tenth of the build layer.
        **{f"usr/share/{name}": None for name in ("doc", "info", "lintian", "locale", "man", "bug", "gdb", "gcc")},
    }
)
"""Where a package's paths go in an image whose /bin, /sbin and /lib are links into /usr."""

ACCOUNTS: Final = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
OS_RELEASE: Final = """\
NAME="Amazon Linux"
VERSION="2023"
ID="amzn"
ID_LIKE="fedora"
VERSION_ID="2023"
PLATFORM_ID="platform:al2023"
PRETTY_NAME="Amazon Linux 2023.8.20250808"
ANSI_COLOR="0;33"
CPE_NAME="cpe:2.3:o:amazon:amazon_linux:2023"
HOME_URL="https://aws.amazon.com/linux/amazon-linux-2023/"
DOCUMENTATION_URL="https://docs.aws.amazon.com/linux/"
SUPPORT_URL="https://aws.amazon.com/premiumsupport/"
BUG_REPORT_URL="https://github.com/amazonlinux/amazon-linux-2023"
VENDOR_NAME="AWS"
VENDOR_URL="https://aws.amazon.com/"
SUPPORT_END="2029-06-30"
"""
"""As Amazon Linux 2023 has it (transcripts of `cat /etc/os-release` in public repositories, read 2026-11).

Prisma takes its engines' platform from it, `rhel-openssl-3.0.x`, and installers their package manager.
"""
DEB_NAME: Final = re.compile(r"(?m)^Package: (\S+)")
DEB_CPU: Final = re.compile(r"(?m)^Architecture: (\S+)")
WISHES: Final = re.compile(r"(?m)^(?:Pre-Depends|Depends|Recommends|Suggests): .*\n(?: .*\n)*")
MULTIARCH: Final = re.compile(r"(?m)^Multi-Arch: same")
APT_CONF: Final = """\
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::Languages "none";
DPkg::Options { "--force-unsafe-io"; "--force-confold"; };
"""
DIRECTORIES: Final = ("dev", "opt", "proc", "root", "run", "sys", "usr/local/bin", "var/lang/lib", "var/task")


def bare(cpu: Cpu, debs: Iterable[bytes], node: bytes, npm: bytes, major: int) -> Layer:
    """The runtime image's tree, without OpenSSL and emulator."""
    layer = Layer()
    for name in ("bin", "sbin", "lib", "lib64"):
        layer.symlink(name, f"usr/{name}")
    layer.symlink("usr/lib64", f"lib/{cpu.triplet}")  # so that every library is at /lib64 and /usr/lib64
    for path in DIRECTORIES:
        layer.directory(path)
    layer.directory("tmp", 0o1777)
    for path, text in ACCOUNTS.items():
        layer.file(path, text.encode())
    for package in debs:
        _unpack_deb(layer, package)
    layer.file("usr/lib/os-release", OS_RELEASE.encode())
    layer.symlink("etc/os-release", "../usr/lib/os-release")
    layer.file("etc/system-release", b"Amazon Linux release 2023 (Amazon Linux)\n")
    layer.symlink("usr/bin/sh", "bash")
    _join_certificates(layer)
    _node(layer, node, npm)
    _runtime(layer, major)
    return layer


def add_lambda_openssl(layer: Layer, package: bytes) -> None:
    """Put libcrypto and libssl where AWS's node images have theirs: first on LD_LIBRARY_PATH."""

    def place(path: str) -> str | None:
        name = path.rpartition("/")[2]
        return f"var/lang/lib/{name}" if name in {"libcrypto.so.3", "libssl.so.3"} else None

    with deb.open_data(package) as archive:
        layer.unpack(archive, place)


def build(debs: Iterable[bytes]) -> Layer:
    """What the build image has on top of the bare one: compilers, make and a python3 that can be hurt."""
    layer = Layer()
    for package in debs:
        _unpack_deb(layer, package)
    layer.symlink("usr/bin/cc", "gcc")
    layer.symlink("usr/bin/c++", "g++")
    for path in layer.paths():
        content = layer[path].content
        if content and (renamed := openssl.renamed(content)):
            layer.file(path, renamed, layer[path].mode)
    # Fedora's hashlib cannot do without OpenSSL, Debian's can: without this line node-gyp would survive.
    hashlib = "usr/lib/python3.11/hashlib.py"
    layer.file(hashlib, b"import _hashlib\n" + (layer[hashlib].content or b""))
    return layer


def add_package_database(layer: Layer, debs: Iterable[bytes], sources: str) -> None:
    """Make dpkg and apt know what is in the image, so that they install what is missing and nothing else.

    What these packages wish for besides is left out: the image lacks some of it on purpose, and apt would mend that.
    """
    status = []
    for package in debs:
        control = WISHES.sub("", deb.control(package))
        head, separator, rest = control.partition("\n")
        status.append(f"{head}\nStatus: install ok installed{separator}{rest}".rstrip("\n") + "\n")
        name = DEB_NAME.search(control)
        multiarch = MULTIARCH.search(control)
        if name:
            qualified = f"{name[1]}:{DEB_CPU.findall(control)[0]}" if multiarch else name[1]
            with deb.open_data(package) as archive:
                paths = "".join(f"/{member.name.lstrip('./')}\n" for member in archive)
            layer.file(f"var/lib/dpkg/info/{qualified}.list", paths.replace("/\n", "/.\n", 1).encode())
    layer.file("var/lib/dpkg/status", "\n".join(status).encode())
    for path in ("var/lib/dpkg/updates", "var/lib/dpkg/triggers", "var/lib/apt/lists/partial", "var/log/apt"):
        layer.directory(path)
    layer.directory("var/cache/apt/archives/partial")
    layer.directory("var/cache/debconf")
    layer.directory("etc/apt/preferences.d")
    layer.directory("etc/apt/apt.conf.d")
    layer.file("var/lib/dpkg/available", b"")
    layer.file("var/lib/dpkg/info/format", b"1\n")
    layer.file("etc/apt/sources.list", sources.encode())
    layer.file("etc/apt/apt.conf", APT_CONF.encode())
    layer.symlink("usr/bin/awk", "mawk")


def without_headers() -> Layer:
    """Hides /var/lang/include of the layers below (a whiteout)."""
    layer = Layer()
    layer.file("var/lang/.wh.include", b"")
    return layer


def _unpack_deb(layer: Layer, package: bytes) -> None:
    with deb.open_data(package) as archive:
        layer.unpack(archive, relocated(PLACES))


def _join_certificates(layer: Layer) -> None:
    """What update-ca-certificates would have made."""
    folder = "usr/share/ca-certificates/mozilla/"
    certificates = [layer[path].content or b"" for path in layer.paths() if path.startswith(folder)]
    layer.file("etc/ssl/certs/ca-certificates.crt", b"".join(c for c in certificates if c))


def _node(layer: Layer, node: bytes, npm: bytes) -> None:
    root, home = "var/lang", "var/lang/lib/node_modules/npm"
    _unpack_npm(layer, node, {"package/bin/node": f"{root}/bin/node", "package/include": f"{root}/include"})
    _unpack_npm(layer, npm, {"package": home})
    for name in ("npm", "npx"):
        script = f"{home}/bin/{name}-cli.js"
        layer.file(script, layer[script].content or b"", 0o755)
        layer.symlink(f"{root}/bin/{name}", f"../lib/node_modules/npm/bin/{name}-cli.js")


def _unpack_npm(layer: Layer, tarball: bytes, moves: Mapping[str, str | None]) -> None:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(tarball)), mode="r:") as archive:
        layer.unpack(archive, relocated(moves))


def _runtime(layer: Layer, major: int) -> None:
    for path in sorted(RUNTIME.iterdir()):
        text = path.read_text("utf-8").replace("@MAJOR@", str(major))
        if path.name == "lambda-entrypoint.sh":
            layer.file(path.name, text.encode(), 0o755)
        else:
            layer.file(f"var/runtime/{path.name}", text.encode(), 0o755 if path.suffix == "" else 0o644)
