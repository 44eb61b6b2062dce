"""Hostile zips, trees, manifests and logs: each ends with a named answer, in little time and memory."""

import json
import random
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lambdapack.binary.budget import JOB_STEPS, StepBudget
from lambdapack.binary.elf.image import Damage, MappedImage
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import TOO_LARGE
from tests.fuzz.documents import FORMATS, DocumentFormat, cpu_seconds, mangle

MEGABYTES = 300
SECONDS = 5.0
SAMPLES = 150
"""Documents of each format in the normal suite; `make fuzz` has no end of them."""

HANDLER = "exports.handler = async () => 1"


def attack(*argv: str) -> tuple[int, str]:
    """Return the exit code and the words of a command that may take SECONDS of CPU and MEGABYTES of memory."""
    program = "import sys; from lambdapack.cli.main import main; sys.exit(main())"

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS), int(SECONDS) + 1))
        resource.setrlimit(resource.RLIMIT_DATA, (MEGABYTES << 20, MEGABYTES << 20))

    command = [sys.executable, "-c", program, *argv]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, preexec_fn=bound)
    return ended.returncode, ended.stdout + ended.stderr


def test_a_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(10):
            archive.writestr(f"{number}.node", bytes(30 << 20))
    code, said = attack("verify", str(bomb))
    assert (code, "LP019" in said) == (2, True), said


def test_entries_without_number_are_refused_before_they_are_read(tmp_path: Path) -> None:
    many = tmp_path / "many.zip"
    with zipfile.ZipFile(many, "w") as archive:
        archive.writestr("index.js", HANDLER)
        for number in range(10_001):
            archive.writestr(f"d/{number}.node", b"")
    code, said = attack("verify", str(many))
    assert (code, "LP019" in said) == (2, True), said


@pytest.mark.parametrize(
    "text",
    [
        "(" * 200_000,
        "(" * 60_000 + "1" + ")" * 60_000,
        "/*" + "a" * 800_000,
        "[" * 100_000 + "require('x')",
        "`${" * 50_000,
        "require('x');" * 50_000,
        "{a:" * 80_000,
    ],
    ids=["open", "nested", "comment", "arrays", "templates", "requires", "objects"],
)
def test_a_hostile_script_is_read_in_time(text: str, tmp_path: Path) -> None:
    (tmp_path / "index.js").write_text(text)
    (tmp_path / "package.json").write_text('{"name": "fn", "version": "1.0.0"}')
    code, said = attack("verify", str(tmp_path), "--runtime", "nodejs22.x", "--arch", "x86_64")
    assert code in {0, 1}, said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", ["verify", "inspect"])
def test_a_path_of_many_parts_is_no_defect(command: str, tmp_path: Path) -> None:
    deep = tmp_path / "deep.zip"
    with zipfile.ZipFile(deep, "w") as archive:
        archive.writestr("index.js", HANDLER)
        archive.writestr("a/" * 1500 + "x.js", "1")
    code, said = attack(command, str(deep))
    assert code in {0, 1}, said


def test_a_lockfile_beyond_all_measure_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.js").write_text(HANDLER)
    (tmp_path / "package.json").write_text(json.dumps({"name": "x", "dependencies": {"p1": "1.0.0"}}))
    entries = ",".join(f'"node_modules/p{number}":{{"version":"1"}}' for number in range(900_000))
    (tmp_path / "package-lock.json").write_text(f'{{"lockfileVersion":3,"packages":{{{entries}}}}}')
    code, said = attack("build", str(tmp_path))
    assert (code, "LP019" in said) == (2, True), said


def test_a_pattern_of_stars_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "index.js").write_text(HANDLER)
    (tmp_path / "package.json").write_text(json.dumps({"name": "x"}))
    (tmp_path / ".lambdapackignore").write_text("*" * 5000 + "x\n")
    for number in range(50):
        (tmp_path / ("a" * 200 + str(number))).write_text("")
    code, said = attack("build", str(tmp_path), "--no-install")
    assert code in {0, 1}, said


def test_registries_that_are_no_addresses_and_passwords_of_any_kind_are_named_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "index.js").write_text(HANDLER)
    (tmp_path / "package.json").write_text(json.dumps({"name": "x"}))
    (tmp_path / ".npmrc").write_text("registry=http://u:cAnArY[@[::1\n_authToken=cAnArY\n")
    code, said = attack("build", str(tmp_path))
    assert (code, "LP006" in said or "LP2" in said, "cAnArY" in said) == (2, True, False), said


def loop_without_end(budget: StepBudget) -> None:
    image = MappedImage(memoryview(bytes(1024)), (), budget)
    for _step in range(JOB_STEPS):
        image.count_steps(100)


def test_small_files_share_one_budget_of_steps() -> None:
    budget = StepBudget()
    for _file in range(16):
        with pytest.raises(Damage):
            loop_without_end(budget)
    with pytest.raises(LambdapackError) as caught:
        loop_without_end(budget)
    assert caught.value.failure is TOO_LARGE


@pytest.mark.parametrize("document", [row for row in FORMATS if row.name != "index.js"], ids=lambda row: row.name)
def test_hurt_documents_end_with_a_named_answer(document: DocumentFormat, tmp_path: Path) -> None:
    source = random.Random(12)  # noqa: S311  # no secret
    cpu_seconds(document, document.originals[0], tmp_path)
    for _ in range(SAMPLES):
        data = mangle(source, document)
        assert cpu_seconds(document, data, tmp_path) < SECONDS
