import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import HOSTILE_ARCHIVE
from lambdapack.tree.compose import MemoryTree
from lambdapack.tree.entry import admit_path, is_escaping_link, is_escaping_target, path_objection

HOSTILE = (
    "/etc/passwd",
    "../up",
    "a/../../up",
    "..",
    "a\\b",
    "C:/x",
    "c:x",
    "a\0b",
    "\udcff",
    "n" * 256,
    "/".join(["part"] * 900),
)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_must_not_be_unpacked_is_refused_with_its_archive(name: str) -> None:
    with pytest.raises(LambdapackError) as caught:
        admit_path(name, "some.zip")
    assert caught.value.failure is HOSTILE_ARCHIVE
    assert "some.zip" in caught.value.detail
    caught.value.detail.encode()


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("./a/b", "a/b"),
        ("a//b/", "a/b"),
        ("a/./b", "a/b"),
        ("./", ""),
        (".", ""),
        ("...", "..."),
        ("a..b/c.", "a..b/c."),
    ],
)
def test_a_harmless_name_becomes_canonical(name: str, path: str) -> None:
    assert admit_path(name, "some.tar") == path


@pytest.mark.parametrize(
    "name", ["caf\u00e9/\u65e5\u672c", "with space", "line\nbreak", "-rf", "\x1b[31m", "ab:c", ".bin/x"]
)
def test_odd_names_of_linux_are_admitted(name: str) -> None:
    assert path_objection(name) is None


@given(st.text(max_size=60))
def test_what_is_admitted_never_leaves(name: str) -> None:
    try:
        path = admit_path(name, "x")
    except LambdapackError:
        return
    assert not path.startswith("/")
    assert path == "" or {"..", ".", ""}.isdisjoint(path.split("/"))


@pytest.mark.parametrize(
    ("path", "target", "out"),
    [
        ("a/b", "../c", False),
        ("a/b", "../../c", True),
        ("a", "..", True),
        ("a/b", "..", False),
        ("a", "/etc/passwd", True),
        ("a", "/opt/lib/x.so", False),
        ("a", "/var/task/x", False),
        ("a", "/opt/../etc/passwd", True),
        ("a", "/optional", True),
        ("a", "//opt/x", False),
        ("a/b/c", "./../../x/../y", False),
    ],
)
def test_a_link_escapes_when_its_text_leads_out(path: str, target: str, out: bool) -> None:
    assert is_escaping_target(path, target) is out


def test_links_on_the_way_are_followed() -> None:
    links = {
        "d/e/s": "../..",
        "t": "d/e/s/../x",
        "ok": "d/e/s/x",
        "l": "ok",
        "loop": "loop",
        "far": "o/../etc",
        "o": "/opt",
    }
    entries = MemoryTree({"x": b""}, links=links).entries
    assert not is_escaping_target("t", links["t"])
    assert {path for path in links if is_escaping_link(entries, path)} == {"t", "far"}
