from dataclasses import replace

from lambdapack.model import Finding
from lambdapack.report.ci.place import FindingLocator, ReportLocation
from tests.unit.report.samples import WRONG, WRONG_CPU

WHERE = FindingLocator(
    directory="services/api",
    lockfile="package-lock.json",
    packages={"node_modules/sharp": 40, "node_modules/a/node_modules/sharp": 52, "node_modules/@img/x": 60},
)


def at(path: str, package: str = "", line: int | None = None, where: FindingLocator = WHERE) -> ReportLocation:
    return where.place(Finding(WRONG_CPU, path, "what", package, line))


def test_a_file_of_a_package_is_shown_at_the_lockfiles_line_of_that_package() -> None:
    assert WHERE.place(WRONG) == ReportLocation("package-lock.json", 40)
    assert at("node_modules/@img/x/lib/y.node") == ReportLocation("package-lock.json", 60)


def test_the_innermost_of_nested_copies_is_the_one_that_is_shown() -> None:
    assert at("node_modules/a/node_modules/sharp/b.node", "sharp") == ReportLocation("package-lock.json", 52)


def test_a_layers_path_finds_the_same_line() -> None:
    assert at("/opt/nodejs/node_modules/sharp/b.node").line == 40
    assert at("nodejs/node_modules/sharp/b.node").line == 40


def test_a_package_without_a_path_of_its_own_is_shown_where_it_is_locked() -> None:
    assert at("", "sharp") == ReportLocation("package-lock.json", 40)


def test_a_source_file_is_shown_itself_in_the_functions_directory() -> None:
    assert at("src/keys.js", line=7) == ReportLocation("services/api/src/keys.js", 7)
    assert at("index.js") == ReportLocation("services/api/index.js")


def test_a_line_of_the_lockfile_is_in_the_root_of_the_workspaces() -> None:
    assert at("package-lock.json", line=3) == ReportLocation("package-lock.json", 3)


def test_what_has_no_line_is_shown_at_the_manifest() -> None:
    assert at("") == ReportLocation("services/api/package.json")
    assert at("node_modules/unknown/a.node", "unknown") == ReportLocation("services/api/package.json")


def test_without_a_project_the_archive_stands_for_what_is_in_it() -> None:
    alone = FindingLocator(otherwise="out/function.zip")
    assert at("index.js", where=alone) == ReportLocation("out/function.zip")
    assert alone.place(WRONG) == ReportLocation("out/function.zip")
    assert replace(alone).place(WRONG).line == 1
