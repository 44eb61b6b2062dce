from pathlib import Path

import pytest

from lambdapack.pipeline.init_files import find_own_handler


@pytest.mark.parametrize(
    ("files", "handler"),
    [
        ({"index.js": "exports.handler = async () => 1"}, "index.handler"),
        ({"src/app.mjs": "export const lambdaHandler = async () => 1"}, "src/app.lambdaHandler"),
        ({"index.js": "module.exports = 1", "dist/index.cjs": "exports.handler = () => 1"}, "dist/index.handler"),
        ({"handler.js": "exports.handler = 1", "index.js": "exports.handler = 1"}, "index.handler"),
        ({"lambda.js": "async function handler () {}\nmodule.exports = { handler }"}, "lambda.handler"),
    ],
)
def test_the_file_that_exports_a_handler_is_found(tmp_path: Path, files: dict[str, str], handler: str) -> None:
    write(tmp_path, files)
    assert find_own_handler(tmp_path) == handler


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"index.js": "exports.main = 1"},
        {"index.js": "exports.handler = = 1"},
        {"server.js": "exports.handler = 1"},  # no name that handlers have
        {"src/index.ts": "export const handler = async () => 1"},
    ],
)
def test_nothing_is_guessed_where_no_code_says_it(tmp_path: Path, files: dict[str, str]) -> None:
    write(tmp_path, files)
    assert find_own_handler(tmp_path) == ""


def write(directory: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8")
