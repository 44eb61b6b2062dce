"""The schema of lambdapack.toml, for editors; "lambdapack" in package.json takes the same."""

from collections.abc import Mapping
from typing import Any

from lambdapack.config import OPTIONS, Option
from lambdapack.rules.registry import RULES
from lambdapack.schema.shapes import DIALECT, Schema

ID = "urn:lambdapack:config:1"


def config() -> Schema:
    """Return the schema, a property for each row of the table of settings."""
    fields: dict[str, Any] = {"$schema": {"description": "This schema, for editors.", "type": "string"}}
    for option in OPTIONS:
        table, _dot, key = option.name.rpartition(".")
        if table:
            inside = fields.setdefault(table, _closed(f"Settings of the {table}.", {}))
            inside["properties"][key] = _described(option)
        else:
            fields[key] = _described(option)
    return {
        "$schema": DIALECT,
        "$id": ID,
        "title": "Settings of lambdapack",
        **_closed("lambdapack.toml, or the object lambdapack in package.json.", fields),
    }


def _closed(description: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": description, "type": "object", "properties": dict(fields), "additionalProperties": False}


def _described(option: Option) -> Schema:
    described = {"description": option.help, **option.kind.schema}
    if option.name == "ignore":
        described["propertyNames"] = {"pattern": f"^({'|'.join(_codes())})(:.+)?$"}
    if isinstance(option.default, str | bool | int | float) and option.default is not None:
        described["default"] = option.default
    return described


def _codes() -> list[str]:
    return [word for rule in RULES for word in (rule.code, rule.name)]
