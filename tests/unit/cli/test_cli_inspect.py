"""`lambdapack inspect` as people and programs see it; its JSON is held to the published schema by tests/products.py."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from lambdapack.cli.app import run_command
from tests import elf
from tests.command import lambdapack
from tests.npm_trees import zipped

WIDTH = 80

ON = ("--runtime", "nodejs22.x", "--arch", "x86_64")


class Said(NamedTuple):
    """What one run said."""

    code: int
    out: str
    err: str


Inspect = Callable[..., Said]


@pytest.fixture
def inspect(capsys: pytest.CaptureFixture[str]) -> Inspect:
    def call(*argv: str | Path) -> Said:
        code = run_command(["inspect", *map(str, argv)])
        return Said(code, *capsys.readouterr())

    return call


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A function with an addon for two CPUs that a dependency brings, and an old copy of a package."""
    root = tmp_path_factory.mktemp("inspected") / "app"
    addon = elf.link(root.parent, "addon.node", elf.NODE_API, "-DLEVEL=8").read_bytes()
    wanted: dict[str, dict[str, object]] = {
        "": {"name": "app", "dependencies": {"image": "2", "text": "1"}},
        "image": {"version": "2.0.0", "dependencies": {"addon": "1"}},
        "addon": {"version": "1.2.3", "dependencies": {"node-gyp-build": "4"}},
        "node-gyp-build": {"version": "4.8.4"},
        "text": {"version": "1.0.0"},
        "image/node_modules/text": {"version": "1.0.0"},
    }
    for name, fields in wanted.items():
        place = root / "node_modules" / name if name else root
        place.mkdir(parents=True, exist_ok=True)
        manifest = {"name": name.rpartition("/")[2] or "app", **fields}
        (place / "package.json").write_text(json.dumps(manifest), encoding="utf-8")
        (place / "index.js").write_text(f"exports.handler = async () => {name!r}\n", encoding="utf-8")
    for cpu, machine in (("x64", elf.X86_64), ("arm64", elf.ARM64)):
        prebuilds = root / "node_modules/addon/prebuilds" / f"linux-{cpu}"
        prebuilds.mkdir(parents=True)
        (prebuilds / "addon.node").write_bytes(elf.with_machine(addon, machine))
    for copy in ("text", "image/node_modules/text"):
        (root / "node_modules" / copy / "words.txt").write_text("word " * 1000, encoding="utf-8")
    return root


def test_a_package_is_told_by_weight_in_eighty_columns(inspect: Inspect, package: Path) -> None:
    done = inspect(package, *ON)
    assert done.code == 0
    assert [line for line in done.out.splitlines() if len(line) > WIDTH and line != str(package)] == []
    for said in (
        "addon 1.2.3 <- image",
        "node-gyp-build 4.8.4 <- addon <- image",
        "node_modules/addon/prebuilds/linux-x64/addon.node",
        "x86_64; addon; Node-API 8; loads",
        "arm64; addon; Node-API; fails (wrong-cpu), not in use",
        "text 1.0.0, 2 times",
        "pruning would save",
        "1 binary for other platforms",
        "pass: nodejs22.x/x86_64 - 2 binaries, 1 in use",
    ):
        assert said in done.out


def test_a_program_gets_all_of_it(inspect: Inspect, package: Path) -> None:
    found = json.loads(inspect(package, *ON, "--format", "json").out)
    assert found["bytes"] == sum(each["bytes"] for each in found["packages"])
    assert found["bytes"] == sum(each["bytes"] for each in found["kinds"])
    assert found["bytes"] == sum(path.stat().st_size for path in package.rglob("*") if path.is_file())
    (used,) = (each for each in found["binaries"] if each["selected"])
    assert [each["name"] for each in used["wanted_by"]] == ["image", "addon"]
    assert [each["path"] for each in found["pruning"]["files"]] == [
        "node_modules/addon/prebuilds/linux-arm64/addon.node"
    ]
    assert [each["name"] for each in found["duplicates"]["packages"]] == ["text"]


def test_a_zip_is_told_like_the_directory_it_was_made_from(inspect: Inspect, package: Path, tmp_path: Path) -> None:
    archive = zipped(package, tmp_path / "app.zip")
    told = [json.loads(inspect(each, *ON, "--format", "json").out) for each in (package, archive)]
    for name in ("files", "bytes", "kinds", "packages", "binaries", "duplicates", "pruning"):
        assert told[0][name] == told[1][name], name
    assert [each["subject"]["kind"] for each in told] == ["directory", "zip"]


def test_findings_do_not_change_the_exit_code_and_an_unreadable_target_does(
    inspect: Inspect, package: Path, tmp_path: Path
) -> None:
    bad = inspect(package, "--runtime", "nodejs22.x", "--handler", "gone.handler", "--arch", "arm64")
    assert bad.code == 0
    assert "LP301" in bad.out
    (tmp_path / "text.zip").write_text("no zip", encoding="utf-8")
    for target in (tmp_path / "text.zip", tmp_path / "nothing/here"):
        done = inspect(target, *ON)
        assert (done.code, done.out) == (2, ""), target


def test_every_row_is_shown_on_demand(inspect: Inspect, tmp_path: Path) -> None:
    for number in range(30):
        place = tmp_path / "node_modules" / f"package-{number:02}"
        place.mkdir(parents=True)
        (place / "package.json").write_text(json.dumps({"version": "1.0.0", "number": "x" * number}), encoding="utf-8")
    short, full = inspect(tmp_path, *ON).out, inspect(tmp_path, *ON, "-v").out
    assert ("20 more (-v)" in short, "package-00" in short) == (True, False)
    assert all(f"package-{number:02}" in full for number in range(30))


def test_names_cannot_steer_a_terminal(inspect: Inspect, tmp_path: Path) -> None:
    place = tmp_path / "node_modules" / "evil\x1b[31m\u202e"
    place.mkdir(parents=True)
    (place / "package.json").write_text(json.dumps({"name": "e\x1b[2J", "version": "1\u202e"}), encoding="utf-8")
    (place / "a\n.node").write_bytes(b"text")
    done = inspect(tmp_path, *ON)
    assert done.code == 0
    assert [sign for sign in done.out if not sign.isprintable() and sign != "\n"] == []


def test_a_page_is_written_whole_or_not_at_all(inspect: Inspect, package: Path, tmp_path: Path) -> None:
    page = tmp_path / "new" / "page.html"
    done = inspect(package, *ON, "--html", page)
    assert (done.code, [each.name for each in page.parent.iterdir()]) == (0, ["page.html"])
    assert "addon 1.2.3 <- image" in done.out
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    refused = inspect(package, *ON, "--html", tmp_path)
    assert (refused.code, refused.out) == (3, "")
    assert "LP009" in refused.err
    bad = inspect(tmp_path / "gone", *ON, "--html", page)
    assert (bad.code, "addon" in page.read_text(encoding="utf-8")) == (2, True)


def test_a_zip_whose_names_are_markup_has_a_page(inspect: Inspect, tmp_path: Path) -> None:
    archive = tmp_path / "app.zip"
    names = ("</script><script>alert(1)<!--", "\u05d0\u202e.node", "a'b\"c&amp;d")
    with zipfile.ZipFile(archive, "w") as made:
        for name in names:
            made.writestr(f"node_modules/{name.replace('/', '-')}/package.json", "{}")
            made.writestr(f"node_modules/x/{name}", "text" * 1000)
    page = tmp_path / "page.html"
    assert inspect(archive, *ON, "--html", page).code == 0
    text = page.read_text(encoding="utf-8")
    assert (text.count("<script"), text.count("</script>")) == (2, 2)
    assert "\u202e" not in text


def test_the_example_of_the_help_works(package: Path) -> None:
    example = "lambdapack inspect . --html package.html"
    assert f"Example: {example}" in lambdapack("inspect", "--help").stdout
    done = lambdapack(*example.split()[1:], cwd=package)
    (package / "package.html").unlink()
    assert done.returncode == 0
    assert "no runtime is set" in done.stderr
