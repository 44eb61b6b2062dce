"""Builds JSON Schema (draft 2020-12). Every object is closed and every field described."""

from collections.abc import Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]

JSON_SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"

SHA256_PATTERN = r"^sha256:[0-9a-f]{64}$"
CODE_DIGEST_PATTERN = r"^[A-Za-z0-9+/]{43}=$"
"""A base64 SHA-256, as Lambda's CodeSha256 is written."""


def document(schema: str, title: str, whole: Schema, *, several: bool = False) -> Schema:
    """Return the schema of a document that names itself in its field "schema"; `several`: or of an array of such."""
    name = schema.split("/")[1]
    head = {"$schema": JSON_SCHEMA_DIALECT, "$id": f"urn:{schema.replace('/', ':')}", "title": title}
    if not several:
        return {**head, **whole}
    one = {"$ref": f"#/$defs/{name}"}
    return {**head, "if": {"type": "array"}, "then": {"items": one}, "else": one, "$defs": {name: whole}}


def schema_object(schema: str, description: str, fields: Mapping[str, Schema]) -> Schema:
    """Return the schema of an object whose first field says which schema it follows."""
    says = {"const": schema, "description": "The name and number of this schema."}
    return record(description, {"schema": says, **fields})


def record(description: str, fields: Mapping[str, Schema], *, optional: Sequence[str] = ()) -> Schema:
    """Return the schema of an object with these fields and no others, all of them there but the optional ones."""
    return {
        "description": description,
        "type": "object",
        "properties": dict(fields),
        "required": [name for name in fields if name not in optional],
        "additionalProperties": False,
    }


def table(description: str, values: Schema, keys: Schema | None = None) -> Schema:
    """Return the schema of an object whose keys are data."""
    known = {"propertyNames": keys} if keys else {}
    return {"description": description, "type": "object", **known, "additionalProperties": values}


def array(description: str, items: Schema) -> Schema:
    """Return the schema of a list."""
    return {"description": description, "type": "array", "items": items}


def texts(description: str) -> Schema:
    """Return the schema of a list of texts."""
    return array(description, {"type": "string"})


def text(description: str, *, pattern: str = "", empty: bool = False) -> Schema:
    """Return the schema of a text, not empty unless it says so."""
    limits = {"pattern": pattern} if pattern else {} if empty else {"minLength": 1}
    return {"description": description, "type": "string", **limits}


def number(description: str, *, minimum: int = 0) -> Schema:
    """Return the schema of a whole number."""
    return {"description": description, "type": "integer", "minimum": minimum}


def flag(description: str) -> Schema:
    """Return the schema of true or false."""
    return {"description": description, "type": "boolean"}


def word(description: str, allowed: Sequence[str]) -> Schema:
    """Return the schema of one of some words."""
    return {"description": description, "type": "string", "enum": list(allowed)}


def or_null(schema: Schema) -> Schema:
    """Return the schema of a value or null."""
    values = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [schema["type"], "null"], **values}
