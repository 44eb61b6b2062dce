"""Renders the diagnoses of an error message as text and JSON."""

import json
import re
from collections.abc import Sequence
from typing import Any

from lambdapack import __version__
from lambdapack.explain.nouns import Diagnosis, Explanation
from lambdapack.report.text import OUTPUT_WIDTH, escape_controls, format_count, wrap_paragraph

DIAGNOSIS_SCHEMA = "lambdapack/diagnosis/1"

MAX_SHOWN_DIAGNOSES = 12
"""Diagnoses that people are shown; programs get all."""

COMMAND_WORD = re.compile(r"""(?:'[^']*'|"[^"]*"|[^ ])+""")
"""Of a command: what stands between quotes is one, blanks and all."""


def render_diagnosis(found: Explanation, like: Sequence[str] | None = None) -> str:
    """Return a paragraph for each diagnosis, best first; without one, what is nearest.

    `like`: names of the book that a single word may have meant; None when the text is no such word.
    """
    if not found.diagnoses:
        return _render_unknown(found, like)
    shown = found.diagnoses[:MAX_SHOWN_DIAGNOSES]
    books = [diagnosis.book for diagnosis in shown]
    parts = [
        _render_one_diagnosis(diagnosis, again=diagnosis.book in books[:index]) for index, diagnosis in enumerate(shown)
    ]
    more = len(found.diagnoses) - MAX_SHOWN_DIAGNOSES
    if more > 0:
        parts.append(f"{more} more, less likely; `--format json` has them all")
    if found.left_out:
        parts.append(f"{format_count(found.left_out, 'passage')} more of this log read differently again")
    return "\n\n".join(parts) + "\n"


def _render_one_diagnosis(each: Diagnosis, *, again: bool) -> str:
    lines = [wrap_paragraph("", f"{each.certainty.value}[{each.code}] {each.cause}: {each.record.title}")]
    if place := _render_location(each):
        lines.append(f"  --> {escape_controls(place)}")
    lines.append(wrap_paragraph("  | ", each.says))
    lines += [wrap_paragraph("  = text: ", text) for text in each.evidence[:3]]
    if each.count > 1:
        lines.append(f"  = seen: {each.count} times")
    if each.found:
        lines.append(wrap_paragraph("  = found: ", each.found))
    lines += [
        _render_command("  = fix: " if index == 0 else "  = or:  ", command) for index, command in enumerate(each.fix)
    ]
    if each.book and not again:
        lines.append(wrap_paragraph("  = book: ", each.book))
    lines.append(wrap_paragraph("  = prevent: ", each.prevent))
    return "\n".join(lines)


def _render_location(each: Diagnosis) -> str:
    if each.file and each.package and f"node_modules/{each.package}/" not in each.file:
        return f"{each.file} ({each.package})"
    return each.file or each.package or ""


def _render_command(lead: str, command: str) -> str:
    """A command can be copied as it stands: a long one goes on below a backslash, which is none between quotes."""
    lines, line = [], lead
    for word in COMMAND_WORD.findall(escape_controls(command)):
        if line.strip() != lead.strip() and len(line) + len(word) + 3 > OUTPUT_WIDTH:
            lines.append(f"{line} \\")
            line = " " * (len(lead) + 2) + word
        else:
            line = f"{line} {word}" if line != lead else f"{lead}{word}"
    return "\n".join([*lines, line])


def _render_unknown(found: Explanation, like: Sequence[str] | None) -> str:
    lines = [wrap_paragraph("", "no diagnosis: nothing about packaging was recognised")]
    if like is not None:
        near = f"; near: {', '.join(like)}" if like else ": it has those that bring native code"
        lines.append(wrap_paragraph("  = book: ", f"it has no such package{near}"))
    if found.nearest:
        lines.append(wrap_paragraph("  = nearest: ", found.nearest))
    lines.append(
        wrap_paragraph(
            "  = help: ",
            "Give the whole message with the lines around it: `lambdapack explain - < build.log`; "
            "`lambdapack verify TARGET` judges the package itself.",
        )
    )
    return "\n".join(lines) + "\n"


def render_diagnosis_json(found: Explanation) -> str:
    """Return one object with a line end."""
    document = {
        "schema": DIAGNOSIS_SCHEMA,
        "version": __version__,
        "diagnoses": [_diagnosis_document(diagnosis) for diagnosis in found.diagnoses],
        "nearest": found.nearest or None,
        "left_out": found.left_out,
    }
    return json.dumps(document, indent=2) + "\n"


def _diagnosis_document(each: Diagnosis) -> dict[str, Any]:
    return {
        "cause": each.cause,
        "code": each.code,
        "file": each.file,
        "package": each.package,
        "certainty": each.certainty.value,
        "says": each.says,
        "evidence": list(each.evidence),
        "found": each.found or None,
        "fix": list(each.fix),
        "book": each.book or None,
        "prevent": each.prevent,
        "count": each.count,
    }
