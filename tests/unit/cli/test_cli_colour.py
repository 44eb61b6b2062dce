"""Colours are for people at a terminal, and for whoever asks; the text is the same without them."""

import io
import re

import pytest

from lambdapack.cli.output.console import colour_lines, uses_colour
from lambdapack.report import human
from tests.unit.report.samples import FAILING


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environ", "wanted"),
    [
        (Terminal(), {}, True),
        (io.StringIO(), {}, False),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (io.StringIO(), {"FORCE_COLOR": "1"}, True),
        (io.StringIO(), {"FORCE_COLOR": "0"}, False),
        (io.StringIO(), {"CLICOLOR_FORCE": "1"}, True),
        (Terminal(), {"CLICOLOR": "0"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {"FORCE_COLOR": "1", "TERM": "dumb"}, True),
    ],
)
def test_who_gets_colours(stream: io.StringIO, environ: dict[str, str], wanted: bool) -> None:
    assert uses_colour(stream, environ) is wanted


def test_the_text_is_the_same_without_them() -> None:
    text = human.render_human(FAILING)
    coloured = colour_lines(text)
    assert coloured != text
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == text


def test_severities_and_verdicts_have_their_colours() -> None:
    assert colour_lines("error[LP201] wrong-cpu: x\n") == "\x1b[1;31merror[LP201]\x1b[0m wrong-cpu: x\n"
    assert colour_lines("pass: nodejs22.x/arm64\n") == "\x1b[1;32mpass\x1b[0m: nodejs22.x/arm64\n"
    assert colour_lines('{"verdict": "pass"}\n') == '{"verdict": "pass"}\n'
