"""What two reference pages about these errors teach, statement by statement, and what lambdapack answers to it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from lambdapack.book.book import BinaryDelivery, MaintenanceStatus, find_book_entry
from lambdapack.explain.diagnose import diagnose
from lambdapack.explain.nouns import Diagnosis
from lambdapack.explain.text import strip_log_markup
from lambdapack.explain.words import ExplainTarget
from lambdapack.runtimes.versions import describe_abi

TASK = "/var/task/node_modules"
ABI = (
    "Error: The module '/project/node_modules/bcrypt/lib/binding/napi-v3/bcrypt_lib.node'\n"
    "was compiled against a different Node.js version using\nNODE_MODULE_VERSION {}. "
    "This version of Node.js requires\nNODE_MODULE_VERSION {}. Please try re-compiling or re-installing\nthe module"
)
MAC = (
    "Error: dlopen(/project/node_modules/sharp/build/Release/sharp-darwin-arm64v8.node, 0x0001):\ntried: "
    "'/project/node_modules/sharp/build/Release/sharp-darwin-arm64v8.node'\n"
    "(mach-o file, but is an incompatible architecture (have '{}', need '{}'))"
)
COMPILE = "npm rebuild {} --build-from-source"


def best(text: str, *, runtime: str = "nodejs22.x") -> Diagnosis:
    return diagnose(strip_log_markup(text), ExplainTarget(runtime))[0]


def said(found: Diagnosis) -> str:
    return " | ".join((found.says, *found.fix, found.book, found.prevent))


STRINGS = (
    ("was compiled against a different Node.js version using NODE_MODULE_VERSION", "node-abi"),
    ("Error: dlopen failed, was compiled for a different Node.js version", "node-abi"),
    ("mach-o file, but is an incompatible architecture (have 'x86_64', need 'arm64e')", "wrong-cpu"),
    ("invalid ELF header", "not-elf"),
    ("cannot open shared object file", "missing-library"),
    ("code: 'ERR_DLOPEN_FAILED'", "node-abi"),
    (ABI.format(93, 115), "node-abi"),
    (MAC.format("x86_64", "arm64e"), "wrong-cpu"),
    ("Error: /project/node_modules/canvas/build/Release/canvas.node: invalid ELF header", "not-elf"),
    ("compiled against NODE_MODULE_VERSION 93, requires 115", "node-abi"),
    ("\tlibcairo.so.2 => not found", "missing-library"),
    ("dlopen(/a/canvas.node, 1): Symbol not found: _cairo_create", "undefined-symbol"),
)


@pytest.mark.parametrize(("text", "cause"), STRINGS, ids=lambda each: each[:40])
def test_every_error_string_is_known(text: str, cause: str) -> None:
    assert best(text).cause == cause


@pytest.mark.parametrize(("abi", "major"), [(83, 14), (93, 16), (108, 18), (115, 20), (127, 22), (131, 23)])
def test_every_number_of_the_table_becomes_a_version(abi: int, major: int) -> None:
    assert describe_abi(abi) == f"Node.js {major}"
    assert f"compiled for Node.js {major} " in best(ABI.format(abi, 137)).says


CAUSES = (
    ("Node.js upgraded without a rebuild", ABI.format(93, 115), "node-abi", ("npm rebuild bcrypt", ".nvmrc", "cache")),
    (
        "node_modules of another machine",
        f"{TASK}/bcrypt/lib/bcrypt_lib.node: invalid ELF header",
        "not-elf",
        ("npm ci", "commit a node_modules of another machine", ".dockerignore"),
    ),
    ("Intel file, Apple node", MAC.format("x86_64", "arm64e"), "wrong-cpu", ("rm -rf node_modules && npm ci",)),
    ("Apple file, translated node", MAC.format("arm64", "x86_64"), "wrong-cpu", ("arch -arm64 nvm install 22",)),
    (
        "Electron's ABI",
        ABI.format(127, 125),
        "electron-abi",
        ("Electron 31", "@electron/rebuild --force --only bcrypt"),
    ),
    ("rebuilt for Electron, run by node", ABI.format(125, 127), "electron-abi", ("rm -rf node_modules && npm ci",)),
    (
        "prebuilt file for another platform",
        (
            "Error: No native build was found for platform=linux arch=arm64 runtime=node abi=127 uv=1 libc=glibc "
            "node=22.1.0\n    loaded from: /var/task/node_modules/bcrypt"
        ),
        "prebuild-missing",
        (COMPILE.format("bcrypt"),),
    ),
    (
        "the download failed",
        "node-pre-gyp ERR! install response status 404 Not Found on https://example.com/bcrypt_lib-v5.1.1-napi-v3.tar.gz",
        "prebuild-missing",
        (COMPILE.format("bcrypt"),),
    ),
    (
        "blocked network, then no tools",
        (
            "npm error gyp ERR! find Python Could not find any Python installation to use\nnpm error path "
            "/app/node_modules/sqlite3"
        ),
        "toolchain-missing",
        ("python3 make g++", "versions with prebuilt binaries"),
    ),
    (
        "a library of the system is absent",
        (
            "Error: libcairo.so.2: cannot open shared object file: No such file or directory\n"
            "    at /app/node_modules/canvas/lib/bindings.js:3:18"
        ),
        "missing-library",
        ("libcairo2-dev libpango1.0-dev libjpeg-dev libgif-dev librsvg2-dev", "@napi-rs/canvas"),
    ),
    (
        "the same on macOS",
        (
            "Error: dlopen(/Users/me/node_modules/canvas/build/Release/canvas.node, 1): "
            "Library not loaded: /opt/homebrew/lib/libcairo.2.dylib"
        ),
        "missing-library",
        ("brew install cairo pango libpng jpeg giflib librsvg",),
    ),
    (
        "Alpine with a glibc file",
        (
            "Error: Error loading shared library ld-linux-x86-64.so.2: No such file or directory "
            "(needed by /app/node_modules/bcrypt/lib/binding/napi-v3/bcrypt_lib.node)"
        ),
        "musl",
        ("apk add --no-cache python3 make g++", "libc6-compat", "Alpine has musl"),
    ),
    (
        "an image for another CPU",
        "exec /usr/local/bin/docker-entrypoint.sh: exec format error",
        "emulator",
        ("docker buildx build --platform linux/amd64,linux/arm64",),
    ),
    (
        "an x86_64 file on a Graviton function",
        f"{TASK}/canvas/build/Release/canvas.node: cannot open shared object file: No such file or directory",
        "wrong-cpu",
        ("lambdapack build --runtime nodejs22.x --arch all", "public.ecr.aws/sam/build-nodejs22.x"),
    ),
    (
        "ref, which nobody looks after",
        f"{TASK}/ref/build/Release/binding.node: invalid ELF header",
        "not-elf",
        ("nobody looks after it any more", "npm uninstall ref && npm install koffi"),
    ),
)


@pytest.mark.parametrize(("text", "cause", "words"), [each[1:] for each in CAUSES], ids=[each[0] for each in CAUSES])
def test_every_cause_is_told_with_its_cure(text: str, cause: str, words: tuple[str, ...]) -> None:
    found = best(text)
    assert found.cause == cause
    assert [each for each in words if each not in said(found)] == []


PACKAGES = (
    ("bcrypt", "npm rebuild bcrypt", ("bcryptjs",)),
    ("sharp", "npm uninstall sharp && npm install sharp", ("jimp",)),
    ("canvas", "npm rebuild canvas", ("@napi-rs/canvas",)),
    ("sqlite3", "npm rebuild sqlite3", ("better-sqlite3",)),
    ("better-sqlite3", "npm rebuild better-sqlite3", ()),
    ("node-sass", "npm uninstall node-sass && npm install sass", ("sass",)),
    ("serialport", "npm rebuild serialport", ()),
    ("fsevents", "npm rebuild fsevents", ()),
    ("ref", "npm uninstall ref && npm install koffi", ("koffi",)),
    ("ffi", "npm uninstall ffi && npm install koffi", ("koffi",)),
    ("ref-napi", "npm rebuild ref-napi", ("koffi",)),
)


@pytest.mark.parametrize(("name", "command", "instead"), PACKAGES, ids=[each[0] for each in PACKAGES])
def test_every_package_of_the_tables_has_its_command_and_its_page(
    name: str, command: str, instead: tuple[str, ...]
) -> None:
    found = best(ABI.format(93, 127).replace("bcrypt/lib/binding/napi-v3/bcrypt_lib", f"{name}/build/Release/x"))
    assert found.package == name
    assert any(each.startswith(command) for each in found.fix)
    known = find_book_entry(name)
    assert known is not None
    assert set(instead) <= set(known.alternatives)


def test_what_is_deprecated_is_said_to_be() -> None:
    known = find_book_entry("node-sass")
    assert known is not None
    assert known.status is MaintenanceStatus.DEPRECATED
    assert known.delivery is BinaryDelivery.DOWNLOAD


STEPS = (
    ("1 read both numbers", ABI.format(93, 127), ("compiled for Node.js 16", "Node.js 22")),
    ("2 compare the version of node", ABI.format(93, 127), ("lambdapack build --runtime nodejs22.x",)),
    ("3 compare the CPU", MAC.format("x86_64", "arm64e"), ("x86_64", "arm64e")),
    ("4 rebuild", ABI.format(93, 127), ("npm rebuild bcrypt",)),
    ("5 install anew", ABI.format(93, 127), ("rm -rf node_modules && npm ci",)),
    ("6 electron-rebuild", ABI.format(127, 125), ("npx @electron/rebuild",)),
    ("7 install inside of the container", f"{TASK}/a/a.node: invalid ELF header", ("docker run", "npm ci")),
    ("8 look for absent libraries", "\tlibcairo.so.2 => not found", ("lambdapack verify .",)),
    ("9 a package without a binary", ABI.format(93, 127), ("Without a binary: bcryptjs",)),
    ("10 compile it", ABI.format(93, 127), (COMPILE.format("bcrypt"),)),
    ("never commit node_modules", f"{TASK}/a/a.node: invalid ELF header", ("commit a node_modules", ".gitignore")),
    ("the key of the cache", ABI.format(93, 127), ("key of every CI cache",)),
)


@pytest.mark.parametrize(("text", "words"), [each[1:] for each in STEPS], ids=[each[0] for each in STEPS])
def test_every_step_of_the_checklist_is_done_or_commanded(text: str, words: tuple[str, ...]) -> None:
    found = said(best(text))
    assert [each for each in words if each not in found] == []


PAGE = Path(__file__).resolve().parents[3] / "docs" / "statements.md"
HEAD = """# Statement by statement

What the reference pages on these errors teach, what lambdapack answers to it, and the test that holds it to that
(`tests/unit/explain/test_reference_pages.py`; the causes really happen in `tests/integration/test_causes.py`).
"""


def page_of_statements() -> str:
    """The table as it is published."""
    strings = [(f"``{text.splitlines()[0][:70]}``", cause) for text, cause in STRINGS]
    causes = [(each[0], f"{each[2]}: {', '.join(f'`{word}`' for word in each[3])}") for each in CAUSES]
    packages = [(f"`{name}`", f"`{command}`") for name, command, _instead in PACKAGES]
    steps = [(each[0], ", ".join(f"`{word}`" for word in each[2])) for each in STEPS]
    sections = (
        ("Error strings", strings, test_every_error_string_is_known),
        ("Causes", causes, test_every_cause_is_told_with_its_cure),
        ("Packages", packages, test_every_package_of_the_tables_has_its_command_and_its_page),
        ("The checklist", steps, test_every_step_of_the_checklist_is_done_or_commanded),
    )
    return HEAD + "".join(_section(title, rows, test.__name__) for title, rows, test in sections)


def _section(title: str, rows: Sequence[tuple[str, str]], test: str) -> str:
    lines = [f"| {said.replace('|', '&#124;')} | {answer.replace('|', '&#124;')} |" for said, answer in rows]
    head = f"\n## {title}\n\nTest: `{test}`.\n\n| What is said | The answer has |\n|---|---|\n"
    return head + "\n".join(lines) + "\n"


def test_the_published_table_is_fresh(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        PAGE.write_text(page_of_statements(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page_of_statements(), "run pytest --update-golden on this module"
