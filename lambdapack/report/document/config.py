"""The schema of lambdapack.toml and of "lambdapack" in package.json."""

from collections.abc import Mapping
from typing import Any

from lambdapack.config.functions import FUNCTION_KEYS
from lambdapack.config.settings import OPTIONS, Option
from lambdapack.rules.registry import RULES
from lambdapack.schema import JSON_SCHEMA_DIALECT, Schema

CONFIG_SCHEMA_ID = "urn:lambdapack:config:1"


def config_schema() -> Schema:
    """Return the schema, a property for each row of the table of settings."""
    fields: dict[str, Any] = {"$schema": {"description": "This schema, for editors.", "type": "string"}}
    for option in OPTIONS:
        table, _dot, key = option.name.rpartition(".")
        if table:
            inside = fields.setdefault(table, _closed_object(f"Settings of the {table}.", {}))
            inside["properties"][key] = _setting_schema(option)
        else:
            fields[key] = _setting_schema(option)
    own = {**_function_fields(), **{key: value for key, value in fields.items() if key != "$schema"}}
    fields["functions"] = {
        "description": "Functions of the repository by name; a name with * gives settings to all that fit.",
        "type": "object",
        "additionalProperties": _closed_object("Settings of one function.", own),
    }
    return {
        "$schema": JSON_SCHEMA_DIALECT,
        "$id": CONFIG_SCHEMA_ID,
        "title": "Settings of lambdapack",
        **_closed_object("lambdapack.toml, or the object lambdapack in package.json.", fields),
    }


def _function_fields() -> dict[str, Any]:
    """Return the keys that only a function has; what a deployment reads of them is checked there."""
    place = {
        "directory": {"description": "Directory of its package.json, or a glob of several.", "type": "string"},
        "extends": {"description": "Name of the function whose settings it takes over.", "type": "string"},
    }
    return {**place, **{key: {"description": "For deployments."} for key in FUNCTION_KEYS}}


def _closed_object(description: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": description, "type": "object", "properties": dict(fields), "additionalProperties": False}


def _setting_schema(option: Option) -> Schema:
    setting = {"description": option.help, **option.kind.schema}
    if option.name == "ignore":
        setting["propertyNames"] = {"pattern": f"^({'|'.join(_rule_words())})(:.+)?$"}
    if isinstance(option.default, str | bool | int | float) and option.default is not None:
        setting["default"] = option.default
    return setting


def _rule_words() -> list[str]:
    return [word for rule in RULES for word in (rule.code, rule.name)]
