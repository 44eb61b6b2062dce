"""The findings of a load test in the runtime image, compared with the judgements. Never runs the test."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from lambdapack.binary.facts import BinaryRole
from lambdapack.model import Finding, Rule, Severity
from lambdapack.rules.binary.linking_records import UNDEFINED_SYMBOL
from lambdapack.rules.model.report import Judgement, Outcome, Report

VERDICT_DISAGREES = Rule(
    "LP223",
    "verdict-disagrees",
    "the static verdict and the real loader disagree",
    "One of them is wrong, and it is ours: this is a defect of lambdapack.",
    "Report it with this finding's evidence (`--format json`); until then trust the loader.",
    Severity.ERROR,
)
LOAD_FAILED = Rule(
    "LP224",
    "load-failed",
    "an addon does not load in the runtime image",
    "What the image's own node says when it opens the file is what Lambda would say.",
    "Install it for the runtime: `lambdapack build`, or choose another version of the package.",
    Severity.ERROR,
)
HANDLER_FAILS = Rule(
    "LP310",
    "handler-fails",
    "the handler cannot be imported in the runtime image",
    "Lambda fails in the same way when it starts the function.",
    "Correct what node names above; `lambdapack invoke` shows the whole log.",
    Severity.ERROR,
)

IMPORT_THROWS = Rule(
    "LP360",
    "import-throws",
    "the handler's own code throws when it is imported in the runtime image",
    "Lambda fails in the same way when it starts the function, unless it has what the code misses here: a variable, a "
    "network, a file.",
    "Pass what the function has in Lambda: `--env NAME=VALUE`; `lambdapack invoke` shows the whole log.",
    Severity.WARNING,
)
NOT_PROVED = Rule(
    "LP361",
    "not-proved",
    "the package was not loaded in the runtime image",
    "The verdict rests on what the files say; nothing was opened and the handler was not imported.",
    "Pass `--load` to prove it.",
    Severity.NOTE,
)

LOAD_RULES: tuple[Rule, ...] = (VERDICT_DISAGREES, LOAD_FAILED, HANDLER_FAILS, IMPORT_THROWS, NOT_PROVED)

MODULE_ERROR_CODES = frozenset({
    "ERR_DLOPEN_FAILED", "ERR_INVALID_MODULE_SPECIFIER", "ERR_INVALID_PACKAGE_CONFIG", "ERR_INVALID_PACKAGE_TARGET",
    "ERR_PACKAGE_IMPORT_NOT_DEFINED", "ERR_PACKAGE_PATH_NOT_EXPORTED", "ERR_REQUIRE_ASYNC_MODULE",
    "ERR_REQUIRE_CYCLE_MODULE", "ERR_REQUIRE_ESM", "ERR_UNKNOWN_FILE_EXTENSION", "ERR_UNKNOWN_MODULE_FORMAT",
    "ERR_UNSUPPORTED_DIR_IMPORT", "ERR_UNSUPPORTED_ESM_URL_SCHEME",
})  # fmt: skip
"""Codes of node about the files of a package (Node.js documentation, "Errors", read 2026-11): the same on Lambda."""

MISSING_MODULE_CODES = frozenset({"MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"})

_MISSING = re.compile(r"Cannot find (?:module|package) '(?P<specifier>[^']+)'(?: imported from (?P<file>\S+))?")
_REQUIRE_STACK = re.compile(r"Require stack:\n- (?P<file>\S+)")
_NODE_FRAME = re.compile(r"\n +at [^\n]*\(?node:internal/modules/")
_ANY_FRAME = re.compile(r"\n +at ")
_PLACE = re.compile(r"(?:file://)?(?:/var/task|/opt)/(?P<place>[^\s:()]+:\d+)")
_JSON_FILE = re.compile(r"(?:/var/task|/opt)/\S+\.json: ")


@dataclass(frozen=True, slots=True)
class LoadError:
    """How the loading of a file ended that did not end well."""

    text: str  # the loader's or node's own words, or the signal
    name: str = ""  # of what was thrown: "TypeError"; "" when nothing was
    code: str = ""  # node's: "ERR_MODULE_NOT_FOUND"
    stack: str = ""
    crashed: bool = False  # a signal ended it
    late: bool = False  # it took too long and was ended
    exited: bool = False  # the code itself ended the process

    @property
    def place(self) -> str:
        """The first line of the package's own files in the stack: "index.js:3"; "" when there is none."""
        match = _PLACE.search(self.stack)
        return match["place"] if match else ""

    @property
    def missing(self) -> tuple[str, str] | None:
        """The specifier that node did not find and the file that asked for it, as node names them."""
        match = _MISSING.search(self.text) if self.code in MISSING_MODULE_CODES else None
        if match is None:
            return None
        stack = _REQUIRE_STACK.search(self.text)
        file = match["file"] or (stack["file"] if stack else "")
        return match["specifier"], file.removeprefix("file://")

    @property
    def is_about_files(self) -> bool:
        """True for what comes of the files alone, whatever the function's surroundings.

        A SyntaxError is node's own when the first frame below it is the module loader's: JSON.parse(undefined) and
        `new Function` throw one, too.
        """
        if self.crashed or self.code in MODULE_ERROR_CODES or "in ES module scope" in self.text:
            return True
        if self.name != "SyntaxError":
            return not (self.name or self.late or self.exited)
        first = _ANY_FRAME.search(self.stack)
        own = _NODE_FRAME.search(self.stack)
        thrown_by_node = first is not None and own is not None and own.start() == first.start()
        return thrown_by_node or _JSON_FILE.match(self.text) is not None


def loadable_addons(report: Report) -> tuple[Judgement, ...]:
    """Return the addons that a loader of their package would open; programs and plain libraries are not for dlopen."""
    return tuple(
        judgement for judgement in report.judgements if judgement.selected and judgement.binary.role is BinaryRole.ADDON
    )


def load_findings(tried: Mapping[str, tuple[Judgement, LoadError | None]], image: str) -> Iterator[Finding]:
    """Yield the findings of a load test; `tried` is path to (judgement, the loader's error)."""
    for path, (judgement, failure) in tried.items():
        if failure is not None and failure.late:
            yield Finding(NOT_PROVED, path, f"{path} was not open after {failure.text}")
            continue
        error = failure.text if failure else ""
        outcome = judgement.outcome
        evidence = (
            ("static", outcome.value),
            ("cause", judgement.cause),
            ("loader", error or "it loaded"),
            ("image", image),
            ("sha256", judgement.binary.sha256),
        )
        if outcome is Outcome.UNKNOWN and error:
            yield Finding(LOAD_FAILED, path, error, package=judgement.package, evidence=evidence)
        elif outcome is not Outcome.UNKNOWN and (outcome is Outcome.FAILS) != bool(error):
            message = f"lambdapack predicts {outcome.value}, the loader prints: {error or 'nothing, the file loaded'}"
            yield Finding(VERDICT_DISAGREES, path, message, package=judgement.package, evidence=evidence)


def handler_import_finding(path: str, error: LoadError, image: str, *, asked_literally: bool = False) -> Finding:
    """Return the finding about a handler that was not imported.

    `asked_literally`: what is missing is written as a literal where node says that it is asked for; a name that was
    computed can be another one in Lambda.
    """
    evidence = (("image", image), ("node", error.text), ("code", error.code), ("place", error.place))
    if error.late:
        return Finding(NOT_PROVED, path, f"the import of {path} took longer than {error.text}")
    if error.is_about_files or (error.missing and asked_literally):
        return Finding(HANDLER_FAILS, path, error.text, evidence=evidence)
    place = f" ({error.place})" if error.place else ""
    kind = f"{error.name}: " if error.name and not error.text.startswith(error.name) else ""
    return Finding(IMPORT_THROWS, path, f"{kind}{error.text}{place}", evidence=evidence)


def drop_proved_doubts(report: Report, bound: Collection[str]) -> Report:
    """Return the report without the doubts about symbols of addons whose every symbol was found (paths)."""

    def is_proved(judgement: Judgement) -> bool:
        doubt = judgement.outcome is Outcome.UNKNOWN and judgement.cause == UNDEFINED_SYMBOL.name
        return doubt and judgement.binary.path in bound

    gone = {judgement.binary.path for judgement in report.judgements if is_proved(judgement)}
    return replace(
        report,
        judgements=tuple(
            replace(judgement, outcome=Outcome.LOADS, cause=None, finding=None) if is_proved(judgement) else judgement
            for judgement in report.judgements
        ),
        findings=tuple(
            finding for finding in report.findings if finding.rule is not UNDEFINED_SYMBOL or finding.path not in gone
        ),
    )
