"""Lists every text that the program can print, in one list to read aloud: `make strings`.

A text is a literal of three words or more that is no docstring, regular expression or pattern; what is filled in shows
as `{...}`. Docstrings of commands count: they are the command's help.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

CODE = Path(__file__).resolve().parents[2] / "lambdapack"

COMMANDS = CODE / "cli" / "command"

WORDS = re.compile(r"(?:[A-Za-z`'{}.,:()-]+ ){2,}[A-Za-z`'{}.,:()-]+")
PATTERN = re.compile(r"\\[bdswS(\[.]|\(\?|\[\^|\.\*|\]\+")
"""What only a regular expression has."""


def text_of(node: ast.expr) -> str | None:
    """Return a literal's text, with `{...}` where an f-string is filled in; None of anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{...}" for part in node.values)
    return None


def _docstrings(tree: ast.Module) -> set[int]:
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def _literals(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield the whole literals: the parts of an f-string are not literals of their own."""
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in parts:
            yield node


def printed_texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of what a module can print."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = _docstrings(tree)
    found = {}
    for literal in _literals(tree):
        text = text_of(literal)
        if text and id(literal) not in skipped and WORDS.search(text) and not PATTERN.search(text):
            found[literal.lineno, literal.col_offset] = " ".join(text.split())
    if path.parent == COMMANDS:
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.FunctionDef)
                and not node.name.startswith("_")
                and (text := ast.get_docstring(node))
            ):
                found[node.lineno, 0] = " ".join(text.split())
    for (line, _column), text in sorted(found.items()):
        yield line, text


def main() -> None:
    """Print all texts, module by module."""
    for path in sorted(CODE.rglob("*.py")):
        texts = list(printed_texts(path))
        if texts:
            print(f"\n{path.relative_to(CODE.parent).as_posix()}")
        for line, text in texts:
            print(f"{line:5}  {text}")


if __name__ == "__main__":
    main()
