import json
from collections.abc import Callable
from dataclasses import replace

import jsonschema
import pytest

from lambdapack import __version__
from lambdapack.binary.facts import Format, RegistrationKind
from lambdapack.errors.build import NPM_FAILED
from lambdapack.errors.record import Failure, LambdapackError
from lambdapack.errors.registry import FAILURES
from lambdapack.report.document import report as report_document
from lambdapack.rules.registry import RULES
from tests.unit.report import schemas
from tests.unit.report.samples import FAILING, PASSING

Golden = Callable[[str, str], None]


def test_one_report_is_one_object(golden: Golden) -> None:
    version = f'"version": "{__version__}"'
    golden("report-fail.json", report_document.render_json((FAILING,)).replace(version, '"version": "X"', 1))
    golden("report-pass.json", report_document.render_json((PASSING,)).replace(version, '"version": "X"', 1))


def test_a_report_is_what_the_contract_says() -> None:
    for report in (FAILING, PASSING):
        jsonschema.validate(report_document.make_report_document(report), schemas.REPORT)


def test_several_reports_are_an_array_and_so_is_one_of_several_asked_for() -> None:
    assert [each["verdict"] for each in json.loads(report_document.render_json((FAILING, PASSING)))] == ["fail", "pass"]
    assert [each["verdict"] for each in json.loads(report_document.render_json((PASSING,), several=True))] == ["pass"]


def test_an_addon_with_both_entries_is_a_node_api_addon() -> None:
    by_path = {each["path"]: each["registration"] for each in report_document.make_report_document(FAILING)["binaries"]}
    assert by_path["node_modules/both/b.node"] == {"kind": "node-api", "abi": 127, "node_api": 8}
    assert by_path["bin/tool"] == {"kind": "none", "abi": None, "node_api": None}
    assert set(report_document.REGISTRATION_KIND_NAMES) == set(RegistrationKind)


def test_every_cause_of_the_contract_is_a_rule_with_that_name() -> None:
    assert set(schemas.CAUSES) <= {rule.name for rule in RULES}


def test_every_format_has_a_word() -> None:
    assert all(each.value == each.value.lower() for each in Format)


def test_the_document_is_ascii_whatever_a_file_is_called() -> None:
    odd = replace(FAILING, subject=replace(FAILING.subject, path="gr\u00fc\u00dfe/\udcff/\u96ea.zip"))
    text = report_document.render_json((odd,))
    assert text.isascii()
    assert json.loads(text)["subject"]["path"] == "gr\u00fc\u00dfe/\udcff/\u96ea.zip"


def test_a_failure_is_one_object(golden: Golden) -> None:
    golden(
        "failure.json",
        report_document.render_failure(LambdapackError(NPM_FAILED, "npm error code EUSAGE", hint="Do this.")),
    )


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.code)
@pytest.mark.parametrize("detail", ["", "a\nb"])
def test_every_failure_is_what_the_contract_says(failure: Failure, detail: str) -> None:
    document = json.loads(report_document.render_failure(LambdapackError(failure, detail)))
    jsonschema.validate(document, schemas.FAILURE)
    assert document["code"] == failure.code
    assert detail in document["what"]
