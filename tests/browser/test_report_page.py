"""The page of an inspection in a real browser: what it shows, how it is walked, and that no name can break it."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lambdapack.inspection.inspect import sum_by_category
from lambdapack.inspection.model import (
    DependentStep,
    DuplicateFiles,
    FileCategory,
    FileTotals,
    InspectedBinary,
    InspectedFile,
    Inspection,
    PackageWeight,
    PrunableFile,
)
from lambdapack.report import html
from lambdapack.report.text import format_size
from tests import chromium
from tests.chromium import Tab
from tests.unit.report.samples import FAILING

MIB = 1024 * 1024
LARGEST_PAGE = 2 * 1000 * 1000

HOSTILE = (
    "</script><script>document.title='broken'</script>",
    "<!--<script>",
    "\"'`&amp;<img src=x onerror=alert(1)>",
    "\u05e9\u05dc\u05d5\u05dd \u202egnp.exe",
    "line\nbreak\u2028\x1b[2J",
    "not text \udcff",
    "__DATA__ __POLICY__ ${1+1}",
)


def package(
    name: str, sizes: list[int], chain: tuple[str, ...] = (), sort: FileCategory = FileCategory.JS
) -> PackageWeight:
    path = f"node_modules/{name}"
    files = tuple(
        InspectedFile(f"{path}/lib/{at}.js", size, sort) for at, size in enumerate(sorted(sizes, reverse=True))
    )
    return PackageWeight(path, name, "1.0.0", files, tuple(DependentStep(each, "1.0.0") for each in (*chain, name)))


def inspection(*packages: PackageWeight, **changes: Any) -> Inspection:
    every = tuple(sorted(packages, key=lambda each: -each.size))
    found = Inspection(FAILING, sum_by_category(every), every, natives(every[0]))
    return replace(found, **changes)


def natives(owner: PackageWeight) -> tuple[InspectedBinary, ...]:
    return tuple(InspectedBinary(each, None, owner) for each in FAILING.judgements)


ORDINARY = inspection(
    package("image", [40 * MIB, 9 * MIB, *range(1, 400)], ("web", "picture"), FileCategory.NATIVE),
    package("words", [3 * MIB, 2 * MIB, 700]),
    *(package(f"small-{at:03}", [1000 + at]) for at in range(300)),
    spares=(PrunableFile("node_modules/image/lib/1.js", 9 * MIB, "other-system"),),
    same_bytes=(DuplicateFiles("ab" * 32, 700, ("node_modules/words/lib/2.js", "node_modules/image/lib/9.js")),),
)


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with chromium.tab(tmp_path_factory.mktemp("browser")) as made:
        yield made


def written(found: Inspection, directory: Path) -> Path:
    file = directory / "page.html"
    file.write_text(html.render_html(found), encoding="utf-8")
    return file


@pytest.fixture
def opened(tab: Tab, tmp_path: Path) -> Tab:
    tab.open(written(ORDINARY, tmp_path))
    return tab


def column(tab: Tab, table: str, number: int) -> list[str]:
    cells = f"[...document.querySelectorAll('#{table}-rows tr')].map(row => row.cells[{number}].textContent)"
    found: list[str] = tab.run(cells)
    return found


def focused(tab: Tab) -> str:
    found: str = tab.run("document.activeElement.getAttribute('aria-label') || document.activeElement.tagName")
    return found


def test_it_shows_what_there_is_and_fetches_nothing(opened: Tab) -> None:
    assert opened.troubles == []
    text = opened.run("document.body.innerText")
    whole = format_size(ORDINARY.whole.size)
    for said in ("fail", whole, "40.0 MB", "LP201", "a binary is for another CPU", "Pruning saves"):
        assert said.lower() in text.lower()
    assert column(opened, "packages", 0)[0].startswith("image 1.0.0")
    assert column(opened, "packages", 5)[0] == "web \u203a picture"
    assert len(column(opened, "natives", 0)) == len(FAILING.judgements)


def test_the_boxes_have_the_areas_of_their_bytes(opened: Tab) -> None:
    rows: list[list[Any]] = opened.run(
        "[...document.querySelectorAll('[role=tree] > [role=treeitem]')]"
        ".map(each => [each.getAttribute('aria-label'), each.offsetWidth * each.offsetHeight])"
    )
    whole = opened.run("(map => map.offsetWidth * map.offsetHeight)(document.querySelector('[role=tree]'))")
    shares = {label.split(",")[0]: area / whole for label, area in rows}
    assert sum(shares.values()) == pytest.approx(1, abs=0.02)
    assert shares["image 1.0.0"] == pytest.approx(ORDINARY.packages[0].size / ORDINARY.whole.size, abs=0.01)


def test_no_box_is_beyond_the_map_or_over_another(opened: Tab) -> None:
    boxes: list[list[float]] = opened.run(
        "[...document.querySelectorAll('[role=tree] > [role=treeitem]')]"
        ".map(each => [each.offsetLeft, each.offsetTop, each.offsetWidth, each.offsetHeight])"
    )
    width, height = opened.run("(m => [m.clientWidth, m.clientHeight])(document.querySelector('[role=tree]'))")
    assert all(x >= -1 and y >= -1 and x + w <= width + 2 and y + h <= height + 2 for x, y, w, h in boxes)
    area = sum(w * h for _x, _y, w, h in boxes)
    assert area == pytest.approx(width * height, rel=0.02)


def test_the_map_is_a_tree_that_keys_walk(opened: Tab) -> None:
    opened.run("document.querySelector('[role=tree] [tabindex=\"0\"]').focus()")
    assert focused(opened).startswith("image 1.0.0, 49")
    opened.press("ArrowRight")
    assert focused(opened).startswith("node_modules/image/lib/0.js, 40.0 MB")
    opened.press("ArrowDown")
    assert "pruning leaves it out" in focused(opened)
    opened.press("ArrowLeft")
    assert focused(opened).startswith("image 1.0.0")
    opened.press("Enter")
    assert focused(opened).startswith("node_modules/image/lib/0.js")
    assert opened.run("document.querySelector('[role=tree] + p').textContent").startswith("node_modules/image/lib/0.js")
    opened.press("Escape")
    assert focused(opened).startswith("image 1.0.0")
    opened.press("End")
    opened.press("Home")
    assert focused(opened).startswith("image 1.0.0")
    assert opened.run("document.querySelectorAll('[role=tree] [tabindex=\"0\"]').length") == 1


def test_what_is_too_small_to_see_opens_as_one(opened: Tab) -> None:
    rest = "[...document.querySelectorAll('[role=treeitem]')].find(each => /smaller packages/.test(each.ariaLabel))"
    opened.run(f"{rest}.click()")
    inside = opened.run("document.querySelectorAll('[role=tree] > [role=treeitem]').length")
    assert inside > 100
    opened.run("document.querySelector('button.quiet').click()")
    assert opened.run(f"Boolean({rest})") is True


def test_a_screen_reader_gets_the_tree_and_the_sorted_column(opened: Tab) -> None:
    nodes = opened.tree()
    assert any(each["role"] == "tree" and each["name"].startswith("Bytes by package") for each in nodes)
    items = [each for each in nodes if each["role"] == "treeitem"]
    assert {each["level"] for each in items} == {1, 2}
    assert all(re.search(r", \d", each["name"]) for each in items)
    assert [each["name"] for each in nodes if each["role"] == "heading" and each.get("level") == 2][:3] == [
        "Findings",
        "Size by package",
        "Native files",
    ]
    assert {"Size", "File", "On Lambda"} <= {each["name"] for each in nodes if each["role"] == "columnheader"}
    nameless = [each for each in nodes if each["role"] in {"button", "searchbox", "checkbox"} and not each["name"]]
    assert nameless == []


def test_a_table_is_sorted_by_its_heads(opened: Tab) -> None:
    head = "document.querySelector('[aria-labelledby=packages] th:nth-child({}){}')"
    assert opened.run(head.format(2, "") + ".getAttribute('aria-sort')") == "descending"
    opened.run(head.format(1, " button") + ".click()")
    assert opened.run(head.format(1, "") + ".getAttribute('aria-sort')") == "ascending"
    names = column(opened, "packages", 0)
    assert (len(names), names) == (20, sorted(names))
    opened.run(head.format(1, " button") + ".click()")
    assert column(opened, "packages", 0)[0].startswith("words")
    opened.run("document.querySelector('[aria-labelledby=packages] .more').click()")
    assert len(column(opened, "packages", 0)) == len(ORDINARY.packages)


def test_a_table_is_filtered_by_words_and_says_how_much_is_left(opened: Tab) -> None:
    opened.run(
        "(field => { field.value = 'SMALL 29'; field.dispatchEvent(new Event('input')); })"
        "(document.getElementById('packages-filter'))"
    )
    found = column(opened, "packages", 0)
    assert found
    assert all("29" in each for each in found)
    said = opened.run("document.querySelector('[aria-labelledby=packages] output').textContent")
    assert said == f"{len(found)} of {len(ORDINARY.packages)}"
    opened.run("document.querySelector('[aria-labelledby=natives] [type=checkbox]').click()")
    assert len(column(opened, "natives", 0)) == sum(each.selected for each in FAILING.judgements)


def hostile(name: str) -> Inspection:
    bad = replace(
        package("x", [3 * MIB, 2 * MIB]),
        name=name,
        version=name,
        path=f"node_modules/{name}",
        files=(InspectedFile(f"node_modules/{name}/{name}", 5 * MIB, FileCategory.OTHER),),
        chain=(DependentStep(name, name),),
    )
    finding = replace(FAILING.findings[0], path=name, message=name, package=name, fix=f"Run `{name}`.")
    report = replace(FAILING, findings=(finding,), subject=replace(FAILING.subject, path=f"/tmp/{name}"))
    same = (DuplicateFiles("ab" * 32, 2 * MIB, (name, f"{name}2")),)
    return inspection(bad, report=report, spares=(PrunableFile(name, 1, "leftover"),), same_bytes=same)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_no_name_breaks_the_page(tab: Tab, tmp_path: Path, name: str) -> None:
    text = html.render_html(hostile(name))
    assert text.count("</script>") == 2
    assert [sign for sign in text if not sign.isprintable() and sign != "\n"] == []
    file = tmp_path / "page.html"
    file.write_text(text, encoding="utf-8")
    tab.open(file)
    assert tab.troubles == []
    assert "broken" not in tab.run("document.title").replace(name, "")
    assert tab.run("document.querySelectorAll('img, iframe').length") == 0
    assert tab.run("document.querySelectorAll('script').length") == 2
    assert len(column(tab, "packages", 0)) == 1


def test_light_and_dark_are_both_readable(tab: Tab, tmp_path: Path) -> None:
    file = written(ORDINARY, tmp_path)
    for dark in (False, True):
        tab.open(file, dark=dark)
        assert tab.run(CONTRASTS) == [], f"dark: {dark}"


CONTRASTS = """(() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(each => each / 255)
    .map(each => each <= .04045 ? each / 12.92 : ((each + .055) / 1.055) ** 2.4)
    .reduce((sum, each, at) => sum + each * [.2126, .7152, .0722][at], 0);
  const behind = each => {
    for (; each; each = each.parentElement) {
      const found = rgb(getComputedStyle(each).backgroundColor);
      if (found.length < 4 || found[3] > .8) return found;
    }
    return [255, 255, 255];
  };
  const bad = [];
  const texts = "h1, h2, h3, p, td, th button, .name b, dt, dd, small, code, .legend li";
  for (const each of document.querySelectorAll(texts)) {
    if (!each.textContent.trim() || !each.offsetWidth) continue;
    const [a, b] = [light(rgb(getComputedStyle(each).color)), light(behind(each))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) bad.push(`${each.tagName}.${each.className} ${each.textContent.slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return [...new Set(bad)].slice(0, 10);
})()"""
"""Text whose contrast is below 4.5 to 1 (WCAG 2.2, 1.4.3)."""


def test_it_fits_a_telephone(tab: Tab, tmp_path: Path) -> None:
    tab.open(written(ORDINARY, tmp_path), width=400)
    assert tab.run("document.documentElement.scrollWidth") <= 400
    assert tab.run("document.querySelector('[role=tree]').offsetWidth") <= 400


def test_it_prints_without_its_controls(opened: Tab) -> None:
    assert opened.printed().startswith(b"%PDF-")
    opened.ask("Emulation.setEmulatedMedia", media="print")
    hidden = opened.run("[...document.querySelectorAll('.tools, .more, .crumbs')].every(each => !each.offsetHeight)")
    opened.ask("Emulation.setEmulatedMedia", media="")
    assert hidden is True


def test_a_huge_tree_makes_no_huge_page(tab: Tab, tmp_path: Path) -> None:
    deep = "very-long-directory-name/" * 8
    packages = []
    for number in range(3000):
        path = f"node_modules/@scope-{number}/{deep}package"
        files = tuple(InspectedFile(f"{path}/{deep}{at}.js", 4000 + at, FileCategory.JS) for at in range(20))
        packages.append(
            PackageWeight(path, f"@scope-{number}/package", "1.0.0", files, (DependentStep("a" * 200, "1"),) * 9)
        )
    finding = replace(FAILING.findings[0], message="x" * 400)
    owner = packages[0]
    found = inspection(
        *packages,
        natives=natives(owner) * 2000,
        report=replace(FAILING, findings=(finding,) * 2000),
        spares=tuple(PrunableFile(each.files[0].path, 1, "leftover") for each in packages),
        same_bytes=tuple(DuplicateFiles("ab" * 32, 9, (each.files[0].path,) * 9) for each in packages),
    )
    file = written(found, tmp_path)
    assert file.stat().st_size < LARGEST_PAGE
    tab.open(file)
    assert tab.troubles == []
    data = json.loads(tab.run("document.getElementById('data').textContent"))
    assert len(data["packages"]) + data["otherPackages"][0] == 3000
    assert sum(each["bytes"] for each in data["packages"]) + data["otherPackages"][1] == found.whole.size
    assert "more are not on this page" in tab.run("document.body.innerText")


def test_an_empty_function_has_a_page_too(tab: Tab, tmp_path: Path) -> None:
    own = PackageWeight("", "", "", (InspectedFile("index.js", 0, FileCategory.JS),), None)
    report = replace(FAILING, judgements=(), findings=())
    tab.open(written(Inspection(report, {FileCategory.JS: FileTotals(1, 0)}, (own,), ()), tmp_path))
    assert tab.troubles == []
    assert "No findings: everything in use loads." in tab.run("document.body.innerText")


def test_without_scripts_the_short_form_is_there() -> None:
    text = html.render_html(ORDINARY)
    noscript = text[text.index("<noscript>") : text.index("</noscript>")]
    assert "image 1.0.0 &lt;- picture &lt;- web" in noscript
