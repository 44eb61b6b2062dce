"""Each row of the table of messages is whole: found by itself, let through by the sieve, and cured."""

import pytest

from lambdapack.explain.causes import CAUSES
from lambdapack.explain.cures import Aim, cure
from lambdapack.explain.diagnose import diagnose
from lambdapack.explain.nouns import Sign, World
from lambdapack.explain.registry import SIGNS
from lambdapack.explain.sieve import found_in
from lambdapack.explain.text import undressed

AIM = Aim("nodejs22.x")


@pytest.mark.parametrize("sign", SIGNS, ids=lambda sign: sign.example[:60])
def test_a_sign_finds_its_own_example(sign: Sign) -> None:
    assert sign.pattern.search(undressed(sign.example))
    assert diagnose(undressed(sign.example), AIM)


@pytest.mark.parametrize("sign", SIGNS, ids=lambda sign: sign.example[:60])
def test_the_sieve_lets_every_known_message_through(sign: Sign) -> None:
    assert found_in(sign.example.encode())


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_has_a_command_and_a_habit_even_when_nothing_else_is_known(cause: str) -> None:
    found = cure(cause, {}, World(), AIM, None)
    assert found.fix
    assert found.prevent.endswith(".")


def test_a_command_names_the_runtime_that_the_text_asked_for() -> None:
    text = (
        "was compiled against a different Node.js version using NODE_MODULE_VERSION 115. "
        "This version of Node.js requires NODE_MODULE_VERSION 137."
    )
    assert diagnose(text, AIM)[0].fix[0].startswith("lambdapack build --runtime nodejs24.x")


def test_a_command_names_the_cpu_that_the_text_names() -> None:
    text = 'Could not load the "sharp" module using the linux-arm64 runtime'
    assert "npm ci --os=linux --cpu=arm64 --libc=glibc" in diagnose(text, AIM)[0].fix
