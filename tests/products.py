"""No JSON leaves the product in a test unseen: what its field "schema" names is what it has to be.

tests/conftest.py puts the check behind every way out in this process, tests/command.py behind every other process.
"""

import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lambdapack.cli.output import console
from lambdapack.pack.output import MANIFEST_SCHEMA, zip_manifest_path
from lambdapack.report.document import published
from lambdapack.report.document import report as report_document
from lambdapack.rules.registry import RULES

OURS = "lambdapack/"


@functools.cache
def validators() -> dict[str, jsonschema.Draft202012Validator]:
    """Every published schema by the text that documents name it with."""
    found = {}
    for name in published.SCHEMAS:
        schema = published.find_schema(name)
        jsonschema.Draft202012Validator.check_schema(schema)
        _, kind, number = schema["$id"].split(":", 1)[1].split(":")
        found[f"{OURS}{kind}/{number}"] = jsonschema.Draft202012Validator(schema)
    return found


def check(text: str, *, ours: bool = False) -> None:
    """Fail when a text is JSON of ours and not what its schema says; `ours`: it has to be JSON of ours."""
    try:
        whole = json.loads(text)
    except ValueError:
        assert not ours, f"JSON was asked for: {text[:200]}"
        return
    for document in whole if isinstance(whole, list) else [whole]:
        named = document.get("schema") if isinstance(document, dict) else None
        if not isinstance(named, str) or not named.startswith(OURS):
            assert not ours, f"a document without the name of its schema: {text[:200]}"
            continue
        assert named in validators(), f"{named} is no schema of lambdapack/report/document/published.py"
        validators()[named].validate(document)
        if named != MANIFEST_SCHEMA:  # a manifest's keys are sorted
            check_order(document, validators()[named].schema)
    if isinstance(whole, list) and whole and ours:
        validators()[whole[0]["schema"]].validate(whole)


def check_order(document: Any, schema: Any) -> None:
    """Fail when an object's keys are not in the order in which they are declared."""
    for kind in schema.get("$defs", {}).values():
        check_order(document, kind)
    if isinstance(document, list):
        for item in document:
            check_order(item, schema.get("items", {}))
    if isinstance(document, dict) and (fields := schema.get("properties")):
        assert list(document) == list(fields)
        for name, value in document.items():
            check_order(value, fields[name])


def check_run(argv: Sequence[str], stdout: str) -> None:
    """Check what a command printed, and the manifests of the archives that it named."""
    wants_json = "--format=json" in argv or ("--format", "json") in pairwise(argv)
    check(stdout, ours=wants_json and bool(stdout))
    for report in reports(stdout):
        check_sense(report)
    for line in stdout.splitlines():
        beside = zip_manifest_path(Path(line)) if line.endswith(".zip") and "\0" not in line else None
        if beside and beside.is_file():
            check(beside.read_text(encoding="utf-8"), ours=True)


def reports(text: str) -> list[dict[str, Any]]:
    """Return the reports in what was printed."""
    try:
        whole = json.loads(text)
    except ValueError:
        return []
    documents = whole if isinstance(whole, list) else [whole]
    return [each for each in documents if isinstance(each, dict) and each.get("schema") == "lambdapack/report/1"]


def check_sense(report: Mapping[str, Any]) -> None:
    """Fail when a report contradicts itself: what docs/contracts.md says of its verdict, outcomes, codes and paths."""
    ranks = ["note", "warning", "error"]
    counting = [each for each in report["findings"] if each["ignored"] is None]
    worst = max((ranks.index(each["severity"]) for each in counting), default=0)
    assert report["verdict"] == ("pass", "warn", "fail")[worst]
    said = {each["path"]: -1 for each in report["binaries"]}
    for each in report["findings"]:
        assert NAMES[each["code"]] == each["name"]
        rank = ranks.index("error" if each["ignored"] else each["severity"])
        said[each["path"]] = max(said.get(each["path"], -1), rank)
    for each in report["binaries"]:
        assert (each["cause"] is None) == (each["outcome"] == "loads"), each
        assert not each["selected"] or said[each["path"]] >= LEAST[each["outcome"]], each
    for each in (*report["binaries"], *report["findings"]):
        assert not each["path"].startswith(("/", "../", "./")) or each["path"].startswith("/opt/"), each["path"]


NAMES = {rule.code: rule.name for rule in RULES}
LEAST = {"loads": -1, "unknown": 1, "dies-later": 2, "fails": 2}
"""How bad a finding at least has to be about a file that a loader picks and that ends so."""


def guarded(patch: pytest.MonkeyPatch) -> None:
    """Check everything that this process renders or writes to stdout."""
    patch.setattr(report_document, "render_json", _checked(report_document.render_json))
    patch.setattr(report_document, "render_failure", _checked(report_document.render_failure))
    patch.setattr(console, "write_stdout", _seen(console.write_stdout))


def _checked(render: Callable[..., str]) -> Callable[..., str]:
    def rendering(*args: Any, **options: Any) -> str:
        text = render(*args, **options)
        check(text, ours=True)
        return text

    return rendering


def _seen(write: Callable[..., None]) -> Callable[..., None]:
    def writing(text: str, *, for_people: bool = False) -> None:
        check_run([], text)
        write(text, for_people=for_people)

    return writing


def open_objects(schema: Any, path: str = "#") -> Iterator[str]:
    """Yield where a schema lets an object have fields that nobody described."""
    if isinstance(schema, list):
        for at, each in enumerate(schema):
            yield from open_objects(each, f"{path}/{at}")
    if not isinstance(schema, dict):
        return
    kinds = schema.get("type", ())
    if "object" in ([kinds] if isinstance(kinds, str) else kinds) and schema.get("additionalProperties", True) is True:
        yield path
    for key, each in schema.items():
        yield from open_objects(each, f"{path}/{key}")


def undescribed(schema: Any, path: str = "#") -> Iterator[str]:
    """Yield the fields of a schema's objects that have no description."""
    if isinstance(schema, list):
        for at, each in enumerate(schema):
            yield from undescribed(each, f"{path}/{at}")
    if not isinstance(schema, dict):
        return
    fields = schema.get("properties")
    for name, field in fields.items() if isinstance(fields, dict) else ():
        if isinstance(field, dict) and not field.get("description"):
            yield f"{path}/{name}"
    for key, each in schema.items():
        yield from undescribed(each, f"{path}/{key}")
