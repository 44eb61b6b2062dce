"""Each row of the table of messages is whole: found by itself, let through by the sieve, and cured."""

import pytest

from lambdapack.explain.causes import CAUSES
from lambdapack.explain.cures import Aim, cure
from lambdapack.explain.diagnose import diagnose
from lambdapack.explain.nouns import Sign, World
from lambdapack.explain.registry import SIGNS
from lambdapack.explain.sieve import found_in, searched
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


def test_the_cpu_in_the_name_of_a_file_is_not_the_one_that_it_met() -> None:
    text = "Error: /var/task/node_modules/x/prebuilds/linux-x64/x.node: "
    text += "cannot open shared object file: No such file or directory"
    found = diagnose(text, AIM)[0]
    assert (found.cause, found.fix[0]) == ("wrong-cpu", "lambdapack build --arch arm64")
    assert "--arch arm64" not in diagnose("node_modules/x/linux-x64/x.node: invalid ELF header", AIM)[0].fix[0]


def test_the_line_of_node_that_failed_does_not_speak_of_macos() -> None:
    text = (
        "  return process.dlopen(module, path.toNamespacedPath(filename));\n\n"
        "Error: libshiny.so.1: cannot open shared object file: No such file or directory"
    )
    assert diagnose(text, AIM)[0].fix[0] == "lambdapack verify ."


def test_both_ways_of_searching_see_every_known_message() -> None:
    for sign in SIGNS:
        noise = b"2026-11-20T10:00:00.000Z INFO item stored\n" * 3
        text = noise + sign.example.encode() + b"\n" + noise
        within = range(len(noise), len(text) - len(noise))
        assert set(found_in(text, 5)) & set(within), sign.example
        assert set(searched(text, 5)) & set(within), sign.example
        assert [each for each in (*found_in(text, 5), *searched(text, 5)) if each not in within] == []
