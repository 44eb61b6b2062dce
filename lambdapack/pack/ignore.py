"""Which paths of a project do not ship, and why. Knows names only."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lambdapack.errors import BAD_CONFIG, LambdapackError
from lambdapack.pack.atomic import TEMPORARY
from lambdapack.pack.manifest import SUFFIX

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE: Final = ".lambdapackignore"

HOST_MODULES: Final = "dependencies are installed in the runtime's image, never taken from this host"
VERSION_CONTROL: Final = "version control"
TOOL_OUTPUT: Final = "output of a tool"
LITTER: Final = "litter of an operating system"
SECRET: Final = "may hold secrets"  # noqa: S105  # a reason
OWN: Final = "lambdapack's own"

NEVER: Final = {
    "node_modules": HOST_MODULES,
    **dict.fromkeys((".git", ".hg", ".svn", ".bzr", ".jj", "_darcs", "CVS"), VERSION_CONTROL),
    IGNORE_FILE: OWN,
}
"""Names, at any depth, that no `!pattern` brings back."""

BUILT_IN: Final = {
    TOOL_OUTPUT: (".lambdapack/", ".aws-sam/", ".serverless/", "cdk.out/", ".terraform/", "/coverage/", ".venv/"),
    LITTER: (".DS_Store", "._*"),
    SECRET: (".env*", ".npmrc", ".yarnrc.yml", ".netrc", "*.tfstate*", "*.tfvars", "samconfig.toml"),
    OWN: (f"*{SUFFIX}", f"*{TEMPORARY}"),
}
"""gitignore patterns by reason. Only a coverage/ at the root is a report: deeper, it may be code."""


class Ignore:
    """The built-in exclusions and a project's .lambdapackignore, the later line having the last word."""

    def __init__(self, lines: Sequence[str] = (), *, name: str = IGNORE_FILE) -> None:
        """Take the lines of an ignore file; LP006 for a pattern that git would not take either."""
        own = [(pattern, reason) for reason, patterns in BUILT_IN.items() for pattern in patterns]
        numbered = [(line, number) for number, line in enumerate(lines, start=1) if line.strip()]
        self._reasons = [reason for _pattern, reason in own]
        self._reasons += [f"{IGNORE_FILE} line {number}" for _line, number in numbered]
        places = [(line, f"{name}:{number}") for line, number in numbered]
        self._spec = compiled([*((pattern, "built-in") for pattern, _reason in own), *places])

    def reason(self, path: str, *, is_directory: bool) -> str | None:
        """Return why a path does not ship, None when it does. Whoever asks does not descend into what does not."""
        never = NEVER.get(path.rpartition("/")[2])
        if never is not None:
            return never
        found = self._spec.check_file(f"{path}/" if is_directory else path)
        return self._reasons[found.index] if found.include and found.index is not None else None


def load_ignore(directory: Path) -> Ignore:
    """Return the exclusions of a project; LP006 when its .lambdapackignore cannot be read."""
    path = directory / IGNORE_FILE
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return Ignore()
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise LambdapackError(BAD_CONFIG, f"{path}: {cause}") from error
    return Ignore(text.splitlines(), name=str(path))


def compiled(patterns: Sequence[tuple[str, str]]) -> "GitIgnoreSpec":
    """Return gitignore patterns ready to match, each given with its place, which LP006 names when it is a bad one."""
    from pathspec import GitIgnoreSpec  # noqa: PLC0415  # only when a project is packed

    for pattern, place in patterns:
        try:
            GitIgnoreSpec.from_lines([pattern])
        except ValueError as error:
            raise LambdapackError(BAD_CONFIG, f"{place}: {pattern!r} is not a gitignore pattern") from error
    return GitIgnoreSpec.from_lines([pattern for pattern, _place in patterns])
