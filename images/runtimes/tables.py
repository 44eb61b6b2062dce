"""The facts of runtimes as the three tables that lambdapack ships, checked against their JSON schema."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema

FACTS_PATH = Path(__file__).with_name("facts.toml")
SCHEMA_PATH = Path(__file__).with_name("tables.schema.json")

TABLE_WIDTH = 114
"""Columns of a line in the tables."""

LIFECYCLE_COLUMNS = ("generally_available", "deprecated", "block_create", "block_update")
BEHAVIOUR_COLUMNS = (
    "flags",
    "detects_module_syntax",
    "requires_es_modules",
    "import_searches_node_path",
    "imports_handler",
    "provided",
)

Table = Mapping[str, Any]


class FactsError(Exception):
    """The facts contradict each other, or a table that they make does not fit its schema."""


def read_facts(path: Path) -> Table:
    """Return the facts of a TOML file; FactsError when it is none."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise FactsError(str(error)) from error


def make_tables(facts: Table) -> Mapping[str, Table]:
    """Return the three tables by file name; FactsError for the first fact that is missing or contradicts another."""
    try:
        tables = {
            "runtimes.json": _make_runtimes_table(facts),
            "systems.json": _make_systems_table(facts),
            "node.json": _make_node_table(facts),
        }
    except KeyError as error:
        raise FactsError(f"there is no {error.args[0]}") from error
    schema = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    for name, table in tables.items():
        validator = jsonschema.Draft202012Validator({**schema, "$ref": f"#/$defs/{name.removesuffix('.json')}"})
        for problem in validator.iter_errors(table):
            place = "/".join(map(str, problem.absolute_path))
            raise FactsError(f"{name}: {place}: {problem.message}")
    for contradiction in _find_contradictions(tables):
        raise FactsError(contradiction)
    return tables


def _make_runtimes_table(facts: Table) -> Table:
    return {
        "schema": "lambdapack/runtimes-data/2",
        "read": facts["read"],
        "sources": facts["sources"]["runtimes"],
        "confidence": facts["confidence"],
        "runtimes": [_make_row(row, facts) for row in facts["runtimes"]],
    }


def _make_row(row: Table, facts: Table) -> Table:
    """Join a runtime's own facts with those of its Node.js line; a runtime without a Node.js has no behaviour."""
    node = row.get("node")
    line = facts["node"]["lines"].get(str(node), {})
    behaviour: dict[str, Any] = {}
    if node is not None:
        behaviour = {column: row[column] for column in BEHAVIOUR_COLUMNS}
        behaviour["node_path"] = [place.format(node=node) for place in facts["loader"]["node_path"]]
    return {
        "id": row["id"],
        "node_major": node,
        "os": row["os"],
        "architectures": row["architectures"],
        "abi": row.get("abi", line.get("abi")),
        "node_api": line.get("node_api", 0),
        **({"npm": line["npm"]} if "npm" in line else {}),
        **{column: _render_day(row.get(column)) for column in LIFECYCLE_COLUMNS},
        **({"status": row["status"]} if "status" in row else {}),
        **behaviour,
        "confidence": row["confidence"],
    }


def _render_day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _make_systems_table(facts: Table) -> Table:
    loader = facts["loader"]
    return {
        "schema": "lambdapack/systems-data/1",
        "read": facts["read"],
        "sources": facts["sources"]["systems"],
        "loader": {name: loader[name] for name in ("library_path", "default_path", "source")},
        "loaded": loader["loaded"],
        "interpreters": loader["interpreters"],
        "programs": facts["programs"],
        "systems": facts["systems"],
    }


def _make_node_table(facts: Table) -> Table:
    node = facts["node"]
    return {
        "schema": "lambdapack/node-data/1",
        "read": facts["read"],
        "sources": facts["sources"]["node"],
        "abi": {major: line["abi"] for major, line in node["lines"].items()},
        "electron": node["electron"],
        "node_api_introduced": node["introduced"],
        "node_api_symbols": node["symbols"],
        "node_api_missing": node["missing"],
        "uv_since": node["uv_since"],
    }


def _find_contradictions(tables: Mapping[str, Table]) -> Iterator[str]:
    """Yield what no schema can say: references between the tables, and orders."""
    rows = tables["runtimes.json"]["runtimes"]
    ids = [row["id"] for row in rows]
    yield from (f"{name} has two blocks" for name in sorted(set(ids)) if ids.count(name) > 1)
    systems = tables["systems.json"]["systems"]
    for row in rows:
        for architecture in row["architectures"]:
            if architecture not in systems.get(row["os"], {}):
                yield f"{row['id']} runs on {row['os']}, which has no table for {architecture}"
        if row["os"] not in tables["systems.json"]["programs"]["image_only"]:
            yield f"{row['id']} runs on {row['os']}, which has no list of programs"
        if row["node_major"] is not None and row["abi"] is None:
            yield f"{row['id']} has Node.js {row['node_major']}, of which no ABI number is known"
        if row["block_create"] and row["block_update"] and row["block_create"] > row["block_update"]:
            yield f"{row['id']}: updates are blocked before the creation of functions is"
    abis = list(tables["node.json"]["abi"].values())
    if len(set(abis)) < len(abis):
        yield "two lines of Node.js have one ABI number"


def render_table(table: Table) -> str:
    """Return a table as the text of its file."""
    return f"{_render_value(table, 0, 0)}\n"


def _render_value(value: object, indent: int, column: int) -> str:
    """Return JSON on one line where it fits after `column` characters, else a line for each member or row."""
    flat = json.dumps(value, ensure_ascii=False)
    rows = isinstance(value, list) and bool(value) and isinstance(value[0], dict)
    if not isinstance(value, dict | list) or (column + len(flat) < TABLE_WIDTH and not rows):
        return flat
    pad = " " * (indent + 2)
    if isinstance(value, dict):
        heads = {f"{pad}{json.dumps(name)}: ": member for name, member in value.items()}
        lines = [head + _render_value(member, indent + 2, len(head)) for head, member in heads.items()]
        return "\n".join(("{", ",\n".join(lines), " " * indent + "}"))
    if rows:
        lines = [pad + _render_value(row, indent + 2, len(pad)) for row in value]
        return "\n".join(("[", ",\n".join(lines), " " * indent + "]"))
    return "\n".join(("[", *_fill_lines([json.dumps(item) for item in value], pad), " " * indent + "]"))


def _fill_lines(items: list[str], pad: str) -> Iterator[str]:
    line = pad
    for item in [*(f"{item}," for item in items[:-1]), items[-1]]:
        if line != pad and len(line) + 1 + len(item) > TABLE_WIDTH:
            yield line
            line = pad
        line += item if line == pad else f" {item}"
    yield line
