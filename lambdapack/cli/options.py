"""Options that several commands share. Imports typer and what completes values: `--help` must not wait for more."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from lambdapack.cli import completing


class Format(Enum):
    """How a list is written."""

    HUMAN = "human"
    JSON = "json"


class ReportFormat(Enum):
    """How findings are written."""

    HUMAN = "human"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"
    GITLAB = "gitlab"
    MARKDOWN = "markdown"


class BuildFormat(Enum):
    """How a build is told; all but the last are how its findings are written."""

    HUMAN = "human"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"
    GITLAB = "gitlab"
    MARKDOWN = "markdown"
    TERRAFORM = "terraform-external"


Runtime = Annotated[
    str | None,
    typer.Option(
        "--runtime", help="Lambda runtime, such as nodejs22.x.", metavar="ID", autocompletion=completing.runtimes
    ),
]
Arch = Annotated[
    str | None,
    typer.Option(
        "--arch",
        help="x86_64 or arm64.",
        metavar="ARCH",
        autocompletion=completing.architecture,
    ),
]
Arches = Annotated[
    str | None,
    typer.Option(
        "--arch", help="x86_64, arm64, or all for one each.", metavar="ARCH", autocompletion=completing.architectures
    ),
]
Handler = Annotated[
    str | None, typer.Option("--handler", help="FILE.EXPORT, by default index.handler.", metavar="NAME")
]
Image = Annotated[
    str | None, typer.Option("--image", help="Runtime image; may contain {node} {runtime} {arch}.", metavar="IMAGE")
]
BuildImage = Annotated[
    str | None, typer.Option("--build-image", help="Image with a toolchain, likewise.", metavar="IMAGE")
]
FormatOption = Annotated[Format, typer.Option("--format", help="How to write it.")]
ReportOption = Annotated[ReportFormat, typer.Option("--format", help="How to write the report.")]
BuildOption = Annotated[BuildFormat, typer.Option("--format", help="How to tell of it.")]
FailOn = Annotated[
    str | None,
    typer.Option(
        "--fail-on",
        help="Severity that fails: error, warning, note, never.",
        metavar="SEVERITY",
        autocompletion=completing.severities,
    ),
]
Ignores = Annotated[
    list[str] | None,
    typer.Option(
        "--ignore",
        help="Live with a finding; repeatable.",
        metavar="CODE[:PATH]=REASON",
        autocompletion=completing.findings,
    ),
]
Layers = Annotated[
    list[Path] | None,
    typer.Option("--layer", help="A layer at /opt, zip or directory; repeatable, in order.", metavar="PATH"),
]
WithLayers = Annotated[
    list[Path] | None,
    typer.Option("--with-layer", help="Judge with a layer that the function has; repeatable.", metavar="PATH"),
]
Load = Annotated[bool, typer.Option("--load", help="Prove it: load every addon and the handler in the image.")]
RuntimeFile = Annotated[
    Path | None,
    typer.Option("--runtime-file", help="Judge by this measurement alone, in place of --runtime.", metavar="FILE"),
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Remember nothing, and trust nothing remembered.")]
Profile = Annotated[str | None, typer.Option("--profile", help="Profile of the AWS configuration.", metavar="NAME")]
Region = Annotated[str | None, typer.Option("--region", help="AWS region.", metavar="NAME")]
Endpoint = Annotated[
    str | None, typer.Option("--endpoint-url", help="Another address for AWS: an emulator, a VPC.", metavar="URL")
]
Functions = Annotated[list[str], typer.Option("--function", "-f", help="Its name; repeatable.", metavar="NAME")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no lines of npm.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Also name what was left out and what is ignored.")]
