"""What scripts load, and graphs, remembered between runs."""

import os
from pathlib import Path

import pytest

from lambdapack.model import TASK_ROOT
from lambdapack.packages.graph import Presence
from lambdapack.packages.modules import FunctionModules
from lambdapack.packages.node import lambda_node
from lambdapack.script.specifier import ScriptSpecifiers
from lambdapack.script.specifiers import read_specifiers
from lambdapack.store.module_graphs import ModuleCache
from lambdapack.store.records import Store
from lambdapack.tree.directory import DirectoryTree

SOURCE = b"const a = require('a');\ntry { require(name); } catch {}\nimport('./b');\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", "test")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    directory.mkdir()
    (directory / "index.js").write_text("require('./lib');\nrequire('gone');\nexports.handler = async () => 1;\n")
    (directory / "lib.js").write_text("exports.a = 1;\n")
    for path in directory.iterdir():  # older than what a file system's clock can hide
        os.utime(path, (1_700_000_000, 1_700_000_000))
    return directory


def function(project: Path, store: Store) -> FunctionModules:
    return FunctionModules(((TASK_ROOT, DirectoryTree(project)),), "index.handler", cache=ModuleCache(store, "here"))


def test_a_script_is_remembered_by_content(store: Store) -> None:
    cache, script = ModuleCache(store, "here"), read_specifiers(SOURCE)
    assert len(script.specifiers) == 3
    assert cache.get("key") is None
    cache.put("key", script)
    cache.save()
    assert ModuleCache(store, "here").get("key") == script
    assert ModuleCache(store, "there").get("key") is None


def test_scripts_that_are_gone_are_dropped(store: Store) -> None:
    cache = ModuleCache(store, "here")
    cache.put("old", ScriptSpecifiers())
    cache.save()
    later = ModuleCache(store, "here")
    later.put("new", ScriptSpecifiers())
    later.save()
    assert ModuleCache(store, "here").get("old") is None


def test_a_damaged_record_counts_as_missing(store: Store) -> None:
    cache = ModuleCache(store, "here")
    cache.put("key", ScriptSpecifiers())
    cache.save()
    for record in (store.directory / "scripts").iterdir():
        record.write_bytes(record.read_bytes()[:-3])
    assert ModuleCache(store, "here").get("key") is None


def test_a_remembered_graph_has_the_same_files_and_the_same_that_is_missing(project: Path, store: Store) -> None:
    graph = function(project, store).resolve(lambda_node(22), "x64").graph
    cache = ModuleCache(store, "here")
    cache.store_graph("key", graph)
    known = cache.find_graph("key")
    assert known is not None
    assert (known.files, known.bounds, known.roots) == (graph.files, graph.bounds, graph.roots)
    assert list(known.missing_edges()) == list(graph.missing_edges())
    assert known.edges == graph.edges  # what packages load would be left out
    assert {edge.presence for edge in known.edges} == {Presence.MISSING, Presence.RESOLVED}


def test_a_changed_file_is_read_anew(project: Path, store: Store) -> None:
    first = function(project, store).resolve(lambda_node(22), "x64").graph
    assert [edge.specifier.text for edge in first.missing_edges()] == ["gone"]
    (project / "index.js").write_text("require('./lib');\nrequire('other');\nexports.handler = async () => 1;\n")
    second = function(project, store).resolve(lambda_node(22), "x64").graph
    assert [edge.specifier.text for edge in second.missing_edges()] == ["other"]
