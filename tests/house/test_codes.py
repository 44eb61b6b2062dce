"""One record per code: unique, in order, named right, and each with a sentence that ends it."""

import importlib
import re
from pkgutil import iter_modules

import pytest

from lambdapack import errors
from lambdapack.errors.record import DEFECT, Failure
from lambdapack.errors.registry import FAILURES
from lambdapack.model import Rule
from lambdapack.rules.registry import RULES

RECORDS: tuple[Failure | Rule, ...] = (*FAILURES, *RULES)


def test_every_failure_that_is_defined_stands_in_the_registry() -> None:
    modules = [importlib.import_module(f"{errors.__name__}.{module.name}") for module in iter_modules(errors.__path__)]
    defined = {each.code for module in modules for each in vars(module).values() if isinstance(each, Failure)}
    assert defined - {each.code for each in FAILURES} == {DEFECT.code}


def test_codes_are_unique_and_each_table_is_in_order() -> None:
    codes = [record.code for record in RECORDS]
    assert len(codes) == len(set(codes))
    assert [each.code for each in FAILURES] == sorted(each.code for each in FAILURES)
    assert [each.code for each in RULES] == sorted(each.code for each in RULES)


def test_names_are_unique() -> None:
    names = [record.name for record in RECORDS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.code)
def test_a_record_is_worded_as_the_house_words_it(record: Failure | Rule) -> None:
    assert re.fullmatch(r"LP[0-4]\d\d", record.code)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", record.name)
    assert not record.title.endswith(".")
    assert record.title[0].islower() or record.title.split()[0].isupper() or record.title.startswith(("Node", "npm"))
    assert record.why.endswith((".", "`", "'", '"'))
    assert record.fix.endswith((".", "`"))
    assert all(ord(character) < 128 for character in record.title + record.why + record.fix)
