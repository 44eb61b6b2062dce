"""Logs of words and messages without end."""

import io
import time

import pytest

from lambdapack.explain.log import explain_text
from lambdapack.explain.words import ExplainTarget

TEXTS = {
    "digits": "requires\nNODE_MODULE_VERSION "
    + "9" * 5000
    + ". This version of Node.js requires NODE_MODULE_VERSION 1",
    "word": "Error: version `GLIBC_2.38' not found (re" + "E404" * 6000,
    "events": '2026-11-01T00:00:00.000Z\tundefined\tERROR\t{"errorMessage": "' + "E404" * 6000,
    "messages": "was compiled against a different Node.js version using\nNODE_MODULE_VERSION 108. " * 3000,
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_word_without_end_is_read_in_time(name: str) -> None:
    begun = time.process_time()
    explain_text(io.BytesIO(TEXTS[name].encode()), ExplainTarget("nodejs22.x"))
    assert time.process_time() - begun < 5.0
