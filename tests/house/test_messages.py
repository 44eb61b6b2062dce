"""One record per cause: every sentence that a record quotes is explained as that record, and nobody keeps a copy."""

import re

import pytest

from lambdapack.errors.record import Failure
from lambdapack.errors.registry import FAILURES
from lambdapack.explain.causes import CAUSE_CODES, CAUSE_RECORDS, cause_of
from lambdapack.explain.diagnose import diagnose
from lambdapack.explain.text import strip_log_markup
from lambdapack.explain.words import ExplainTarget
from lambdapack.model import Rule
from lambdapack.rules.registry import RULES

RECORDS: tuple[Failure | Rule, ...] = (*FAILURES, *RULES)
AIM = ExplainTarget("nodejs22.x")

QUOTES = [(record, quote) for record in RECORDS for quote in re.findall(r"`([^`]+)`", record.why)]
EXAMPLES = [(record, message.example) for record in CAUSE_RECORDS for message in record.messages]


def test_records_quote() -> None:
    """The two lists below are read out of the records: an empty one would prove nothing."""
    assert len(QUOTES) > 30
    assert len(EXAMPLES) > 80


@pytest.mark.parametrize(("record", "quote"), QUOTES, ids=[f"{record.code}-{quote[:40]}" for record, quote in QUOTES])
def test_what_a_record_says_of_a_program_is_explained_as_that_record(record: Failure | Rule, quote: str) -> None:
    found = diagnose(strip_log_markup(quote), AIM)
    assert found, f"{record.code} quotes what `explain` does not know; what no program prints needs no backticks"
    assert found[0].code == record.code


@pytest.mark.parametrize(
    ("record", "example"), EXAMPLES, ids=[f"{record.code}-{example[:40]}" for record, example in EXAMPLES]
)
def test_a_message_is_explained_as_the_record_it_stands_in(record: Failure | Rule, example: str) -> None:
    assert record.code in {found.code for found in diagnose(strip_log_markup(example), AIM)}


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.code)
def test_a_quoted_sentence_stands_between_backticks(record: Failure | Rule) -> None:
    assert re.search(r"\b(?:says|prints|answers|logs):? [A-Z]\w+ \w", record.why) is None


def test_every_record_with_a_remedy_is_one_that_explain_answers_with() -> None:
    assert {record.code for record in RECORDS if record.remedy} == {record.code for record in CAUSE_RECORDS}


def test_a_cause_leads_to_one_general_record_and_back() -> None:
    general = {
        record.code: cause_of(record) for record in CAUSE_RECORDS if CAUSE_CODES[cause_of(record)] == record.code
    }
    assert general == {code: cause for cause, code in CAUSE_CODES.items()}
