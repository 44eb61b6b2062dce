import struct
import subprocess
import sys
from pathlib import Path

import pytest

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import BAD_CONFIG, HOSTILE_ARCHIVE
from lambdapack.pack.source import (
    WRITTEN_STREAM_REASON,
    IgnoreRules,
    growing_files,
    is_executable,
    read_project_source,
)
from lambdapack.tree.directory import DirectoryTree
from lambdapack.tree.entry import read_file

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes and links")


def project(root: Path, *names: str, ignore: str | None = None) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    if ignore is not None:
        (root / ".lambdapackignore").write_text(ignore, encoding="utf-8")
    return root


LEFT_OUT = (
    "node_modules",
    "lib/node_modules",
    ".git",
    ".hg",
    ".svn",
    ".lambdapack",
    ".aws-sam",
    ".serverless",
    "cdk.out",
    ".terraform",
    "coverage",
    ".venv",
    "src/.DS_Store",
    "src/._index.js",
    ".env",
    "src/.env.production",
    ".npmrc",
    ".yarnrc.yml",
    ".netrc",
    "infra/terraform.tfstate",
    "terraform.tfstate.backup",
    "prod.tfvars",
    "samconfig.toml",
)
DIRECTORIES = set(LEFT_OUT[:12])
SHIPPED = (
    "index.js",
    "package.json",
    "package-lock.json",
    "global-bundle.pem",
    ".gitignore",
    "src/coverage/index.js",
    "environment.js",
    "node_modules.js",
    "git/x",
    "_env",
)


def test_what_ships_is_everything_but_the_list(tmp_path: Path) -> None:
    project(tmp_path, *(f"{name}/x" if name in DIRECTORIES else name for name in LEFT_OUT), *SHIPPED)
    source = read_project_source(tmp_path)
    assert [
        path for path in source.tree.entries if path not in ("src", "lib", "git", "infra", "src/coverage")
    ] == sorted(SHIPPED)
    assert [path for path, _reason in source.excluded] == sorted(LEFT_OUT)
    reasons = dict(source.excluded)
    assert "not copied from this host" in reasons["node_modules"]
    assert reasons[".git"] == "version control"
    assert reasons["coverage"] == "tool output"
    assert reasons[".env"] == "may hold secrets"


def test_the_ignore_file_has_the_last_word_and_is_named_as_the_reason(tmp_path: Path) -> None:
    ignore = "# comment\n\n*.md\n!keep.md\n/docs/\n!.env.example\n!coverage\n"
    project(tmp_path, "a.md", "keep.md", "docs/x", "src/docs/y", ".env", ".env.example", "coverage/x", ignore=ignore)
    source = read_project_source(tmp_path)
    files = {path for path in source.tree.entries if path not in ("src", "src/docs", "coverage")}
    assert files == {"keep.md", "src/docs/y", ".env.example", "coverage/x"}
    assert dict(source.excluded)["a.md"] == ".lambdapackignore line 3"
    assert dict(source.excluded)["docs"] == ".lambdapackignore line 5"


def test_nothing_brings_back_the_hosts_modules_or_version_control(tmp_path: Path) -> None:
    ignore = "!node_modules\n!node_modules/**\n!.git\n!.lambdapackignore\n!*\n"
    project(tmp_path, "node_modules/x", "sub/node_modules/y", ".git/config", "a", ignore=ignore)
    assert list(read_project_source(tmp_path).tree.entries) == ["a"]


@posix
def test_what_is_left_out_is_never_looked_into(tmp_path: Path) -> None:
    project(tmp_path, "index.js")
    (tmp_path / "node_modules").symlink_to("/nonexistent")
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "back\\slash").write_bytes(b"")
    with pytest.raises(LambdapackError) as caught:
        read_project_source(tmp_path)
    assert caught.value.failure is HOSTILE_ARCHIVE
    project(tmp_path, ignore="vendor")
    assert list(read_project_source(tmp_path).tree.entries) == ["index.js"]


def test_our_own_archives_are_known_by_their_manifests_and_stay_out(tmp_path: Path) -> None:
    project(tmp_path, "dist/fn.zip", "dist/fn.zip.lambdapack.json", "dist/data.zip", "dist/.fn.zip.1a.lambdapack-tmp")
    source = read_project_source(tmp_path)
    assert list(source.tree.entries) == ["dist/data.zip"]
    assert {path for path, reason in source.excluded if reason == "lambdapack's own"} == {
        "dist/fn.zip",
        "dist/fn.zip.lambdapack.json",
        "dist/.fn.zip.1a.lambdapack-tmp",
    }


@pytest.mark.parametrize("data", [b"ok\n!\nlater\n", b"\xff\xfe"])
def test_an_ignore_file_that_cannot_be_read_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / ".lambdapackignore").write_bytes(data)
    with pytest.raises(LambdapackError, match="lambdapackignore") as caught:
        read_project_source(tmp_path)
    assert caught.value.failure is BAD_CONFIG
    if data.startswith(b"ok"):
        assert ".lambdapackignore:2: '!'" in caught.value.detail


def test_an_ignore_file_from_windows_means_the_same(tmp_path: Path) -> None:
    project(tmp_path, "a.md", "b")
    (tmp_path / ".lambdapackignore").write_bytes(b"\xef\xbb\xbf*.md\r\n")
    assert list(read_project_source(tmp_path).tree.entries) == ["b"]


@posix
def test_modes_come_from_content_and_from_patterns_alone(tmp_path: Path) -> None:
    project(tmp_path, "plain.js", "tool", "bin/helper", "bin/deep/helper.txt")
    (tmp_path / "cli.js").write_bytes(b"#!/usr/bin/env node\n")
    (tmp_path / "program").write_bytes(elf(kind=2))
    for path in tmp_path.rglob("*"):
        path.chmod(0o777 if path.name == "plain.js" else 0o700)
    entries = read_project_source(tmp_path, executable=["/bin/**", "!*.txt", "tool"]).tree.entries
    modes = {path: oct(entry.mode) for path, entry in entries.items()}
    assert modes == {
        "plain.js": "0o644",
        "tool": "0o755",
        "bin/helper": "0o755",
        "bin/deep/helper.txt": "0o644",
        "cli.js": "0o755",
        "program": "0o755",
    }


def test_an_empty_directory_makes_no_other_package(tmp_path: Path) -> None:
    project(tmp_path, "a", "dist/only.zip.lambdapack.json")
    (tmp_path / "empty/deep").mkdir(parents=True)
    assert list(read_project_source(tmp_path).tree.entries) == ["a"]


@posix
def test_links_are_kept_as_they_are(tmp_path: Path) -> None:
    project(tmp_path, "a")
    (tmp_path / "inside").symlink_to("a")
    (tmp_path / "outside").symlink_to("../elsewhere")
    tree = read_project_source(tmp_path).tree
    assert (tree.entries["inside"].target, tree.entries["outside"].target) == ("a", "../elsewhere")
    assert read_file(tree, "a") == b"a"


def elf(kind: int, *, wide: bool = True, order: str = "<", segment: int | None = None) -> bytes:
    """A header of class 64 or 32 with one program header."""
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    table = 64 if wide else 52
    form = f"{order}HHIQQQIHHH" if wide else f"{order}HHIIIIIHHH"
    header = ident + struct.pack(form, kind, 62, 1, 0, table, 0, 0, table, 56, 1 if segment is not None else 0)
    return header.ljust(table, b"\0") + struct.pack(f"{order}I", segment or 0).ljust(56, b"\0")


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_program_is_told_from_a_library(wide: bool, order: str) -> None:
    def runs(kind: int, segment: int | None = None) -> bool:
        return is_executable(memoryview(elf(kind, wide=wide, order=order, segment=segment)))

    assert runs(2)
    assert runs(3, segment=3)
    assert not runs(3, segment=1)
    assert not runs(3)
    assert not runs(1)


def test_a_broken_header_is_no_program() -> None:
    whole = elf(3, segment=3)
    for end in range(68):
        assert not is_executable(memoryview(whole[:end]))
    for data in (b"", b"#", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"MZ"):
        assert not is_executable(memoryview(data))


@pytest.mark.skipif(sys.platform != "linux", reason="looks at this host's own programs")
def test_this_hosts_own_python_is_a_program() -> None:
    assert is_executable(memoryview(Path(sys.executable).resolve().read_bytes()))


def test_the_commands_own_output_and_what_grows_do_not_ship(tmp_path: Path) -> None:
    (tmp_path / "index.js").write_text("exports.handler = () => 1")
    (tmp_path / "logs").mkdir()
    program = (
        "import sys; from pathlib import Path; from lambdapack.pack.source import read_project_source\n"
        "print('a note', file=sys.stderr, flush=True)\n"
        "source = read_project_source(Path(sys.argv[1]))\n"
        "print('more', file=sys.stderr, flush=True)\n"
        "Path(sys.argv[2]).write_text(repr((sorted(source.tree.entries), source.excluded)))"
    )
    answer = tmp_path.parent / f"{tmp_path.name}-answer"
    with (tmp_path / "logs" / "build.log").open("w") as log:
        subprocess.run([sys.executable, "-c", program, str(tmp_path), str(answer)], stderr=log, check=True)
    assert answer.read_text() == repr((["index.js"], (("logs/build.log", WRITTEN_STREAM_REASON),)))


def test_a_file_that_has_grown_since_it_was_indexed_is_named(tmp_path: Path) -> None:
    (tmp_path / "server.log").write_text("one\n")
    (tmp_path / "old.log").write_text("one\n")
    tree = DirectoryTree(tmp_path)
    with (tmp_path / "server.log").open("a") as log:
        log.write("two\n")
    assert growing_files(tmp_path, tree) == {"server.log"}


@pytest.mark.parametrize("pattern", ["*a" * 6 + "b", "**/" * 6 + "x", "x" * 5000])
def test_a_pattern_that_costs_out_of_proportion_is_refused(pattern: str) -> None:
    with pytest.raises(LambdapackError) as caught:
        IgnoreRules([pattern])
    assert caught.value.failure is BAD_CONFIG
    assert len(caught.value.detail) < 250


def test_many_stars_are_one() -> None:
    rules = IgnoreRules(["*" * 5000 + "x", "*.test.*", "**/build/**/*.map"])
    assert rules.reason("a" * 200 + "x", is_directory=False) == ".lambdapackignore line 1"
    assert rules.reason("a" * 200 + "y", is_directory=False) is None
