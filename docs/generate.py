"""Makes the pages that say what the program's own records say. Run by mkdocs (gen-files), never by hand."""

import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import mkdocs_gen_files
from typer.main import get_command

from lambdapack.book.book import BookEntry, read_book
from lambdapack.cli.app import app
from lambdapack.errors.record import Failure
from lambdapack.errors.registry import FAILURES
from lambdapack.explain.causes import CAUSE_CODES
from lambdapack.explain.diagnose import MESSAGE_PATTERNS, diagnose
from lambdapack.explain.words import ExplainTarget
from lambdapack.model import Rule
from lambdapack.report.document import published
from lambdapack.rules.registry import RULES
from lambdapack.runtimes import runtime

RECIPES = Path(__file__).resolve().parents[1] / "examples" / "recipes"

RECORDS: tuple[Rule | Failure, ...] = (*RULES, *FAILURES)

STAGES = {
    "0": "Usage and configuration",
    "1": "Build",
    "2": "Binaries",
    "3": "Packages",
    "4": "Deployment",
    "9": "Defects",
}

TOOLS = {
    "makefile": "make",
    "sam": "AWS SAM: built by a Makefile",
    "sam-zip": "AWS SAM: a ready zip",
    "terraform": "Terraform, OpenTofu",
    "cdk": "AWS CDK",
    "serverless": "Serverless Framework, osls",
    "github": "GitHub Actions",
    "gitlab": "GitLab CI",
}

LANGUAGES = {".mk": "make", ".yaml": "yaml", ".yml": "yaml", ".tf": "terraform", ".js": "javascript", "": "make"}


def write(name: str, lines: Iterable[str]) -> None:
    with mkdocs_gen_files.open(name, "w") as file:
        file.write("\n".join(lines) + "\n")


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    names = list(head)
    yield "| " + " | ".join(names) + " |"
    yield "|" + "---|" * len(names)
    for row in rows:
        yield "| " + " | ".join(cell(each) for each in row) + " |"
    yield ""


def commands() -> Iterator[str]:
    yield "# Commands\n"
    yield "`lambdapack COMMAND --help` says the same. Every example here is run by the tests.\n"
    for path, command in _commands(get_command(app), ()):
        yield f"## lambdapack {' '.join(path)}\n"
        yield from _described(inspect.cleandoc(command.help or ""))
        arguments = [each for each in command.params if each.param_type_name == "argument"]
        options = [each for each in command.params if each.param_type_name == "option" and each.name != "help"]
        if arguments or options:
            rows = [(f"`{each.metavar or str(each.name).upper()}`", each.help or "") for each in arguments]
            rows += [
                (", ".join(f"`{name}`" for name in (*each.opts, *each.secondary_opts)), each.help or "")
                for each in options
            ]
            yield from table(("Argument or option", "What it is"), rows)


def _names(option: Any) -> str:
    return ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    inner = getattr(command, "commands", {})
    if path and (not inner or command.help):
        yield path, command
    for name, each in inner.items():
        yield from _commands(each, (*path, name))


def _described(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        whole = " ".join(paragraph.split())
        example = whole.removeprefix("Example: ")
        yield f"    {example}\n" if example != whole else f"{whole.replace('<', '&lt;')}\n"


def codes() -> Iterator[str]:
    yield "# Codes\n"
    yield "A *finding* is a judgement on a package; a *failure* is why lambdapack could not go on. "
    yield "`lambdapack explain LP201` prints the same.\n"
    for stage, title in STAGES.items():
        rules = [each for each in RULES if each.code[2] == stage]
        failures = [each for each in FAILURES if each.code[2] == stage]
        if not rules and not failures:
            continue
        yield f"## {title}\n"
        for rule in rules:
            yield from _record(rule, f"finding, {rule.severity.value}")
        for failure in failures:
            yield from _record(failure, f"failure, exit {int(failure.exit)}")


def _record(each: Any, kind: str) -> Iterator[str]:
    yield f"### {each.code} {each.name} {{ #{each.code.lower()} }}\n"
    yield f"*{kind}*: {each.title.replace('<', '&lt;')}.\n"
    yield f"{each.why.replace('<', '&lt;')}\n"
    yield f"**Fix.** {each.fix.replace('<', '&lt;')}\n"


def errors() -> Iterator[str]:
    yield "# From an error to the cure\n"
    yield "What lambdapack knows of the words that loaders, node, npm and Lambda print, by cause. Paste yours:\n"
    yield '    lambdapack explain "the line"        # or a whole log on stdin, or --function NAME --since 1h\n'
    by_cause: dict[str, list[tuple[str, str, str]]] = {cause: [] for cause in CAUSE_CODES}
    for sign in MESSAGE_PATTERNS:
        for found in diagnose(sign.example, ExplainTarget("nodejs22.x"))[:1]:
            by_cause[found.cause].append((f"``{cell(sign.example[:200])}``", sign.speaker, found.says))
    for cause, rows in by_cause.items():
        record: Any = next(each for each in RECORDS if each.code == CAUSE_CODES[cause])
        yield f"## {cause}\n"
        yield f"{record.why.replace('<', '&lt;')} **Fix.** {record.fix.replace('<', '&lt;')} "
        yield f"([{record.code}](codes.md#{record.code.lower()}))\n"
        yield from table(("What is printed", "By", "What it means"), rows)


def runtimes() -> Iterator[str]:
    yield "# Runtimes\n"
    yield "What Lambda's Node.js runtimes are. `lambdapack runtimes show ID` has the libraries and symbol versions of "
    yield "one; `lambdapack runtimes measure` makes such a description of an image, a directory or a tar of yours.\n"
    rows = []
    for name in runtime.runtime_ids():
        life = runtime.runtime_lifecycle(name)
        shipped = runtime.shipped_runtime(runtime.parse_target(name, runtime.runtime_architectures(name)[0].aws))
        rows.append(
            (
                f"`{name}`",
                str(shipped.abi),
                str(shipped.node_api),
                ", ".join(each.aws for each in runtime.runtime_architectures(name)),
                str(life.deprecated or ""),
                str(life.block_create or ""),
                str(life.block_update or ""),
            )
        )
    yield from table(("Runtime", "ABI", "Node-API", "CPUs", "Support ends", "No new functions", "No updates"), rows)
    yield "A day that is missing is not announced. Where each was read: `lambdapack runtimes list --format json`.\n"


def packages() -> Iterator[str]:
    yield "# Package book\n"
    yield "What is known of npm packages with binaries, each row with the source and the day that it was read. "
    yield "`lambdapack explain NAME` prints one.\n"
    for _, page in sorted(read_book().items()):
        yield from _page(page)


def _page(page: BookEntry) -> Iterator[str]:
    yield f"## {page.name}\n"
    said = [
        ("version read", page.newest),
        ("status", page.status.value),
        ("binary", page.delivery.value.replace("-", " ")),
        ("bound to", page.interface.value),
        ("needs", page.requirements),
        ("maintained instead", ", ".join(page.replacements)),
        ("without a binary", ", ".join(page.javascript_replacements)),
        ("programs", ", ".join(page.programs)),
        ("on Lambda", page.advice),
        ("source", f"{page.source} ({page.read_on})"),
    ]
    yield from table(("", ""), [(name, value) for name, value in said if value])


def recipes() -> Iterator[str]:
    yield "# Recipes\n"
    yield "`lambdapack init --TOOL` writes these files for your project, and says what to add to one that is yours. "
    yield "The tests run each of them with the tool itself.\n"
    for name, title in TOOLS.items():
        yield f"## {title}\n"
        if name != "sam-zip":
            yield f"    lambdapack init --{name}\n"
        for path in sorted(
            each for each in (RECIPES / name).rglob("*") if each.is_file() and each.name != ".lambdapackignore"
        ):
            yield f"**{path.relative_to(RECIPES / name).as_posix()}**\n"
            yield f"```{LANGUAGES.get(path.suffix, '')}\n{path.read_text(encoding='utf-8').rstrip()}\n```\n"


def schemas() -> Iterator[str]:
    yield "# JSON schemas\n"
    yield "Every document names its schema in the field `schema`. `lambdapack schema NAME` prints one.\n"
    yield from table(
        ("Name", "What it describes"), [(f"`{name}`", schema.what) for name, schema in published.SCHEMAS.items()]
    )
    for name in published.SCHEMAS:
        yield f"## {name}\n"
        yield from table(("Field", "Meaning"), _fields(published.find_schema(name)))


def _fields(schema: Any, before: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    if not isinstance(schema, dict) or depth > 6:
        return
    for name, field in schema.get("properties", {}).items():
        if isinstance(field, dict):
            yield f"`{before}{name}`", str(field.get("description", ""))
            yield from _fields(field, f"{before}{name}.", depth + 1)
            yield from _fields(field.get("items"), f"{before}{name}[].", depth + 1)


write("commands.md", commands())
write("errors.md", errors())
write("codes.md", codes())
write("runtimes.md", runtimes())
write("packages.md", packages())
write("recipes.md", recipes())
write("schemas.md", schemas())
