"""System packages that have the headers, libraries and pkg-config files that native addons ask for."""

import re
from typing import NamedTuple

from lambdapack.errors.record import ExitCode, Failure

SYSTEM_PACKAGE = Failure(
    "LP190",
    "system-package",
    "a system package cannot be installed in the build image",
    "The image's own package manager installs it: dnf on Amazon Linux 2023, yum on 2.",
    "Check its name for that system: `dnf search WORD` in the build image lists packages.",
    ExitCode.ENVIRONMENT,
)
BUNDLE_REFUSED = Failure(
    "LP191",
    "bundle-refused",
    "a library works only as the system's own",
    "glibc's parts fit their own loader alone, and node has loaded its C++ library before any addon.",
    "Take it out of bundle-libraries; when a binary needs a newer one, build it in the runtime's own image.",
    ExitCode.USAGE,
)
SYSTEM_FAILURES = (SYSTEM_PACKAGE, BUNDLE_REFUSED)


class SystemPackage(NamedTuple):
    """The package with the development files, under each system's name; it brings the library too."""

    amazon: str  # Amazon Linux 2023, which has the names of Fedora; "" where it has no such package
    debian: str  # Debian 12


SYSTEM_PACKAGES: dict[str, SystemPackage] = {
    "alsa": SystemPackage("alsa-lib-devel", "libasound2-dev"),
    "asound": SystemPackage("alsa-lib-devel", "libasound2-dev"),
    "avahi-client": SystemPackage("avahi-devel", "libavahi-client-dev"),
    "avahi-compat-libdns_sd": SystemPackage("avahi-compat-libdns_sd-devel", "libavahi-compat-libdnssd-dev"),
    "bluetooth": SystemPackage("bluez-libs-devel", "libbluetooth-dev"),
    "cairo": SystemPackage("cairo-devel", "libcairo2-dev"),
    "com_err": SystemPackage("libcom_err-devel", "comerr-dev"),
    "curl": SystemPackage("libcurl-devel", "libcurl4-openssl-dev"),
    "expat": SystemPackage("expat-devel", "libexpat1-dev"),
    "ffi": SystemPackage("libffi-devel", "libffi-dev"),
    "fontconfig": SystemPackage("fontconfig-devel", "libfontconfig-dev"),
    "freetype": SystemPackage("freetype-devel", "libfreetype-dev"),
    "gif": SystemPackage("giflib-devel", "libgif-dev"),
    "gif_lib": SystemPackage("giflib-devel", "libgif-dev"),
    "glib-2.0": SystemPackage("glib2-devel", "libglib2.0-dev"),
    "gmp": SystemPackage("gmp-devel", "libgmp-dev"),
    "gobject-2.0": SystemPackage("glib2-devel", "libglib2.0-dev"),
    "gssapi": SystemPackage("krb5-devel", "libkrb5-dev"),
    "gssapi_krb5": SystemPackage("krb5-devel", "libkrb5-dev"),
    "icu-i18n": SystemPackage("libicu-devel", "libicu-dev"),
    "jpeglib": SystemPackage("libjpeg-turbo-devel", "libjpeg-dev"),
    "jpeg": SystemPackage("libjpeg-turbo-devel", "libjpeg-dev"),
    "krb5": SystemPackage("krb5-devel", "libkrb5-dev"),
    "ldap": SystemPackage("openldap-devel", "libldap-dev"),
    "leveldb": SystemPackage("leveldb-devel", "libleveldb-dev"),
    "magick++": SystemPackage("ImageMagick-c++-devel", "libmagick++-dev"),
    "magickcore": SystemPackage("ImageMagick-devel", "libmagickcore-dev"),
    "magickwand": SystemPackage("ImageMagick-devel", "libmagickwand-dev"),
    "mariadb": SystemPackage("mariadb-connector-c-devel", "libmariadb-dev"),
    "mysql": SystemPackage("mariadb-connector-c-devel", "libmariadb-dev"),
    "mysqlclient": SystemPackage("mariadb-connector-c-devel", "libmariadb-dev"),
    "odbc": SystemPackage("unixODBC-devel", "unixodbc-dev"),
    "openjp2": SystemPackage("openjpeg2-devel", "libopenjp2-7-dev"),
    "pango": SystemPackage("pango-devel", "libpango1.0-dev"),
    "pangocairo": SystemPackage("pango-devel", "libpango1.0-dev"),
    "pcap": SystemPackage("libpcap-devel", "libpcap-dev"),
    "pcre2": SystemPackage("pcre2-devel", "libpcre2-dev"),
    "pixman": SystemPackage("pixman-devel", "libpixman-1-dev"),
    "png": SystemPackage("libpng-devel", "libpng-dev"),
    "poppler": SystemPackage("poppler-devel", "libpoppler-dev"),
    "pq": SystemPackage("libpq-devel", "libpq-dev"),
    "libpq-fe": SystemPackage("libpq-devel", "libpq-dev"),
    "rdkafka": SystemPackage("librdkafka-devel", "librdkafka-dev"),
    "rsvg": SystemPackage("librsvg2-devel", "librsvg2-dev"),
    "sasl2": SystemPackage("cyrus-sasl-devel", "libsasl2-dev"),
    "secret": SystemPackage("libsecret-devel", "libsecret-1-dev"),
    "sodium": SystemPackage("libsodium-devel", "libsodium-dev"),
    "sqlext": SystemPackage("unixODBC-devel", "unixodbc-dev"),
    "sqlite3": SystemPackage("sqlite-devel", "libsqlite3-dev"),
    "systemd": SystemPackage("systemd-devel", "libsystemd-dev"),
    "tiffio": SystemPackage("libtiff-devel", "libtiff-dev"),
    "tiff": SystemPackage("libtiff-devel", "libtiff-dev"),
    "udev": SystemPackage("systemd-devel", "libudev-dev"),
    "usb": SystemPackage("libusb1-devel", "libusb-1.0-0-dev"),
    "uuid": SystemPackage("libuuid-devel", "uuid-dev"),
    "uv": SystemPackage("libuv-devel", "libuv1-dev"),
    "vips": SystemPackage("", "libvips-dev"),
    "webp": SystemPackage("libwebp-devel", "libwebp-dev"),
    "x11": SystemPackage("libX11-devel", "libx11-dev"),
    "xext": SystemPackage("libXext-devel", "libxext-dev"),
    "xi": SystemPackage("libXi-devel", "libxi-dev"),
    "xml2": SystemPackage("libxml2-devel", "libxml2-dev"),
    "xslt": SystemPackage("libxslt-devel", "libxslt1-dev"),
    "xtst": SystemPackage("libXtst-devel", "libxtst-dev"),
    "zmq": SystemPackage("zeromq-devel", "libzmq3-dev"),
    "zstd": SystemPackage("libzstd-devel", "libzstd-dev"),
}
"""By the bare name: of `-lNAME`, `libNAME.so.1`, `NAME.h`, `NAME/x.h` or `NAME.pc`, without version, in lower case.

Debian's names are those of bookworm's Contents index, Amazon's those of its package list for 2023 (both read 2026-11).
"""

_ENDINGS = re.compile(r"(?:\.so[\d.]*|\.h(?:pp|xx)?|\.pc)$")
_VERSION = re.compile(r"-?\d+(?:\.\d+)*$")


def find_system_package(name: str) -> SystemPackage | None:
    """Return the package that has a library, a header or a pkg-config file; None when it is not in the table."""
    word = name.lower()
    words = (word, *(part for part in word.split("/") if part)) if "/" in word else (word,)
    for candidate in words:
        plain = _ENDINGS.sub("", candidate)
        for form in (
            plain,
            plain.removeprefix("lib"),
            _VERSION.sub("", plain),
            _VERSION.sub("", plain.removeprefix("lib")),
        ):
            if form in SYSTEM_PACKAGES:
                return SYSTEM_PACKAGES[form]
    return None


def describe_system_package(name: str) -> str:
    """Return the flag that brings what a library's, header's or pkg-config file's name asks for; "" for none."""
    package = find_system_package(name)
    if package is None:
        return ""
    if not package.amazon:
        return f"`--system-package {package.debian}` on Debian; Amazon Linux 2023 has no such package"
    return f"`--system-package {package.amazon}` ({package.debian} on Debian)"
