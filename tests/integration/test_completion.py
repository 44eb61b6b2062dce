"""What the Tab key gives, asked as the shells' own scripts ask."""

import os
import subprocess
import sys

import pytest

PROGRAM = ["-c", "import sys; sys.argv[0] = 'lambdapack'; from lambdapack.__main__ import main; sys.exit(main())"]


def completed(line: str) -> list[str]:
    """Return what bash is offered for a command line whose last word is incomplete."""
    words = line.split(" ")
    asked = {"_LAMBDAPACK_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        [sys.executable, *PROGRAM], env={**os.environ, **asked}, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("lambdapack bu", ["build"]),
        ("lambdapack build --arch a", ["all", "arm64"]),
        ("lambdapack verify --arch a", ["arm64"]),
        ("lambdapack build --runtime nodejs2", ["nodejs20.x", "nodejs22.x", "nodejs24.x"]),
        ("lambdapack runtimes show nodejs22", ["nodejs22.x"]),
        ("lambdapack explain LP20", [f"LP20{digit}" for digit in range(1, 10)]),
        ("lambdapack explain better-", ["better-sqlite3"]),
        ("lambdapack schema repo", ["report"]),
        ("lambdapack build --fail-on w", ["warning"]),
        ("lambdapack build --format terra", ["terraform-external"]),
        ("lambdapack verify --format s", ["sarif"]),
    ],
)
def test_the_tab_key_completes_commands_and_values(line: str, offered: list[str]) -> None:
    found = completed(line)
    assert [each for each in offered if each not in found] == []
    assert all(each.startswith(line.rpartition(" ")[2]) for each in found)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(shell: str) -> None:
    done = subprocess.run(
        [sys.executable, *PROGRAM, "--show-completion", shell], capture_output=True, text=True, check=True
    )
    assert "_LAMBDAPACK_COMPLETE" in done.stdout
