"""One record, or one page of the package book, for people and for programs."""

import json

from lambdapack import __version__
from lambdapack.book.page import Delivery, Page, Registered, Role, Status
from lambdapack.errors import Failure
from lambdapack.model import Rule
from lambdapack.report.text import paragraph

RECORD = "lambdapack/record/1"
PAGE = "lambdapack/page/1"

DELIVERIES = {
    Delivery.IN_PACKAGE: "files for several systems lie in the package itself",
    Delivery.PLATFORM_PACKAGES: "a package of its own for each system, as an optional dependency",
    Delivery.DOWNLOAD: "an install script downloads it, or compiles it",
    Delivery.COMPILE: "an install script compiles it: python, make and a compiler are needed",
    Delivery.NONE: "it has none",
}
REGISTRATIONS = {
    Registered.NODE_API: "to Node-API: one file for many Node.js versions",
    Registered.V8: "to one Node.js major: another one needs another file",
    Registered.PROGRAM: "to nothing: a program of its own",
    Registered.NONE: "to nothing",
}
STATES = {
    Status.MAINTAINED: "maintained",
    Status.DEPRECATED: "given up by its authors",
    Status.DEAD: "nobody looks after it any more",
}
ROLES = {
    Role.LIBRARY: "",
    Role.BUILD_TOOL: "a build tool: its work is done before the function is packed",
    Role.OPTIONAL: "optional: what wants it works without it",
    Role.ELSEWHERE: "serves something that Lambda does not have",
}


def record(found: Rule | Failure) -> str:
    """Return what a code stands for."""
    word = found.severity.value if isinstance(found, Rule) else f"exit {int(found.exit)}"
    lines = [
        paragraph("", f"{found.code} {found.name} ({word}): {found.title}"),
        paragraph("  = why: ", found.why),
        paragraph("  = fix: ", found.fix),
    ]
    return "\n".join(lines) + "\n"


def record_document(found: Rule | Failure) -> str:
    """Return the same as one object with a line end."""
    document = {
        "schema": RECORD,
        "version": __version__,
        "code": found.code,
        "name": found.name,
        "title": found.title,
        "why": found.why,
        "fix": found.fix,
        "severity": found.severity.value if isinstance(found, Rule) else None,
        "exit": None if isinstance(found, Rule) else int(found.exit),
    }
    return json.dumps(document, indent=2) + "\n"


def page(found: Page) -> str:
    """Return what the book has on a package."""
    until = f"{found.newest} installs and loads up to Node.js {found.last_node}" if found.last_node else ""
    rows = (
        ("what it is", ROLES[found.role]),
        ("delivered", DELIVERIES[found.delivery]),
        ("bound", REGISTRATIONS[found.registered]),
        ("needs", found.needs),
        ("limit", until),
        ("instead", ", ".join(found.instead)),
        ("no binary", ", ".join(found.javascript)),
        ("on Lambda", found.advice),
        ("build", "lambdapack build --arch all"),
        ("source", f"{found.source} ({found.read.isoformat()})"),
    )
    lines = [paragraph("", f"{found.name} {found.newest}: {STATES[found.status]}")]
    lines += [paragraph(f"  {name + ':':<11} ", text) for name, text in rows if text]
    return "\n".join(lines) + "\n"


def page_document(found: Page) -> str:
    """Return the same as one object with a line end."""
    document = {
        "schema": PAGE,
        "version": __version__,
        "package": found.name,
        "newest": found.newest,
        "delivery": found.delivery.value,
        "registration": found.registered.value,
        "status": found.status.value,
        "role": found.role.value,
        "needs": found.needs or None,
        "instead": list(found.instead),
        "javascript": list(found.javascript),
        "last_node": found.last_node,
        "advice": found.advice or None,
        "source": found.source,
        "read": found.read.isoformat(),
    }
    return json.dumps(document, indent=2) + "\n"
