"""Draws docs/terminal.svg, README's picture, from real runs: `make recording` (it needs the lab's engine and images).

Every line is what the commands printed, colours included; only the prompt is ours.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "docs" / "terminal.svg"

FUNCTION = "sqlite"
"""The example that is filmed: an addon with a Node-API version that an older runtime lacks."""

COMMANDS = (
    ("build", "--runtime", "nodejs22.x"),
    ("verify", ".lambdapack/sqlite-nodejs22.x-x86_64.zip", "--runtime", "nodejs20.x"),
)

COLOURS = {"31": "#f47067", "32": "#57ab5a", "33": "#c69026", "36": "#39c5cf", "2": "#768390"}
"""GitHub's dark palette, by SGR number."""

BACKGROUND, TEXT, PROMPT = "#22272e", "#adbac7", "#768390"
LINE_HEIGHT, CHARACTER_WIDTH, MARGIN, COLUMNS = 18, 8.4, 16, 84

SGR = re.compile(r"\x1b\[([\d;]*)m")


def record() -> list[str]:
    """Return the lines of a session, each with its colours."""
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch) / FUNCTION
        ignored = shutil.ignore_patterns(".lambdapack", "node_modules")
        shutil.copytree(ROOT / "examples" / FUNCTION, project, ignore=ignored)
        return [line for words in COMMANDS for line in _run(project, words)]


def _run(project: Path, words: tuple[str, ...]) -> Iterator[str]:
    command = [sys.executable, "-m", "lambdapack", *words]
    environment = {**os.environ, "FORCE_COLOR": "1"}
    done = subprocess.run(
        command, cwd=project, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    yield f"\x1b[2m$\x1b[0m lambdapack {' '.join(words)}"
    yield from done.stdout.splitlines()
    yield ""


def draw(lines: list[str]) -> str:
    """Return the lines as an SVG picture."""
    width, height = round(COLUMNS * CHARACTER_WIDTH + 2 * MARGIN), len(lines) * LINE_HEIGHT + 2 * MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'role="img" aria-label="lambdapack builds a function, then refuses it for an older runtime">\n'
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>\n'
        f'<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14" fill="{TEXT}">\n'
    )
    body = "".join(
        f'<text x="{MARGIN}" y="{MARGIN + LINE_HEIGHT * (number + 1) - 5}">{_spans(line)}</text>\n'
        for number, line in enumerate(lines)
    )
    return f"{head}{body}</g>\n</svg>\n"


def _spans(line: str) -> str:
    parts = SGR.split(line.replace(" ", "\u00a0"))  # text, then numbers and text in turn; SVG would join blanks
    spans = [escape(parts[0])]
    for numbers, text in zip(parts[1::2], parts[2::2], strict=True):
        colour = next((COLOURS[number] for number in numbers.split(";") if number in COLOURS), "")
        weight = ' font-weight="bold"' if "1" in numbers.split(";") else ""
        fill = f' fill="{colour}"' if colour else ""
        spans.append(f"<tspan{fill}{weight}>{escape(text)}</tspan>" if fill or weight else escape(text))
    return "".join(spans)


def main() -> None:
    """Record and draw."""
    OUTPUT.write_text(draw(record()), encoding="utf-8")


if __name__ == "__main__":
    main()
