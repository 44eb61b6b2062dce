"""Who loads a package or a file, as an inspection shows it."""

import json

from lambdapack.inspection.inspect import build_inspection
from lambdapack.inspection.model import Loading
from lambdapack.report.document.inspection import render_inspection_json
from lambdapack.report.inspection import package_loading_label
from tests.world import World


def test_each_package_says_which_files_load_it_and_when() -> None:
    world = World(handler="index.handler", reads_code=True)
    world.package("", dependencies={"first": "1", "second": "1", "third": "1", "fourth": "1"})
    for name, source in {"first": "require('second');", "second": "", "third": "", "fourth": ""}.items():
        world.package(f"node_modules/{name}")
        world.add(f"node_modules/{name}/index.js", source)
    world.add("index.js", "require('first');\nexports.handler = async () => require('third');\n")
    inspection = build_inspection(world.report(), world.facts(), lambda _: "0" * 64)
    loadings = {package.name: package.loading for package in inspection.packages if package.name}
    assert loadings == {
        "first": Loading(("index.js", "node_modules/first/index.js"), certain=True),
        "second": Loading(("index.js", "node_modules/first/index.js", "node_modules/second/index.js"), certain=True),
        "third": Loading(("index.js", "node_modules/third/index.js")),
        "fourth": Loading(()),
    }
    labels = {package.name: package_loading_label(package) for package in inspection.packages if package.name}
    assert labels == {"first": "", "second": "", "third": " - loaded later", "fourth": " - not loaded"}
    document = json.loads(render_inspection_json(inspection))
    assert {package["name"]: package["loaded"]["when"] for package in document["packages"] if package["name"]} == {
        "first": "start",
        "second": "start",
        "third": "later",
        "fourth": "never",
    }


def test_without_a_handler_nothing_is_said() -> None:
    world = World()
    world.package("node_modules/first")
    inspection = build_inspection(world.report(), world.facts(), lambda _: "0" * 64)
    assert {package.loading for package in inspection.packages} == {None}
