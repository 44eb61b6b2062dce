"""Every document that a comment or a docstring cites is in the repository, and so is the section."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

ROOMS = ("lambdapack", "images", "tests")
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")

PAGE = re.compile(r"(?<![\w./-])((?:[\w-]+/)*[\w-]+\.md)\b(?:#([\w-]+))?")
UNPUBLISHED = re.compile(r"\b[A-Z]{3,} section \d+|\bDESIGN\b")
"""A citation of a document by its title alone: nobody who reads the code can follow it."""
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([\w-]+))?\)")
HEADING = re.compile(r"#+ +(?P<text>.*?)(?: +\{ *#(?P<id>[\w-]+) *\})?")


@dataclass(frozen=True, slots=True)
class Citation:
    source: Path
    line: int
    page: str
    section: str | None

    def __str__(self) -> str:
        place = f"{self.source.relative_to(ROOT).as_posix()}:{self.line}"
        return f"{place} cites {self.page}" + (f"#{self.section}" if self.section else "")


def remarks(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the comments and docstrings of a source file, each with its line."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        lines = enumerate(text.splitlines(), 1)
        yield from ((number, line) for number, line in lines if line.lstrip().startswith("#"))
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


def cited_pages(path: Path) -> Iterator[Citation]:
    for line, remark in remarks(path):
        for match in PAGE.finditer(remark):
            yield Citation(path, line, match[1], match[2])


def linked_pages(path: Path) -> Iterator[Citation]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for match in LINK.finditer(line):
            yield Citation(path, number, match[1] or path.name, match[2])


def sections(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as mkdocs makes them."""
    anchors, fenced = set(), False
    for line in page.read_text(encoding="utf-8").splitlines():
        fenced ^= line.startswith("```")
        match = None if fenced else HEADING.fullmatch(line)
        if match:
            words = re.sub(r"[^\w\s-]", "", match["text"]).strip().lower()
            anchors.add(match["id"] or re.sub(r"[-\s]+", "-", words))
    return anchors


def problem(citation: Citation) -> str | None:
    """Return what is wrong with a citation; pages are named from the root, or from beside the file that cites them."""
    for directory in (ROOT, citation.source.parent):
        page = directory / citation.page
        if page.exists():
            known = citation.section is None or citation.section in sections(page)
            return None if known else f"{citation}, which has no such section"
    return f"{citation}, which is not in the repository"


SOURCES = [
    path
    for room in ROOMS
    for path in sorted((ROOT / room).rglob("*"))
    if (path.suffix in {".py", ".sh"} or path.name == "Dockerfile") and "node_modules" not in path.parts
]


def test_every_cited_page_and_section_exists() -> None:
    citations = [citation for source in SOURCES for citation in cited_pages(source)]
    assert any(citation.section for citation in citations)
    assert [fault for citation in citations if (fault := problem(citation))] == []


def test_no_document_is_cited_that_is_not_published() -> None:
    assert [
        f"{source.relative_to(ROOT).as_posix()}:{line} cites {match[0]}"
        for source in SOURCES
        if source != Path(__file__).resolve()
        for line, remark in remarks(source)
        for match in UNPUBLISHED.finditer(remark)
    ] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_of_a_document_leads_somewhere(name: str) -> None:
    assert [fault for citation in linked_pages(ROOT / name) if (fault := problem(citation))] == []


def test_a_citation_that_cannot_be_followed_is_reported() -> None:
    source = Path(__file__).resolve()
    place = "tests/house/test_citations.py:1 cites"
    assert problem(Citation(source, 1, "docs/lab.md", "3-emulators")) is None
    assert problem(Citation(source, 1, "docs/lab.md", "3")) == f"{place} docs/lab.md#3, which has no such section"
    assert problem(Citation(source, 1, "docs/no.md", None)) == f"{place} docs/no.md, which is not in the repository"
