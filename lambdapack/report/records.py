"""One record, or one page of the package book, for people and for programs."""

import json

from lambdapack import __version__
from lambdapack.book.book import BinaryDelivery, BinaryInterface, BookEntry, MaintenanceStatus, PackageRole
from lambdapack.errors.record import Failure
from lambdapack.model import Rule
from lambdapack.report.text import wrap_paragraph

RECORD_SCHEMA = "lambdapack/record/1"
PAGE_SCHEMA = "lambdapack/page/1"

DELIVERY_WORDS = {
    BinaryDelivery.IN_PACKAGE: "files for several systems lie in the package itself",
    BinaryDelivery.PLATFORM_PACKAGES: "a package of its own for each system, as an optional dependency",
    BinaryDelivery.DOWNLOAD: "an install script downloads it, or compiles it",
    BinaryDelivery.COMPILE: "an install script compiles it: python, make and a compiler are needed",
    BinaryDelivery.NONE: "it has none",
}
REGISTRATION_WORDS = {
    BinaryInterface.NODE_API: "to Node-API: one file for many Node.js versions",
    BinaryInterface.V8: "to one Node.js major: another one needs another file",
    BinaryInterface.PROGRAM: "to nothing: a program of its own",
    BinaryInterface.NONE: "to nothing",
}
STATUS_WORDS = {
    MaintenanceStatus.MAINTAINED: "maintained",
    MaintenanceStatus.DEPRECATED: "given up by its authors",
    MaintenanceStatus.DEAD: "nobody looks after it any more",
}
ROLE_WORDS = {
    PackageRole.LIBRARY: "",
    PackageRole.BUILD_TOOL: "a build tool: its work is done before the function is packed",
    PackageRole.OPTIONAL: "optional: what wants it works without it",
    PackageRole.ELSEWHERE: "serves something that Lambda does not have",
}


def render_record(found: Rule | Failure) -> str:
    """Return what a code stands for."""
    word = found.severity.value if isinstance(found, Rule) else f"exit {int(found.exit)}"
    lines = [
        wrap_paragraph("", f"{found.code} {found.name} ({word}): {found.title}"),
        wrap_paragraph("  = why: ", found.why),
        wrap_paragraph("  = fix: ", found.fix),
    ]
    return "\n".join(lines) + "\n"


def render_record_json(found: Rule | Failure) -> str:
    """Return the same as one object with a line end."""
    document = {
        "schema": RECORD_SCHEMA,
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


def render_book_page(found: BookEntry) -> str:
    """Return what the book has on a package."""
    until = f"{found.newest} installs and loads up to Node.js {found.last_node}" if found.last_node else ""
    rows = (
        ("what it is", ROLE_WORDS[found.role]),
        ("delivered", DELIVERY_WORDS[found.delivery]),
        ("bound", REGISTRATION_WORDS[found.interface]),
        ("needs", found.requirements),
        ("limit", until),
        ("instead", ", ".join(found.replacements)),
        ("no binary", ", ".join(found.javascript_replacements)),
        ("on Lambda", found.advice),
        ("build", "lambdapack build --arch all"),
        ("source", f"{found.source} ({found.read_on.isoformat()})"),
    )
    lines = [wrap_paragraph("", f"{found.name} {found.newest}: {STATUS_WORDS[found.status]}")]
    lines += [wrap_paragraph(f"  {name + ':':<11} ", text) for name, text in rows if text]
    return "\n".join(lines) + "\n"


def render_book_page_json(found: BookEntry) -> str:
    """Return the same as one object with a line end."""
    document = {
        "schema": PAGE_SCHEMA,
        "version": __version__,
        "package": found.name,
        "newest": found.newest,
        "delivery": found.delivery.value,
        "registration": found.interface.value,
        "status": found.status.value,
        "role": found.role.value,
        "needs": found.requirements or None,
        "instead": list(found.replacements),
        "javascript": list(found.javascript_replacements),
        "last_node": found.last_node,
        "advice": found.advice or None,
        "source": found.source,
        "read": found.read_on.isoformat(),
    }
    return json.dumps(document, indent=2) + "\n"
