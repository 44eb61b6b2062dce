"""The documentation builds strictly, says everything that the records say, and needs no network to be read."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

import pytest

from lambdapack.book.book import read_book
from lambdapack.errors.registry import FAILURES
from lambdapack.recipes.recipes import RECIPES
from lambdapack.rules.registry import RULES
from lambdapack.runtimes.runtime import runtime_ids

CONFIG = Path(__file__).resolve().parents[2] / ".mkdocs.yml"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--quiet",
        "--config-file",
        str(CONFIG),
        "--site-dir",
        str(directory),
    ]
    quiet = {"NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    done = subprocess.run(command, env={**os.environ, **quiet}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return directory


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("page", "ids"),
    [
        ("codes.html", [*(each.code.lower() for each in RULES), *(each.code.lower() for each in FAILURES)]),
        ("commands.html", ["lambdapack-build", "lambdapack-init", "lambdapack-runtimes-measure"]),
    ],
)
def test_every_record_has_a_place_to_link_to(site: Path, page: str, ids: Sequence[str]) -> None:
    found = set(re.findall(r' id="([^"]+)"', text_of(site / page)))
    assert [each for each in ids if each not in found] == []


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("runtimes.html", runtime_ids()),
        ("packages.html", sorted(read_book())),
        ("recipes.html", [f"lambdapack init --{each}" for each in RECIPES]),
        ("errors.html", ["invalid ELF header", "NODE_MODULE_VERSION", "cannot open shared object file"]),
    ],
)
def test_a_page_says_all_that_there_is(site: Path, page: str, said: Sequence[str]) -> None:
    text = text_of(site / page)
    assert said
    assert [each for each in said if each not in text] == []


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert site / "index.html" in pages
    for page in pages:
        assert re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?://[^"]+)"', text_of(page)) == [], page.name


def test_every_link_between_pages_leads_somewhere(site: Path) -> None:
    """Mkdocs checks what is written as a Markdown link; this is what a reader's browser follows."""
    pages = {page: text_of(page) for page in site.rglob("*.html") if page.name != "404.html"}
    anchors = {page: {unquote(name) for name in re.findall(r' id="?([^"\s>]+)', text)} for page, text in pages.items()}
    broken = []
    for page, text in pages.items():
        for link in re.findall(r'<a [^>]*href="?([^"\s>]+)', text):
            path, _, anchor = unquote(link).partition("#")
            if re.match(r"[a-z]+:", path):
                continue
            target = (page.parent / path).resolve() if path not in {"", "."} else page
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file() or (anchor and target in anchors and anchor not in anchors[target]):
                broken.append(f"{page.relative_to(site)}: {link}")
    assert len(pages) > 40
    assert broken == []


def test_a_page_is_titled_with_each_message_that_people_search_for(site: Path) -> None:
    pages = list((site / "errors").glob("*.html"))
    assert len(pages) == 10
    for page in pages:
        text = text_of(page)
        assert "<h1" in text
        assert "lambdapack verify ." in re.sub(r"<[^>]+>", "", text), page.name
        assert re.search(r'href="?\.\./codes\.html#lp\d{3}', text), page.name


def test_the_package_book_is_one_table(site: Path) -> None:
    assert text_of(site / "packages.html").count("<table") == 1
