"""What a file is for, by its name and place: a label for people, never a reason to leave a file out."""

import posixpath
import re
from typing import Final

from lambdapack.survey.nouns import Sort

TYPES: Final = (".d.ts", ".d.mts", ".d.cts", ".flow", ".tsbuildinfo")
SOURCES: Final = (".ts", ".mts", ".cts", ".tsx")
"""TypeScript: node runs the function's own (nodejs22.x and newer), and refuses to below node_modules."""

SCRIPTS: Final = (".js", ".mjs", ".cjs", ".jsx")
TEST_NAMES: Final = (".test", ".spec")
TEST_PLACES: Final = frozenset(("test", "tests", "__tests__", "__mocks__", "__snapshots__", "spec", "specs"))
TEXTS: Final = (".md", ".markdown", ".mdx", ".rst", ".adoc", ".1")
DOC_PLACES: Final = frozenset(("doc", "docs", "example", "examples", "man"))
DOC_NAMES: Final = frozenset(
    ("license", "licence", "readme", "changelog", "changes", "history", "authors", "contributors", "notice", "copying")
)


def sort_of(path: str, *, native: bool, dependency: bool) -> Sort:
    """Return what a file is for; `path` is below its package, or below the tree when it is the function's own."""
    *above, name = path.lower().split("/")
    places = frozenset(above)
    stem, extension = posixpath.splitext(name)
    if native:
        return Sort.NATIVE
    if places & TEST_PLACES or (extension in (*SCRIPTS, *SOURCES) and stem.endswith(TEST_NAMES)):
        return Sort.TESTS
    if extension == ".map":
        return Sort.MAPS
    if name.endswith(TYPES) or (dependency and extension in SOURCES):
        return Sort.TYPES
    if extension in TEXTS or places & DOC_PLACES:
        return Sort.DOCS
    if extension in (*SCRIPTS, *SOURCES):
        return Sort.JS
    return Sort.DOCS if re.split(r"[.-]", name)[0] in DOC_NAMES else Sort.OTHER
