"""Renders one record, or one page of the package book, as text."""

from lambdapack.book.book import BinaryDelivery, BinaryInterface, BookEntry, MaintenanceStatus, PackageRole
from lambdapack.errors.record import Failure
from lambdapack.model import Rule
from lambdapack.report.text import wrap_paragraph

DELIVERY_WORDS = {
    BinaryDelivery.IN_PACKAGE: "the package contains files for several platforms",
    BinaryDelivery.PLATFORM_PACKAGES: "one optional dependency per platform",
    BinaryDelivery.DOWNLOAD: "an install script downloads or compiles it",
    BinaryDelivery.COMPILE: "an install script compiles it, with python, make and a compiler",
    BinaryDelivery.NONE: "none",
}
REGISTRATION_WORDS = {
    BinaryInterface.NODE_API: "to Node-API: one file for many Node.js versions",
    BinaryInterface.V8: "to one Node.js major: each major needs its own file",
    BinaryInterface.PROGRAM: "to nothing: a separate program",
    BinaryInterface.NONE: "to nothing",
}
STATUS_WORDS = {
    MaintenanceStatus.MAINTAINED: "maintained",
    MaintenanceStatus.DEPRECATED: "deprecated by its authors",
    MaintenanceStatus.DEAD: "unmaintained",
}
ROLE_WORDS = {
    PackageRole.LIBRARY: "",
    PackageRole.BUILD_TOOL: "a build tool: not needed at run time",
    PackageRole.OPTIONAL: "optional: its dependents work without it",
    PackageRole.ELSEWHERE: "not usable on Lambda",
}


def render_record(record: Rule | Failure) -> str:
    """Return what a code stands for."""
    word = record.severity.value if isinstance(record, Rule) else f"exit {int(record.exit)}"
    lines = [
        wrap_paragraph("", f"{record.code} {record.name} ({word}): {record.title}"),
        wrap_paragraph("  = why: ", record.why),
        wrap_paragraph("  = fix: ", record.fix),
    ]
    return "\n".join(lines) + "\n"


def render_book_page(entry: BookEntry) -> str:
    """Return what the book has on a package."""
    until = f"{entry.newest} installs and loads up to Node.js {entry.last_node}" if entry.last_node else ""
    rows = (
        ("what it is", ROLE_WORDS[entry.role]),
        ("delivered", DELIVERY_WORDS[entry.delivery]),
        ("bound", REGISTRATION_WORDS[entry.interface]),
        ("needs", entry.requirements),
        ("limit", until),
        ("instead", ", ".join(entry.replacements)),
        ("no binary", ", ".join(entry.javascript_replacements)),
        ("programs", ", ".join(entry.programs)),
        ("on Lambda", entry.advice),
        ("build", "lambdapack build --arch all"),
        ("source", f"{entry.source} ({entry.read_on.isoformat()})"),
    )
    lines = [wrap_paragraph("", f"{entry.name} {entry.newest}: {STATUS_WORDS[entry.status]}")]
    lines += [wrap_paragraph(f"  {name + ':':<11} ", text) for name, text in rows if text]
    return "\n".join(lines) + "\n"
