"""No rule without a test that shows it at work and one that shows its absence."""

import pytest

from lambdapack.model import Finding, Rule
from lambdapack.rules.registry import RULES
from tests.proofs import HOW, PROVES, SPARES, marks, told, watched

MARKS = marks()


@pytest.mark.parametrize("verb", [PROVES, SPARES])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_rule_has_its_proof(rule: Rule, verb: str) -> None:
    places = [each.place for each in MARKS if (each.verb, each.name) == (verb, rule.name)]
    assert places, f"no test {verb} {rule.code} {rule.name}. {HOW.format(name=rule.name)}"


def test_no_mark_names_what_is_no_rule() -> None:
    names = {rule.name for rule in RULES}
    assert [each for each in MARKS if each.name not in names] == []


def test_a_mark_is_held_to_what_is_found_here_or_told_by_another_process() -> None:
    with watched() as seen:
        Finding(RULES[0], "a", "found")
        told(["wrong-cpu"])
    Finding(RULES[1], "a", "later")
    assert seen == {RULES[0].name, "wrong-cpu"}
