import pytest

from lambdapack.model import Severity
from lambdapack.rules.function.loading import LoadError, handler_import_finding

NODE_FRAME = "\n    at wrapSafe (node:internal/modules/cjs/loader:1662:18)\n    at a (node:internal/x:1:1)"
OWN_FRAME = "\n    at Object.<anonymous> (/var/task/index.js:3:9)" + NODE_FRAME
PARSE_FRAME = "\n    at JSON.parse (<anonymous>)" + OWN_FRAME


def severity(error: LoadError, *, literal: bool = False) -> tuple[str, Severity]:
    finding = handler_import_finding("index.js", error, "sha256:0", asked_literally=literal)
    return finding.rule.name, finding.weight


@pytest.mark.proves("handler-fails")
@pytest.mark.parametrize(
    "error",
    [
        LoadError("x.node: invalid ELF header", "Error", "ERR_DLOPEN_FAILED", "Error: x" + OWN_FRAME),
        LoadError("Unexpected token '}'", "SyntaxError", "", "/var/task/index.js:1\n}\nSyntaxError: x" + NODE_FRAME),
        LoadError("require is not defined in ES module scope, you can use import", "ReferenceError"),
        LoadError("Invalid package config /var/task/a/package.json.", "Error", "ERR_INVALID_PACKAGE_CONFIG"),
        LoadError("/var/task/conf.json: Unexpected end", "SyntaxError", "", "SyntaxError: x" + PARSE_FRAME),
        LoadError("require() of ES Module /var/task/a.mjs not supported", "Error", "ERR_REQUIRE_ESM"),
        LoadError("killed by SIGSEGV", crashed=True),
        LoadError("/var/task/index.js exports no function handler"),
    ],
    ids=lambda error: error.code or error.text[:20],
)
def test_what_comes_of_the_files_is_an_error(error: LoadError) -> None:
    assert severity(error) == ("handler-fails", Severity.ERROR)


@pytest.mark.proves("import-throws")
@pytest.mark.spares("handler-fails")
@pytest.mark.parametrize(
    "error",
    [
        LoadError("TABLE is not set", "Error", "", "Error: TABLE is not set" + OWN_FRAME),
        LoadError("Cannot read properties of undefined", "TypeError", "", "TypeError: x" + OWN_FRAME),
        LoadError('"undefined" is not valid JSON', "SyntaxError", "", "SyntaxError: x" + PARSE_FRAME),
        LoadError(
            "Unexpected token", "SyntaxError", "", "SyntaxError: x\n    at new Function (<anonymous>)" + NODE_FRAME
        ),
        LoadError("a string was thrown", "throw"),
        LoadError("the process ended with exit code 1", exited=True),
    ],
    ids=lambda error: error.name + error.text[:12],
)
def test_what_the_code_itself_throws_is_a_warning(error: LoadError) -> None:
    assert severity(error) == ("import-throws", Severity.WARNING)


MISSING = "Cannot find module 'dayjs'\nRequire stack:\n- /var/task/lib/a.js\n- /var/task/index.js"


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (MISSING, ("dayjs", "/var/task/lib/a.js")),
        ("Cannot find package 'ms' imported from /var/task/index.mjs", ("ms", "/var/task/index.mjs")),
        (
            "Cannot find module '/var/task/a' imported from file:///var/task/index.mjs",
            ("/var/task/a", "/var/task/index.mjs"),
        ),
    ],
)
def test_a_missing_module_names_who_asks_for_it(text: str, asked: tuple[str, str]) -> None:
    error = LoadError(text, "Error", "MODULE_NOT_FOUND", "Error: x" + OWN_FRAME)
    assert error.missing == asked
    assert severity(error, literal=True) == ("handler-fails", Severity.ERROR)
    assert severity(error) == ("import-throws", Severity.WARNING)


def test_the_place_is_the_first_of_the_packages_own_lines() -> None:
    error = LoadError("TABLE is not set", "Error", "", "Error: x\n    at a (node:fs:1:1)" + OWN_FRAME)
    finding = handler_import_finding("index.js", error, "sha256:0")
    assert finding.message == "Error: TABLE is not set (index.js:3)"
    assert dict(finding.evidence)["place"] == "index.js:3"


@pytest.mark.proves("not-proved")
def test_what_takes_too_long_is_not_proved() -> None:
    assert severity(LoadError("10 s", late=True)) == ("not-proved", Severity.NOTE)
