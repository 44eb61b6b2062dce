import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import lambdapack
from lambdapack.events import Advance
from lambdapack.model import Architecture
from tests.projects import write_project
from tests.unit.pipeline.workshop import DARWIN

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"

ADDON = {
    "index.js": "exports.handler = async () => require('addon')\n",
    "node_modules/addon/package.json": '{"name": "addon", "version": "1.0.0", "main": "addon.node"}',
}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAMBDAPACK_CACHE", str(tmp_path / "cache"))
    directory = write_project(tmp_path / "my-function", {"dependencies": {"addon": "1.0.0"}}, files=ADDON)
    (directory / "node_modules/addon/addon.node").write_bytes(DARWIN)
    return directory


class RecordingObserver:
    def __init__(self) -> None:
        self.notes: list[str] = []

    @contextmanager
    def task(self, label: str, total: int | None = None, unit: str = "") -> Iterator[Advance]:  # noqa: ARG002
        yield lambda _amount: None

    def line(self, text: str) -> None:
        pass

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_the_examples_of_the_page_run(capsys: pytest.CaptureFixture[str]) -> None:
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 6
    names: dict[str, object] = {}
    for example in examples:
        exec(compile(example, str(PAGE), "exec"), names)  # noqa: S102  # our own page
    printed = capsys.readouterr()
    assert printed.out.startswith("fail\nerror LP202 node_modules/addon/addon.node")
    assert "LP007 no-such-directory" in printed.out
    assert printed.err == ""


def test_verify_takes_a_target_in_each_form(project: Path) -> None:
    target = lambdapack.Target("nodejs22.x", Architecture.ARM64)
    for form in ("nodejs22.x/arm64", target):
        report = lambdapack.verify(project, form)
        assert (report.verdict, report.runtime.target) == (lambdapack.Verdict.FAIL, target)
    assert lambdapack.verify(project, "nodejs20.x").runtime.target.architecture is Architecture.X86_64


def test_settings_win_and_are_those_of_lambdapack_toml(project: Path) -> None:
    (project / "lambdapack.toml").write_text('runtime = "nodejs20.x"\narch = "arm64"\n')
    assert str(lambdapack.verify(project).runtime.target) == "nodejs20.x/arm64"
    ignore = {"LP202": "for a test"}
    report = lambdapack.verify(project, "nodejs22.x", settings={"ignore": ignore})
    assert str(report.runtime.target) == "nodejs22.x/arm64"
    assert "for a test" in [finding.ignored for finding in report.findings]


def test_notes_reach_the_observer(project: Path) -> None:
    observer = RecordingObserver()
    lambdapack.verify(project, observer=observer)
    assert any("no runtime is set" in note for note in observer.notes)


@pytest.mark.parametrize(
    ("target", "settings", "message"),
    [
        ("nodejs22.x/", {}, "target is 'nodejs22.x/'"),
        ("", {}, "target is ''"),
        ("nodejs22.x/all", {}, "one target"),
        (None, {"no-such-key": 1}, "unknown key 'no-such-key'"),
    ],
)
def test_an_unusable_argument_is_lp001(target: str | None, settings: dict[str, object], message: str) -> None:
    with pytest.raises(lambdapack.LambdapackError, match=message) as caught:
        lambdapack.verify("my-function", target, settings=settings)
    assert caught.value.failure.code == "LP001"


def test_build_writes_an_archive_of_a_package_that_loads(project: Path) -> None:
    (project / "node_modules/addon/addon.node").unlink()
    (project / "node_modules/addon/package.json").write_text('{"name": "addon", "version": "1.0.0"}')
    (project / "node_modules/addon/index.js").write_text("module.exports = 1")
    package = lambdapack.build(project, "nodejs22.x/x86_64", install=False, settings={"load": "never"})
    assert package.report.verdict is not lambdapack.Verdict.FAIL
    assert package.archive is not None
    assert package.archive.path.is_file()


def test_explain_checks_a_project(project: Path) -> None:
    text = "Error: /var/task/node_modules/addon/addon.node: invalid ELF header"
    alone, checked = lambdapack.explain(text), lambdapack.explain(text, project=project)
    assert alone.diagnoses[0].found == ""
    assert checked.diagnoses[0].found.startswith("yes")


def test_importing_the_package_loads_nothing_and_explain_is_a_function_however_it_is_reached() -> None:
    program = (
        "import sys, lambdapack; print([name for name in sys.modules if name.startswith('lambdapack.')]);"
        "import lambdapack.explain.log; from lambdapack import explain;"
        "print(len(lambdapack.explain('invalid ELF header').diagnoses), len(explain('hello').diagnoses))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "1 0"]


def test_every_public_name_exists() -> None:
    assert [name for name in lambdapack.__all__ if not hasattr(lambdapack, name)] == []
    with pytest.raises(AttributeError, match="no_such_name"):
        getattr(lambdapack, "no_such_name")  # noqa: B009
