"""Holds parameters against botocore's model of the API: patterns, lengths, ranges and enumerations."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from lambdapack.deploy.nouns import ValueProblem

SETTING_NAMES: Mapping[str, str] = {
    "Description": "description",
    "Environment": "environment",
    "EphemeralStorage": "ephemeral-storage",
    "Handler": "handler",
    "Layers": "layers",
    "LoggingConfig": "log-format",
    "MemorySize": "memory-size",
    "Role": "role",
    "Runtime": "runtime",
    "Tags": "tags",
    "Timeout": "timeout",
    "TracingConfig": "tracing",
}
"""AWS's parameter to our setting."""

MAX_ENVIRONMENT_BYTES = 4096
"""Bytes of all variables, measured as compact JSON (AWS's message quotes "String measured: {...}", 2026-11-20)."""

MAX_LAYERS = 5
"""Layers of a function (Lambda quotas, read 2026-11-20)."""

RESERVED_VARIABLES = frozenset((
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR", "AWS_LAMBDA_MAX_CONCURRENCY", "AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_TOKEN",
))  # fmt: skip
"""Variables that AWS sets and does not take (developer guide, "Defined runtime environment variables", 2026-11-20)."""

MAX_TAGS = 50
"""Tags of a resource (AWS tagging user guide, read 2026-11-20)."""


def check_parameters(shape: Any, values: Mapping[str, Any]) -> Iterator[ValueProblem]:
    """Yield what AWS refuses of parameters; `shape` is the input of their operation."""
    for name, value in values.items():
        setting = SETTING_NAMES.get(name, name)
        for place, message in _check_value(shape.members[name], value):
            yield ValueProblem(setting, f"{place}{message}" if place else message)
    variables = (values.get("Environment") or {}).get("Variables") or {}
    yield from _check_variables(variables)
    yield from _check_layers(values.get("Layers") or ())
    yield from _check_tags(values.get("Tags") or {})


def _check_value(shape: Any, value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    limits = shape.metadata
    if shape.type_name == "structure":
        for name, member in value.items():
            if name in shape.members:
                yield from _check_value(shape.members[name], member, place)
    elif shape.type_name == "map":
        for key, member in value.items():
            yield from _check_value(shape.key, key, f"the name {key!r}: ")
            yield from _check_value(shape.value, member, f"{key}: ")
    elif shape.type_name == "list":
        yield from ((place, message) for message in _range_problems(len(value), limits, "entries"))
        for member in value:
            yield from _check_value(shape.member, member, place)
    elif shape.type_name == "string":
        yield from ((place, message) for message in _string_problems(shape, value))
    elif shape.type_name in {"integer", "long"}:
        yield from ((place, message) for message in _range_problems(value, limits, ""))


def _string_problems(shape: Any, value: str) -> Iterator[str]:
    limits = shape.metadata
    if shape.enum:
        if value not in shape.enum and len(shape.enum) <= MAX_LISTED_WORDS:
            yield f"{value} is not one of {', '.join(shape.enum)}"
        return
    yield from _range_problems(len(value), limits, "characters")
    pattern = limits.get("pattern")
    if pattern and not _matches(pattern, value):
        shown = "the value" if limits.get("sensitive") else repr(value)
        yield f"{shown} does not have the form that AWS takes: {pattern}"


UNICODE_CLASSES = {r"\p{L}": r"\w", r"\p{N}": r"\d", r"\p{Z}": r"\s"}
"""Java's classes of the model's patterns, and the classes of Python that hold every sign of theirs."""


def _matches(pattern: str, value: str) -> bool:
    """Tell whether AWS takes a value; a pattern that Python cannot read refuses nothing."""
    for java, python in UNICODE_CLASSES.items():
        pattern = pattern.replace(java, python)
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return True


MAX_LISTED_WORDS = 12
"""Words that an enumeration may have to be held against: longer ones, such as runtimes, grow between releases."""


def _range_problems(value: int, limits: Mapping[str, Any], unit: str) -> Iterator[str]:
    words = f" {unit}" if unit else ""
    least, most = limits.get("min"), limits.get("max")
    if least is not None and value < least:
        yield f"{value}{words} is too small: {least} is the least"
    if most is not None and value > most:
        yield f"{value}{words} is too large: {most} is the most"


def _check_variables(variables: Mapping[str, str]) -> Iterator[ValueProblem]:
    size = len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode()) if variables else 0
    if size > MAX_ENVIRONMENT_BYTES:
        message = f"the variables have {size} bytes together, {MAX_ENVIRONMENT_BYTES} is the most"
        fix = "Remove variables with `--remove-env NAME`, or keep large values in SSM Parameter Store."
        yield ValueProblem("environment", message, fix)
    for name in sorted(RESERVED_VARIABLES & set(variables)):
        fix = f"Choose another name for {name}."
        yield ValueProblem("environment", f"{name} is reserved: AWS sets this variable itself", fix)


def _check_layers(arns: tuple[str, ...] | list[str]) -> Iterator[ValueProblem]:
    if len(arns) > MAX_LAYERS:
        yield ValueProblem("layers", f"{len(arns)} layers, {MAX_LAYERS} is the most", "Merge layers, or remove one.")
    versions: dict[str, str] = {}
    for arn in arns:
        name, _colon, version = arn.rpartition(":")
        if name in versions:
            message = f"{name} is attached twice, in the versions {versions[name]} and {version}"
            yield ValueProblem("layers", message, "Name one version of each layer.")
        versions[name] = version


def _check_tags(tags: Mapping[str, str]) -> Iterator[ValueProblem]:
    if len(tags) > MAX_TAGS:
        yield ValueProblem("tags", f"{len(tags)} tags, {MAX_TAGS} is the most")
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or len(value) > 256:
            yield ValueProblem("tags", f"{key[:40]}: a key has 1 to 128 characters, a value at most 256")
        if key.lower().startswith("aws:"):
            yield ValueProblem("tags", f"{key}: names that begin with aws: are reserved", "Choose another name.")
