"""The closed list of causes, each with the code of the record that says more about it."""

from collections.abc import Mapping

from lambdapack.errors import FAILURES
from lambdapack.rules.registry import RULES

_RECORD_OF: Mapping[str, str] = {
    "not-elf": "not-elf",
    "truncated": "truncated",
    "wrong-class": "wrong-class",
    "wrong-cpu": "wrong-cpu",
    "bad-elf": "bad-elf",
    "executable": "executable",
    "musl": "musl",
    "missing-library": "missing-library",
    "symbol-version": "symbol-version",
    "undefined-symbol": "undefined-symbol",
    "node-abi": "node-abi",
    "electron-abi": "electron-abi",
    "not-an-addon": "not-an-addon",
    "node-api-level": "node-api-level",
    "static-tls": "static-tls",
    "relocations": "relocations",
    "no-exec-bit": "no-exec-bit",
    "missing-interpreter": "missing-interpreter",
    "cpu-level": "cpu-level",
    "platform-package-missing": "platform-package-missing",
    "prebuild-missing": "missing-addon",
    "scripts-skipped": "scripts-skipped",
    "toolchain-missing": "no-toolchain",
    "compile-error": "compile-failed",
    "emulator": "crashed",
    "missing-package": "dependency-missing",
    "handler": "handler-missing",
    "permissions": "not-readable",
    "too-big": "too-big",
    "lock-out-of-step": "lock-out-of-step",
    "api-conflict": "busy",
    "out-of-memory": "out-of-memory",
}

_CODES = {
    **{failure.name: failure.code for failure in FAILURES},
    **{rule.name: rule.code for rule in RULES},
}

CAUSES: Mapping[str, str] = {cause: _CODES[name] for cause, name in _RECORD_OF.items()}
"""Name of the cause to the code of its record; the schema lambdapack/diagnosis/1 knows these names and no others."""


def code_of(cause: str, record: str = "") -> str:
    """Return the code of the record about a cause; `record` names one that says more. KeyError for neither."""
    return _CODES[record] if record else CAUSES[cause]
