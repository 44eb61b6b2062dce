"""The recording: what process.dlopen, or the kernel, did with each native file in each image. Judges nothing."""

import json
import lzma
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from images.lab.cache import REPOSITORY_ROOT

_BESIDE = Path("shared") / "verify" / "corpus.json.xz"

WHOLE = next(
    (each / _BESIDE for each in REPOSITORY_ROOT.parents if (each / _BESIDE).exists()), REPOSITORY_ROOT / _BESIDE
)
"""565 files of 153 packages, 3429 results. Beside the repository or above, not in it."""

SAMPLE = Path(__file__).with_name("sample.json")
"""What `python -m tests.corpus.sample` takes of it."""

CAUSES: Mapping[str, frozenset[str]] = {
    "not-elf": frozenset({"not-elf", "truncated"}),
    "wrong-machine": frozenset({"wrong-cpu"}),
    "wrong-class": frozenset({"wrong-class"}),
    "missing-lib": frozenset({"missing-library"}),
    "bad-dep": frozenset({"missing-library", "musl", "not-elf", "truncated", "bad-elf", "wrong-cpu"}),
    "version": frozenset({"symbol-version"}),
    "nmv": frozenset({"node-abi", "electron-abi"}),
    "not-addon": frozenset({"not-an-addon"}),
    "bad-elf": frozenset({"bad-elf", "executable"}),
    "format": frozenset({"not-elf", "wrong-cpu", "wrong-class", "bad-elf"}),
    "no-exec-bit": frozenset({"no-exec-bit"}),
    "missing-interp": frozenset({"missing-interpreter", "musl"}),
    "crash": frozenset({"truncated", "node-api-level", "relocations"}),
}
"""The recording's word to ours."""

MUSL = ("libc.musl-", "libc.so", "libm.so")
"""Beginnings of what musl's libc is called in the recording's missing libraries; the last is its companion.

glibc's own carry a version behind the name, and none of them was missing."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Images, trees (name to directory to spec), files and what require() opened, as recorded."""

    images: Mapping[str, Mapping[str, str]]
    trees: Mapping[str, Mapping[str, str]]
    files: tuple[Mapping[str, Any], ...]
    require: Mapping[str, list[Mapping[str, Any]]]

    def results(self) -> Iterator["Recorded"]:
        """Yield what happened with each file in each image."""
        for file in self.files:
            for image, result in file["results"].items():
                yield Recorded(image, file["tree"], file["path"], file["sha256"], result)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One file in one image."""

    image: str
    tree: str
    path: str
    sha256: str
    result: Mapping[str, Any]

    @property
    def word(self) -> str:
        """The recording's class of failure, "" for none."""
        return str(self.result.get("class") or "").partition(" ")[0]

    def expected(self) -> tuple[str, frozenset[str | None]]:
        """Return the outcome and the causes that agree with it, word by word."""
        if self.result["outcome"] == "loaded":
            return self._opened()
        missing = str(self.result["class"]).partition(" ")[2]
        if missing.startswith(MUSL) and "android" not in self.path:  # Android's libc and libm have these names, too
            return "fails", frozenset({"musl"})
        return "fails", frozenset(CAUSES[self.word])

    def _opened(self) -> tuple[str, frozenset[str | None]]:
        """A second pass bound everything at load, and so named what a first call would have died of."""
        if "undefined symbol" in str(self.result.get("rtld_now")):
            return "dies-later", frozenset({"undefined-symbol"})
        return "loads", frozenset({None})


def read(path: Path) -> Corpus:
    """Return a recording."""
    text = lzma.decompress(path.read_bytes()).decode() if path.suffix == ".xz" else path.read_text("utf-8")
    document = json.loads(text)
    return Corpus(document["images"], document["trees"], tuple(document["files"]), document["require"])
