"""A log of lambdapack itself is explained as the record that it prints, and no cure is the command that printed it."""

import pytest

from lambdapack.errors.record import Failure, LambdapackError
from lambdapack.errors.registry import FAILURES
from lambdapack.explain.diagnose import diagnose
from lambdapack.explain.text import strip_log_markup
from lambdapack.explain.translate import repeats_command
from lambdapack.explain.words import ExplainTarget
from lambdapack.model import Rule
from lambdapack.report.human import render_failure
from lambdapack.rules.registry import RULES

AIM = ExplainTarget("nodejs22.x")
COMMANDS = (
    "lambdapack build --runtime nodejs22.x --arch arm64",
    "lambdapack verify .",
    "lambdapack deploy --function app",
    "lambdapack publish-layer --name deps",
)
BUILD_STAGE = "1"


def log_of(record: Failure | Rule) -> str:
    """What a command prints that ends with this record: one form for failures, one for findings."""
    if isinstance(record, Failure):
        return render_failure(LambdapackError(record, "the detail of this run"))
    return f"{record.severity.value}[{record.code}] {record.name}: {record.title}\n  = fix: {record.fix}\n"


@pytest.mark.parametrize("record", [*FAILURES, *RULES], ids=lambda record: record.code)
def test_a_log_of_our_own_is_explained_as_its_record_and_never_with_the_command_that_failed(
    record: Failure | Rule,
) -> None:
    for command in COMMANDS:
        found = diagnose(strip_log_markup(f"$ {command}\n{log_of(record)}"), AIM)
        assert found
        assert found[0].code == record.code
        assert found[0].fix
        assert [fix for fix in found[0].fix if repeats_command(fix, command)] == []


@pytest.mark.parametrize(
    "record", [record for record in FAILURES if record.code[2] == BUILD_STAGE], ids=lambda record: record.code
)
def test_a_failed_build_is_not_repeated_where_only_its_log_is_there(record: Failure) -> None:
    found = diagnose(strip_log_markup(log_of(record)), AIM)
    assert [fix for diagnosis in found for fix in diagnosis.fix if repeats_command(fix, "lambdapack build")] == []


FORMS = (
    "{title}",
    "{code} {name}",
    "error: {title}",
    '{{"schema": "lambdapack/failure/1", "code": "{code}", "name": "{name}"}}',
)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("record", [*FAILURES, *RULES], ids=lambda record: record.code)
def test_a_record_is_known_by_its_sentence_its_code_and_its_document(record: Failure | Rule, form: str) -> None:
    text = form.format(title=record.title, code=record.code, name=record.name)
    assert diagnose(strip_log_markup(text), AIM)[0].code == record.code
