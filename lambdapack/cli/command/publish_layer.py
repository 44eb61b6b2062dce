"""`lambdapack publish-layer`: signature and help; cli/run/aws/publish_layer.py runs it."""

from pathlib import Path
from typing import Annotated

import typer

from lambdapack.cli.command import options


def publish_layer(
    path: Annotated[Path, typer.Argument(help="Layer zip, or a project to build first.")] = Path(),
    name: Annotated[str, typer.Option("--name", "-n", help="The layer's name.", metavar="NAME")] = ...,  # type: ignore[assignment]  # typer's word for "required"
    runtime: options.RuntimeOption = None,
    arch: options.ArchOrAllOption = None,
    keep: Annotated[
        int | None,
        typer.Option("--keep", help="Keep this many versions; delete older, unused ones.", metavar="N", min=1),
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="Share the layer with everybody.")] = False,
    share: Annotated[
        list[str] | None,
        typer.Option("--share", help="Account or organization to share with; repeatable.", metavar="ACCOUNT"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan; change nothing.")] = False,
    bucket: Annotated[str, typer.Option("--bucket", help="S3 bucket for zips over 50 MB.", metavar="NAME")] = "",
    project: Annotated[
        Path | None, typer.Option("--project", help="Refuse a zip that is stale for this project.", metavar="DIR")
    ] = None,
    profile: options.ProfileOption = None,
    region: options.RegionOption = None,
    endpoint_url: options.EndpointUrlOption = None,
    report_format: options.FormatOption = options.ListFormat.HUMAN,
    fail_on: options.FailOnOption = None,
    ignore: options.IgnoreOption = None,
    verbose: options.VerboseOption = False,
    quiet: options.QuietOption = False,
) -> int:
    """Publish a layer of the dependencies; print the version's ARN.

    The zip is verified for every runtime and architecture; the version lists those that it works on. A zip equal to
    the latest version is not published again: its ARN is printed. --arch all publishes NAME-x86_64 and NAME-arm64, or
    one layer for both when it has no native code.

    --keep N keeps the N newest versions, versions that a function of the region uses, and versions with a policy.

    Example: lambdapack publish-layer --name deps --runtime nodejs22.x --arch all --keep 5
    """
    from lambdapack.cli.input.resources import AwsOptions  # noqa: PLC0415
    from lambdapack.cli.run.aws.publish_layer import PublishLayerOptions, run_publish_layer  # noqa: PLC0415  # `--help` must not wait for it

    flags = {"runtime": runtime, "arch": arch, "layer": True, "fail-on": fail_on, "ignore": ignore}
    arguments = PublishLayerOptions(
        path=path,
        name=name,
        keep=keep or 0,
        public=public,
        share=tuple(share or ()),
        dry_run=dry_run,
        bucket=bucket,
        project=project,
        place=AwsOptions(profile, region, endpoint_url),
        style=report_format,
        verbose=verbose,
        quiet=quiet,
    )
    return run_publish_layer(arguments, flags)
