"""docs/contracts.md as JSON schemas, to the letter: a key more or less is a change of the contract."""

from typing import Any

Schema = dict[str, Any]

CAUSES = (
    "not-elf",
    "truncated",
    "wrong-class",
    "wrong-cpu",
    "bad-elf",
    "executable",
    "musl",
    "missing-library",
    "symbol-version",
    "undefined-symbol",
    "node-abi",
    "electron-abi",
    "not-an-addon",
    "node-api-level",
    "static-tls",
    "relocations",
    "no-exec-bit",
    "missing-interpreter",
    "cpu-level",
)

TEXT: Schema = {"type": "string"}
NAME: Schema = {"type": "string", "minLength": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}
SHA256: Schema = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}


def maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def closed(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


BINARY = closed(
    path=NAME,
    package=maybe(NAME),
    version=maybe(NAME),
    sha256={"type": "string", "pattern": "^[0-9a-f]{64}$"},
    bytes=COUNT,
    format=NAME,
    machine=maybe(NAME),
    role={"enum": ["addon", "library", "executable", "unknown"]},
    selected={"type": "boolean"},
    outcome={"enum": ["loads", "dies-later", "fails", "unknown"]},
    cause={"enum": [*CAUSES, None]},
    registration=closed(kind={"enum": ["node-api", "v8", "none"]}, abi=maybe(COUNT), node_api=maybe(COUNT)),
)
FINDING = closed(
    code={"type": "string", "pattern": "^LP[0-4][0-9]{2}$"},
    name={"type": "string", "pattern": "^[a-z0-9-]+$"},
    severity={"enum": ["error", "warning", "note"]},
    path=TEXT,
    line=maybe({"type": "integer", "minimum": 1}),  # annotations need it
    package=maybe(NAME),
    message=NAME,
    why=NAME,
    fix=NAME,
    evidence={"type": "object"},
    ignored=maybe(NAME),
)
REPORT = closed(
    schema={"const": "lambdapack/report/1"},
    version=NAME,
    verdict={"enum": ["pass", "warn", "fail"]},
    target=closed(
        runtime=NAME,
        arch={"enum": ["x86_64", "arm64"]},
        node=maybe(NAME),
        abi=COUNT,
        node_api=COUNT,
        source={"enum": ["image", "shipped", "file"]},
        digest=maybe(SHA256),
    ),
    subject=closed(
        kind={"enum": ["directory", "zip", "layer", "function"]},
        path=NAME,
        archive=maybe(NAME),
        code_digest=maybe({"type": "string", "pattern": "^[A-Za-z0-9+/]{43}=$"}),
        content_digest=maybe(SHA256),
        zip_bytes=maybe(COUNT),
        unzipped_bytes=maybe(COUNT),
        layers={
            "type": "array",
            "items": closed(
                path=TEXT,
                code_digest=maybe({"type": "string", "pattern": "^[A-Za-z0-9+/]{43}=$"}),
                unzipped_bytes=COUNT,
            ),
        },
    ),
    binaries={"type": "array", "items": BINARY},
    findings={"type": "array", "items": FINDING},
)
FAILURE = closed(
    schema={"const": "lambdapack/failure/1"},
    code={"type": "string", "pattern": "^LP[0-4][0-9]{2}$"},
    name={"type": "string", "pattern": "^[a-z0-9-]+$"},  # as findings have it
    what=NAME,
    why=NAME,
    fix=NAME,
)
