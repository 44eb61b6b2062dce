import json
from pathlib import Path

import pytest

from lambdapack.model import Target
from lambdapack.pipeline.measure import tighten_by_image
from lambdapack.runtimes.runtime import Runtime, shipped_runtime
from lambdapack.tree.entry import EntryKind
from tests import elf
from tests.fakes import FakeEngine, FakeFile, RecordingObserver
from tests.unit.pipeline.workshop import X86, Workshop

REFERENCE = "lambdapack-lab/nodejs:22-x86_64"
SHIPPED = shipped_runtime(Target("nodejs22.x", X86))
NODE = 'const char agent[] = "node.js/v22.13.1";\nint napi_create_object(void) { return 0; }\n'
HEADER = (
    "#define NODE_MAJOR_VERSION 22\n#define NODE_MINOR_VERSION 13\n#define NODE_PATCH_VERSION 1\n"
    "# define NODE_MODULE_VERSION 127\n#define NODE_API_SUPPORTED_VERSION_MAX  10\n"
)


class Counting(FakeEngine):
    """Counts how often a file system is copied."""

    copied = 0

    def file_system(self, image: object, path: str, spool: Path) -> None:
        self.copied += 1
        super().file_system(image, path, spool)  # type: ignore[arg-type]  # passed on as it came


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FakeFile]:
    place = tmp_path_factory.mktemp("image")
    libc = elf.library(place, "libc.so.6", "GLIBC_2.17", "GLIBC_2.34")
    node = elf.link(place, "node", NODE, "-Wl,--no-as-needed", libraries=(libc,))
    return {
        "/var/lang/bin/node": FakeFile(EntryKind.FILE, 0o755, node.read_bytes()),
        "/var/lang/include/node/node_version.h": FakeFile(EntryKind.FILE, 0o644, HEADER.encode()),
        "/usr/lib64/libc.so.6": FakeFile(EntryKind.FILE, 0o755, libc.read_bytes()),
        "/usr/lib64/ld-linux-x86-64.so.2": FakeFile(EntryKind.FILE, 0o755, libc.read_bytes()),
    }


@pytest.fixture
def engine(root: dict[str, FakeFile]) -> Counting:
    return Counting(roots={REFERENCE: root})


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "cache"


def measured(engine: FakeEngine, tmp_path: Path, cache: Path, observer: RecordingObserver | None = None) -> Runtime:
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return tighten_by_image(engine, REFERENCE, SHIPPED, scratch, cache, observer or RecordingObserver())


def test_an_image_is_measured_once(engine: Counting, tmp_path: Path, cache: Path) -> None:
    first = measured(engine, tmp_path, cache)
    times = engine.copied
    second = measured(engine, tmp_path, cache)
    assert times > 0
    assert engine.copied == times
    assert first == second
    assert (first.source, first.node) == ("image", "22.13.1")
    assert first.digest.startswith("sha256:")
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"schema": "lambdapack/runtime/1"}'])
def test_a_damaged_memory_is_made_again(damage: str, engine: Counting, tmp_path: Path, cache: Path) -> None:
    before = measured(engine, tmp_path, cache)
    times = engine.copied
    (file,) = cache.iterdir()
    file.write_text(damage)
    observer = RecordingObserver()
    assert measured(engine, tmp_path, cache, observer) == before
    assert engine.copied == 2 * times
    assert any("damaged" in each for each in observer.notes)
    assert json.loads(file.read_text())["runtime"] == "nodejs22.x"


def test_a_memory_that_cannot_be_kept_costs_nothing_but_time(engine: Counting, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for cache in (tmp_path / "file" / "cache", tmp_path / ("x" * 300)):
        observer = RecordingObserver()
        assert measured(engine, tmp_path, cache, observer).source == "image"
        assert [each for each in observer.notes if "not remembered" in each]


def test_without_the_image_the_shipped_data_judges_and_a_note_says_so(tmp_path: Path, cache: Path) -> None:
    observer = RecordingObserver()
    assert measured(FakeEngine(images={}), tmp_path, cache, observer) == SHIPPED
    assert observer.notes == [f"verified against built-in runtime data only: {REFERENCE} is not here"]


def test_an_image_that_is_none_of_lambdas_is_no_measure(tmp_path: Path, cache: Path) -> None:
    observer = RecordingObserver()
    assert measured(FakeEngine(), tmp_path, cache, observer) == SHIPPED
    assert len(observer.notes) == 1
    assert not cache.exists()


def test_a_build_is_judged_by_what_was_measured(root: dict[str, FakeFile], tmp_path: Path) -> None:
    shop = Workshop(tmp_path, roots={REFERENCE: root})
    libc = root["/usr/lib64/libc.so.6"].data
    shop.ship = lambda process: process.write("/var/task/node_modules/ms/libextra.so", libc)
    (built,) = shop.build()
    assert built.report.runtime.source == "image"
    assert built.archive is not None
    assert shop.observer.notes == []


def test_a_build_without_native_files_asks_no_image(root: dict[str, FakeFile], tmp_path: Path) -> None:
    shop = Workshop(tmp_path, roots={REFERENCE: root})
    (built,) = shop.build()
    assert built.report.runtime.source == "shipped"
    assert built.archive is not None
