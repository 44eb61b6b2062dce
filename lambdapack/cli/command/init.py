"""`lambdapack init`: signature and help; cli/run/init.py runs it."""

from pathlib import Path
from typing import Annotated

import typer

from lambdapack.cli.command import options


def init(
    path: Annotated[Path, typer.Argument(help="The function's directory.", metavar="[PATH]")] = Path(),
    runtime: options.RuntimeOption = None,
    arch: options.ArchOption = None,
    handler: options.HandlerOption = None,
    makefile: Annotated[bool, typer.Option("--makefile", help="File targets for make.")] = False,
    sam: Annotated[bool, typer.Option("--sam", help="Targets for `sam build` (BuildMethod: makefile).")] = False,
    terraform: Annotated[
        bool, typer.Option("--terraform", help="Data source and function; also for OpenTofu.")
    ] = False,
    cdk: Annotated[bool, typer.Option("--cdk", help="Function that returns Code, in JS or TypeScript.")] = False,
    serverless: Annotated[bool, typer.Option("--serverless", help="serverless.yml with a built artifact.")] = False,
    github: Annotated[bool, typer.Option("--github", help="Composite action and workflow.")] = False,
    gitlab: Annotated[bool, typer.Option("--gitlab", help="Job for GitLab CI.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files of an earlier init.")] = False,
    show: Annotated[bool, typer.Option("--print", help="Print the files instead of writing them.")] = False,
) -> int:
    """Write starter files for make, SAM, Terraform, CDK, Serverless, GitHub or GitLab.

    Without an option: lambdapack.toml and targets for make. Your own files are never changed: init prints what to add
    to them. Prints the paths that it wrote.

    Example: lambdapack init --sam --arch arm64
    """
    from lambdapack.cli.run.init import InitOptions, run_init  # noqa: PLC0415  # `--help` must not wait for it

    wishes = {
        "makefile": makefile,
        "sam": sam,
        "terraform": terraform,
        "cdk": cdk,
        "serverless": serverless,
        "github": github,
        "gitlab": gitlab,
    }
    recipes = tuple(name for name, wanted in wishes.items() if wanted)
    arguments = InitOptions(path, recipes, force=force, show=show)
    return run_init(arguments, {"runtime": runtime, "arch": arch, "handler": handler})
