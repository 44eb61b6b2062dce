"""Renders the diagnoses of an error message as text."""

import re
from collections.abc import Sequence

from lambdapack.explain.nouns import Diagnosis, Explanation
from lambdapack.report.text import OUTPUT_WIDTH, escape_controls, format_count, wrap_paragraph

MAX_SHOWN_DIAGNOSES = 12
"""Diagnoses that people are shown; programs get all."""

COMMAND_WORD = re.compile(r"""(?:'[^']*'|"[^"]*"|[^ ])+""")
"""Of a command: what stands between quotes is one, blanks and all."""


def render_diagnosis(explanation: Explanation, like: Sequence[str] | None = None, name: str = "") -> str:
    """Return a paragraph for each diagnosis, best first; without one, what is nearest.

    `like`: names of the book that are near `name`, the single word that the text is; None when it is no such word.
    """
    if not explanation.diagnoses:
        return _render_unknown(explanation, like, name)
    shown = explanation.diagnoses[:MAX_SHOWN_DIAGNOSES]
    books = [diagnosis.book for diagnosis in shown]
    parts = [
        _render_one_diagnosis(diagnosis, again=diagnosis.book in books[:index]) for index, diagnosis in enumerate(shown)
    ]
    more = len(explanation.diagnoses) - MAX_SHOWN_DIAGNOSES
    if more > 0:
        parts.append(f"{more} less likely ones; `--format json` lists all")
    if explanation.left_out:
        parts.append(f"{format_count(explanation.left_out, 'passage')} of this log not read")
    return "\n\n".join(parts) + "\n"


def _render_one_diagnosis(diagnosis: Diagnosis, *, again: bool) -> str:
    heading = f"{diagnosis.certainty.value}[{diagnosis.code}] {diagnosis.cause}: {diagnosis.record.title}"
    lines = [wrap_paragraph("", heading)]
    if place := _render_location(diagnosis):
        lines.append(f"  --> {escape_controls(place)}")
    lines.append(wrap_paragraph("  | ", diagnosis.says))
    lines += [wrap_paragraph("  = text: ", text) for text in diagnosis.evidence[:3]]
    if diagnosis.count > 1:
        lines.append(f"  = seen: {diagnosis.count} times")
    if diagnosis.found:
        lines.append(wrap_paragraph("  = found: ", diagnosis.found))
    lines += [
        _render_command("  = fix: " if index == 0 else "  = or:  ", command)
        for index, command in enumerate(diagnosis.fix)
    ]
    if diagnosis.book and not again:
        lines.append(wrap_paragraph("  = book: ", diagnosis.book))
    lines.append(wrap_paragraph("  = prevent: ", diagnosis.prevent))
    return "\n".join(lines)


def _render_location(diagnosis: Diagnosis) -> str:
    if diagnosis.file and diagnosis.package and f"node_modules/{diagnosis.package}/" not in diagnosis.file:
        return f"{diagnosis.file} ({diagnosis.package})"
    return diagnosis.file or diagnosis.package or ""


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


def _render_unknown(explanation: Explanation, like: Sequence[str] | None, name: str) -> str:
    lines = [wrap_paragraph("", "no diagnosis: the text has no known packaging error")]
    if like is not None:
        near = f"; similar: {', '.join(like)}" if like else ": the package book covers packages with native code"
        lines.append(wrap_paragraph("  = book: ", f"no entry for {name}{near}"))
    if explanation.nearest:
        lines.append(wrap_paragraph("  = nearest: ", explanation.nearest))
    read = "; ".join(explanation.facts) or "nothing that names a program, a file or a place"
    lines.append(wrap_paragraph("  = read: ", escape_controls(read)))
    if explanation.question:
        lines.append(wrap_paragraph("  = question: ", explanation.question))
    lines.append(
        wrap_paragraph(
            "  = help: ",
            "Pass the whole message with the lines around it: `lambdapack explain - < build.log`; "
            "`lambdapack verify TARGET` checks the package itself.",
        )
    )
    return "\n".join(lines) + "\n"
