"""Options that several commands share, and their shell completion. Imports little beside typer: `--help` stays fast."""

from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from lambdapack.report.formats import BUILD_FORMATS, FORMATS, VERIFY_FORMATS


def complete_runtimes(incomplete: str) -> list[str]:
    """Return the runtimes that begin so."""
    from lambdapack.runtimes.runtime import runtime_ids  # noqa: PLC0415

    return _filter_by_prefix(runtime_ids(), incomplete)


def complete_architecture(incomplete: str) -> list[str]:
    """Return the architectures that begin so."""
    return _filter_by_prefix(("arm64", "x86_64"), incomplete)


def complete_architecture_or_all(incomplete: str) -> list[str]:
    """Return the same, and the word for both."""
    return _filter_by_prefix(("all", "arm64", "x86_64"), incomplete)


def complete_severities(incomplete: str) -> list[str]:
    """Return what --fail-on takes."""
    return _filter_by_prefix(("error", "warning", "note", "never"), incomplete)


def complete_verify_formats(incomplete: str) -> list[tuple[str, str]]:
    """Return the formats of `verify` and what they are."""
    return [(row.name, row.help) for row in FORMATS if row.name.startswith(incomplete) and not row.builds_only]


def complete_build_formats(incomplete: str) -> list[tuple[str, str]]:
    """Return the formats of `build` and what they are."""
    return [(row.name, row.help) for row in FORMATS if row.name.startswith(incomplete)]


def complete_codes_and_packages(incomplete: str) -> list[str]:
    """Return the codes and names of findings and failures, and the packages of the book."""
    from lambdapack.book.book import read_book  # noqa: PLC0415
    from lambdapack.errors.registry import FAILURES  # noqa: PLC0415
    from lambdapack.rules.registry import RULES  # noqa: PLC0415

    known = [*(rule.code for rule in RULES), *(failure.code for failure in FAILURES), *sorted(read_book())]
    return _filter_by_prefix(known, incomplete)


def complete_engines(incomplete: str) -> list[str]:
    """Return what --engine takes."""
    from lambdapack.config.settings import ENGINES  # noqa: PLC0415

    return _filter_by_prefix(ENGINES, incomplete)


def complete_strategies(incomplete: str) -> list[str]:
    """Return what --strategy takes."""
    from lambdapack.config.settings import STRATEGY_NAMES  # noqa: PLC0415

    return _filter_by_prefix(STRATEGY_NAMES, incomplete)


def complete_rule_codes(incomplete: str) -> list[str]:
    """Return the codes that --ignore takes."""
    from lambdapack.rules.registry import RULES  # noqa: PLC0415

    return _filter_by_prefix([rule.code for rule in RULES], incomplete)


def complete_schemas(incomplete: str) -> list[str]:
    """Return the names that `lambdapack schema` takes."""
    from lambdapack.report.document.published import SCHEMAS  # noqa: PLC0415

    return _filter_by_prefix(SCHEMAS, incomplete)


def _filter_by_prefix(words: Iterable[str], incomplete: str) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]


def _require_verify_format(name: str) -> str:
    return _require_word(name, VERIFY_FORMATS)


def _require_build_format(name: str) -> str:
    return _require_word(name, BUILD_FORMATS)


def _require_word(name: str, words: Iterable[str]) -> str:
    if name not in words:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(map(repr, words))}.")
    return name


class ListFormat(Enum):
    """How a list is written."""

    HUMAN = "human"
    JSON = "json"


RuntimeOption = Annotated[
    str | None,
    typer.Option(
        "--runtime", help="Lambda runtime, such as nodejs22.x.", metavar="ID", autocompletion=complete_runtimes
    ),
]
ArchOption = Annotated[
    str | None,
    typer.Option(
        "--arch",
        help="x86_64 or arm64.",
        metavar="ARCH",
        autocompletion=complete_architecture,
    ),
]
ArchOrAllOption = Annotated[
    str | None,
    typer.Option(
        "--arch",
        help="x86_64, arm64, or all for one package each.",
        metavar="ARCH",
        autocompletion=complete_architecture_or_all,
    ),
]
HandlerOption = Annotated[
    str | None, typer.Option("--handler", help="Handler as FILE.EXPORT; default index.handler.", metavar="NAME")
]
ImageOption = Annotated[
    str | None, typer.Option("--image", help="Runtime image; may contain {node} {runtime} {arch}.", metavar="IMAGE")
]
BuildImageOption = Annotated[
    str | None, typer.Option("--build-image", help="Image with compilers; same placeholders.", metavar="IMAGE")
]
FormatOption = Annotated[ListFormat, typer.Option("--format", help="Output format.")]
VerifyFormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        help="Output format.",
        metavar=f"[{'|'.join(VERIFY_FORMATS)}]",
        callback=_require_verify_format,
        autocompletion=complete_verify_formats,
    ),
]
BuildFormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        help="Output format.",
        metavar=f"[{'|'.join(BUILD_FORMATS)}]",
        callback=_require_build_format,
        autocompletion=complete_build_formats,
    ),
]
FailOnOption = Annotated[
    str | None,
    typer.Option(
        "--fail-on",
        help="Lowest severity that fails: error, warning, note, never.",
        metavar="SEVERITY",
        autocompletion=complete_severities,
    ),
]
IgnoreOption = Annotated[
    list[str] | None,
    typer.Option(
        "--ignore",
        help="Suppress a finding, with a reason; repeatable.",
        metavar="CODE[:PATH]=REASON",
        autocompletion=complete_rule_codes,
    ),
]
LayerOption = Annotated[
    list[Path] | None,
    typer.Option("--layer", help="Layer at /opt, a zip or directory; repeatable, in order.", metavar="PATH"),
]
WithLayerOption = Annotated[
    list[Path] | None,
    typer.Option("--with-layer", help="Layer of the function to verify with; repeatable.", metavar="PATH"),
]
LoadOption = Annotated[bool, typer.Option("--load", help="Load every addon and the handler in the image.")]
BuildLoadOption = Annotated[
    bool | None,
    typer.Option(
        "--load/--no-load", help="Load addons and handler in the image: always, or never.", show_default=False
    ),
]
EnvOption = Annotated[
    list[str] | None, typer.Option("--env", help="Environment variable; repeatable.", metavar="NAME=VALUE")
]
EnvFileOption = Annotated[
    list[Path] | None, typer.Option("--env-file", help="File with one NAME=VALUE per line.", metavar="FILE")
]
RuntimeFileOption = Annotated[
    Path | None,
    typer.Option("--runtime-file", help="Verify against this measured runtime, not --runtime.", metavar="FILE"),
]
EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine",
        help="auto, docker, podman, or local: no container at all.",
        metavar="ENGINE",
        autocompletion=complete_engines,
    ),
]
StrategyOption = Annotated[
    str | None,
    typer.Option(
        "--strategy",
        help="How to install for another CPU; see `doctor`.",
        metavar="NAME",
        autocompletion=complete_strategies,
    ),
]
NoCacheOption = Annotated[bool, typer.Option("--no-cache", help="Do not read or write the cache.")]
ProfileOption = Annotated[str | None, typer.Option("--profile", help="AWS profile.", metavar="NAME")]
RegionOption = Annotated[str | None, typer.Option("--region", help="AWS region.", metavar="NAME")]
EndpointUrlOption = Annotated[
    str | None, typer.Option("--endpoint-url", help="AWS endpoint, such as an emulator's.", metavar="URL")
]
FunctionOption = Annotated[
    list[str] | None, typer.Option("--function", "-f", help="Function name or ARN; repeatable.", metavar="NAME")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Hide progress and npm's output.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Also list excluded files and ignored findings.")]
