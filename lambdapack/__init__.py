"""Build, verify and deploy Node.js packages with native addons for AWS Lambda.

`lambdapack.verify`, `lambdapack.build` and `lambdapack.explain` are the Python API; docs/api.md describes it. They are
imported when they are first used, so that `lambdapack --version` loads nothing.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing takes longer than `--version` does
    from lambdapack.api import build, explain, verify
    from lambdapack.errors.record import LambdapackError
    from lambdapack.events import Observer
    from lambdapack.explain.nouns import Diagnosis, Explanation
    from lambdapack.model import Architecture, Finding, Severity, Target
    from lambdapack.pipeline.package.request import BuiltPackage
    from lambdapack.rules.model.report import Report, Verdict

__all__ = [
    "Architecture",
    "BuiltPackage",
    "Diagnosis",
    "Explanation",
    "Finding",
    "LambdapackError",
    "Observer",
    "Report",
    "Severity",
    "Target",
    "Verdict",
    "__version__",
    "build",
    "explain",
    "verify",
]

_HOMES = {
    "Architecture": "model",
    "BuiltPackage": "pipeline.package.request",
    "Diagnosis": "explain.nouns",
    "Explanation": "explain.nouns",
    "Finding": "model",
    "LambdapackError": "errors.record",
    "Observer": "events",
    "Report": "rules.model.report",
    "Severity": "model",
    "Target": "model",
    "Verdict": "rules.model.report",
    "build": "api",
    "verify": "api",
}
"""The module of each public name. `explain` has the name of a room, which is callable for that: explain/__init__.py."""


def __getattr__(name: str) -> object:
    """Import a public name when it is first used (PEP 562)."""
    from importlib import import_module  # noqa: PLC0415  # `--version` needs none of it

    if name == "explain":
        return import_module("lambdapack.explain")
    if name not in _HOMES:
        raise AttributeError(f"module 'lambdapack' has no attribute {name!r}")
    return getattr(import_module(f"lambdapack.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
