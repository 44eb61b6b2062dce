"""Which libraries ship with a package, and which system package brings what a compiler or a loader names."""

import pytest

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.system_packages import BUNDLE_REFUSED, describe_system_package, find_system_package
from lambdapack.model import Finding
from lambdapack.pipeline.package.bundle import missing_libraries
from lambdapack.rules.binary.linking_records import MISSING_LIBRARY, SYMBOL_VERSION


def missing(*names: str, ignored: str | None = None) -> tuple[Finding, ...]:
    return tuple(
        Finding(MISSING_LIBRARY, "a.node", name, evidence=(("library", name),), ignored=ignored) for name in names
    )


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("cairo.h", "cairo-devel"),
        ("cairo/cairo.h", "cairo-devel"),
        ("libcairo.so.2", "cairo-devel"),
        ("pixman-1", "pixman-devel"),
        ("libpixman-1.so.0", "pixman-devel"),
        ("pq", "libpq-devel"),
        ("libpq-fe.h", "libpq-devel"),
        ("gssapi/gssapi.h", "krb5-devel"),
        ("sql.h", None),
        ("sqlext.h", "unixODBC-devel"),
        ("librsvg-2.0", "librsvg2-devel"),
        ("gif_lib.h", "giflib-devel"),
        ("left-pad", None),
    ],
)
def test_a_header_a_library_or_a_pkg_config_file_names_its_package(name: str, package: str | None) -> None:
    found = find_system_package(name)
    assert (found.amazon if found else None) == package


def test_a_package_that_amazon_linux_lacks_is_said_to_lack() -> None:
    assert "Amazon Linux 2023 has no such package" in describe_system_package("vips/vips8")


def test_what_is_missing_and_asked_for_is_bundled() -> None:
    found = (
        *missing("libcairo.so.2", "libc.so.6", "libc.musl-x86_64.so.1"),
        *missing("libgif.so.7", ignored="it is dead"),
    )
    assert missing_libraries(found, "auto") == ("libcairo.so.2",)
    assert missing_libraries(found, "off") == ()
    assert missing_libraries(found, ("libpq.so.5",)) == ()
    other = (Finding(SYMBOL_VERSION, "a.node", "x", evidence=(("library", "libm.so.6"),)),)
    assert missing_libraries(other, "auto") == ()


@pytest.mark.parametrize("name", ["libc.so.6", "ld-linux-x86-64.so.2", "libstdc++.so.6", "libpthread.so.0"])
def test_what_works_only_as_the_systems_own_is_refused(name: str) -> None:
    with pytest.raises(LambdapackError) as caught:
        missing_libraries((), ("libcairo.so.2", name))
    assert caught.value.failure is BUNDLE_REFUSED
