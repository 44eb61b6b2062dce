import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from lambdapack.model import Target
from lambdapack.rules.model.case import IgnoredFinding, Policy
from tests.fakes import Process
from tests.unit.pipeline.workshop import TODAY, X86, Workshop

HANDLER = "exports.handler = async () => 1\n"
KEY = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * 8 + "\n-----END PRIVATE KEY-----\n"


def shop(place: Path, files: Mapping[str, str]) -> Workshop:
    return Workshop(place, files=files)


def told(shop: Workshop, *targets: Target, handler: str = "index.handler") -> list[str]:
    (built,) = shop.build(*targets, handler=handler)
    return [each.rule.name for each in built.report.findings]


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"main.js": HANDLER}, "handler-missing"),
        ({"index.js": "export const handler = () => 1\n"}, "module-as-commonjs"),
        ({"index.js": HANDLER, "keys/server.key": KEY}, "secret-packed"),
        ({"index.js": f"require('./lib/db')\n{HANDLER}"}, "required-file-missing"),
    ],
)
def test_what_no_install_mends_is_said_before_any_engine_is_asked(
    tmp_path: Path, files: Mapping[str, str], name: str
) -> None:
    workshop = shop(tmp_path, files)
    assert told(workshop) == [name]
    assert workshop.asked == []


def test_a_link_that_leaves_is_said_before_any_engine_is_asked(tmp_path: Path) -> None:
    workshop = shop(tmp_path, {"index.js": HANDLER})
    (workshop.project / "shared").symlink_to("../../elsewhere")
    assert told(workshop) == ["link-leaves-tree"]
    assert workshop.asked == []


def test_a_runtime_that_takes_no_updates_is_said_before_any_engine_is_asked(tmp_path: Path) -> None:
    workshop = shop(tmp_path, {"index.js": HANDLER})
    (built,) = workshop.build(Target("nodejs12.x", X86))
    assert "runtime-blocked" in {each.rule.name for each in built.report.findings}
    assert workshop.asked == []


def test_findings_of_lockfile_and_source_come_together(tmp_path: Path) -> None:
    workshop = shop(tmp_path, {"index.js": HANDLER, "keys/server.key": KEY})
    (workshop.project / "package-lock.json").unlink()
    assert set(told(workshop)) == {"lock-missing", "secret-packed"}


def test_what_lets_the_install_begin_is_said_once_after_it(tmp_path: Path) -> None:
    workshop = shop(tmp_path, {"index.js": "exports.other = 1\n", "keys/server.key": KEY})
    policy = Policy(TODAY, handler_required=True, ignores=(IgnoredFinding("secret-packed", "a test key"),))
    (built,) = workshop.build(policy=policy)
    assert built.archive is not None
    assert [each.rule.name for each in built.report.findings] == ["handler-not-exported", "secret-packed"]


@pytest.mark.parametrize("handler", ["ms.handler", "node_modules/ms/index.handler"])
def test_a_handler_that_a_dependency_brings_is_waited_for(tmp_path: Path, handler: str) -> None:
    workshop = shop(tmp_path, {})

    def ship(process: Process) -> None:
        process.write("/var/task/node_modules/ms/index.js", HANDLER.encode())

    workshop.ship = ship
    assert told(workshop, handler=handler) == []
    assert workshop.asked == [X86]


def test_a_handler_that_a_script_may_make_is_waited_for(tmp_path: Path) -> None:
    workshop = shop(tmp_path, {})
    manifest = json.loads((workshop.project / "package.json").read_text())
    manifest["scripts"] = {"postinstall": "node make-index.js"}
    (workshop.project / "package.json").write_text(json.dumps(manifest))
    assert "handler-missing" in told(workshop)
    assert workshop.asked == [X86]


def test_a_file_that_the_install_may_make_is_waited_for(tmp_path: Path) -> None:
    files = {"index.js": f"require('./build/Release/own.node')\n{HANDLER}", "binding.gyp": "{}"}
    workshop = shop(tmp_path, files)
    assert "required-file-missing" in told(workshop)
    assert workshop.asked == [X86]
