import json
from pathlib import Path

import pytest

from lambdapack.managers.packlist import packed_files
from lambdapack.tree.entry import EntryKind

WRITTEN = (
    "README.md", "index.js", "lib/a.js", "lib/a.test.js", "dist/index.js", "src/index.ts", ".env", ".npmrc",
    "node_modules/x/index.js", "package-lock.json", ".gitignore",
)  # fmt: skip


def packed(tmp_path: Path, manifest: dict[str, object], **ignored: str) -> set[str]:
    for name in WRITTEN:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "package.json").write_text(json.dumps(manifest))
    for name, text in ignored.items():
        (tmp_path / f".{name}").write_text(text)
    entries = packed_files(tmp_path).entries.values()
    return {entry.path for entry in entries if entry.kind is not EntryKind.DIRECTORY} - {"package.json", "README.md"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["lib"], {"lib/a.js", "lib/a.test.js"}),
        (["lib", "!**/*.test.js"], {"lib/a.js"}),
        (["./dist/", "index.js"], {"dist/index.js", "index.js"}),
        ([], set()),
    ],
)
def test_files_says_what_a_copy_has(tmp_path: Path, files: list[str], expected: set[str]) -> None:
    assert packed(tmp_path, {"files": files}) == expected


def test_the_entry_is_packed_whatever_files_says(tmp_path: Path) -> None:
    assert packed(tmp_path, {"files": ["lib/a.js"], "main": "./dist/index.js"}) == {"lib/a.js", "dist/index.js"}


def test_npmignore_stands_for_gitignore(tmp_path: Path) -> None:
    found = packed(tmp_path, {}, npmignore="src\n*.test.js\n", gitignore="lib\n")
    assert found == {"index.js", "lib/a.js", "dist/index.js"}


def test_a_gitignore_that_hides_the_built_entry_hides_it_from_git_alone(tmp_path: Path) -> None:
    found = packed(tmp_path, {"main": "dist/index.js"}, gitignore="dist\nsrc\n")
    assert found == {"index.js", "lib/a.js", "lib/a.test.js", "dist/index.js"}
