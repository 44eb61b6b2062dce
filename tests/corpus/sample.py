"""`python -m tests.corpus.sample`: takes a small part of the recording that has every kind of result in it."""

import json
import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from tests.corpus.packages import fetch
from tests.corpus.truth import SAMPLE, WHOLE, Corpus, read

FILES = 64
"""Of 565: what is left after one of each kind is filled up with files of the same packages."""

ALIKE = 3
"""Files of one kind."""

NEIGHBOURS = "/@img/"
"""Packages that need libraries of each other; without them a file would be judged in another surrounding."""

KEPT = ("how", "outcome", "class", "rtld_now")

ALWAYS = ("@img/sharp-linux-x64@", "@img/sharp-libvips-linux-x64@", "sodium-native@")
"""RPATH over sibling packages, and addons of two runtimes in one package."""


def owner(corpus: Corpus, file: Mapping[str, Any]) -> str:
    """Return the directory of the package that a file came with."""
    directories = [each for each in corpus.trees[file["tree"]] if file["path"].startswith(f"{each}/")]
    return max(directories, key=len)


def chosen(corpus: Corpus) -> Iterator[Mapping[str, Any]]:
    """Yield files: of each kind the ones in the smallest packages."""
    sizes = {spec: path.stat().st_size for spec, path in fetch(_specs(corpus)).items()}
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for file in sorted(corpus.files, key=lambda each: (sizes[_spec(corpus, each)], each["path"])):
        kinds.setdefault(_kind(file), []).append(file)
    yield from (file for alike in kinds.values() for file in alike[:1])
    yield from (file for file in corpus.files if _spec(corpus, file).startswith(ALWAYS))
    for place in range(1, ALIKE):
        yield from (alike[place] for alike in kinds.values() if len(alike) > place)


def _specs(corpus: Corpus) -> list[str]:
    return [spec for specs in corpus.trees.values() for spec in specs.values()]


def _spec(corpus: Corpus, file: Mapping[str, Any]) -> str:
    return corpus.trees[file["tree"]][owner(corpus, file)]


def _kind(file: Mapping[str, Any]) -> str:
    """Two files are alike when the same happened to both in every image, symbols and own paths aside."""
    return json.dumps(
        [
            (image, [result.get(each) for each in KEPT[:3]], str(result.get("rtld_now")).partition(": ")[2][:9])
            for image, result in sorted(file["results"].items())
        ]
    )


def main() -> None:
    """Write the sample."""
    corpus = read(WHOLE)
    files = list({(each["tree"], each["path"]): each for each in chosen(corpus)}.values())[:FILES]
    trees: dict[str, dict[str, str]] = {}
    for file in files:
        trees.setdefault(file["tree"], {}).update(_surrounding(corpus, file))
    document = {
        "images": corpus.images,
        "trees": trees,
        "files": [_shortened(each) for each in files],
        "require": {image: list(_required(each, trees)) for image, each in corpus.require.items()},
    }
    SAMPLE.write_text(json.dumps(document, indent=None, separators=(",", ":")).replace('{"tree"', '\n{"tree"') + "\n")


def _surrounding(corpus: Corpus, file: Mapping[str, Any]) -> Mapping[str, str]:
    own = owner(corpus, file)
    together = f"{own.partition(NEIGHBOURS)[0]}{NEIGHBOURS}" if NEIGHBOURS in own else None
    every = corpus.trees[file["tree"]].items()
    return {where: spec for where, spec in every if where == own or (together and where.startswith(together))}


def _shortened(file: Mapping[str, Any]) -> Mapping[str, Any]:
    results = {image: {key: result[key] for key in KEPT if key in result} for image, result in file["results"].items()}
    return {"tree": file["tree"], "path": file["path"], "sha256": file["sha256"], "results": results}


def _required(packages: list[Mapping[str, Any]], trees: Mapping[str, Mapping[str, str]]) -> Iterator[Mapping[str, Any]]:
    """The recording of require() is one of the x64 tree for glibc."""
    directories = tuple(f"{each}/" for each in trees["linux-x64-glibc"])
    for package in packages:
        events = [
            {"dlopen": each["dlopen"], "ok": each["ok"]}
            for each in package["events"]
            if posixpath.normpath(each.get("dlopen", "")).startswith(directories)
        ]
        if events:
            yield {"package": package["package"], "events": events}


if __name__ == "__main__":
    main()
