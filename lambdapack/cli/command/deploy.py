"""`lambdapack deploy`, `rollback` and `status`: signatures and help; modules of these names in cli/run/ run them."""

from pathlib import Path
from typing import Annotated

import typer

from lambdapack.cli.command import options


def deploy(
    path: Annotated[Path | None, typer.Argument(help="Zip, or a project to build first; default: see below.")] = None,
    function: options.FunctionOption = None,
    alias: Annotated[
        str | None, typer.Option("--alias", help="Alias to point to the new version.", metavar="NAME")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan; change nothing.")] = False,
    smoke: Annotated[
        Path | None, typer.Option("--smoke", help="Event that the new version must answer first.", metavar="FILE")
    ] = None,
    smoke_status: Annotated[
        int | None, typer.Option("--smoke-status", help="statusCode of that answer; default: below 400.")
    ] = None,
    canary: Annotated[
        str | None, typer.Option("--canary", help="Share of the alias's traffic, such as 10%.", metavar="PART")
    ] = None,
    keep_versions: Annotated[
        int | None,
        typer.Option("--keep-versions", help="Keep this many versions; delete older, unused ones.", metavar="N", min=1),
    ] = None,
    bucket: Annotated[
        str | None, typer.Option("--bucket", help="S3 bucket for zips over 50 MB.", metavar="NAME")
    ] = None,
    project: Annotated[
        Path | None, typer.Option("--project", help="Refuse a zip that is stale for this project.", metavar="DIR")
    ] = None,
    create: Annotated[bool, typer.Option("--create", help="Create the function when it does not exist.")] = False,
    role: Annotated[str | None, typer.Option("--role", help="Execution role of the function.", metavar="ARN")] = None,
    memory_size: Annotated[int | None, typer.Option("--memory-size", help="MB of memory.", min=1)] = None,
    timeout: Annotated[int | None, typer.Option("--timeout", help="Timeout in seconds.", min=1)] = None,
    ephemeral_storage: Annotated[int | None, typer.Option("--ephemeral-storage", help="MB of /tmp.", min=1)] = None,
    tracing: Annotated[
        str | None, typer.Option("--tracing", help="X-Ray tracing: active or passthrough.", metavar="MODE")
    ] = None,
    log_format: Annotated[
        str | None, typer.Option("--log-format", help="Log format: text or json.", metavar="FORMAT")
    ] = None,
    description: Annotated[
        str | None, typer.Option("--description", help="The function's description.", metavar="TEXT")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="Tag of the function; repeatable.", metavar="KEY=VALUE")
    ] = None,
    env: Annotated[
        list[str] | None, typer.Option("--env", help="Environment variable; repeatable.", metavar="NAME=VALUE")
    ] = None,
    env_file: Annotated[
        list[Path] | None, typer.Option("--env-file", help="File with NAME=VALUE lines; repeatable.", metavar="FILE")
    ] = None,
    remove_env: Annotated[
        list[str] | None, typer.Option("--remove-env", help="Variable to remove; repeatable.", metavar="NAME")
    ] = None,
    layer: Annotated[
        list[str] | None, typer.Option("--layer", help="Layer version; replaces the function's layers.", metavar="ARN")
    ] = None,
    remove_layer: Annotated[
        list[str] | None, typer.Option("--remove-layer", help="Layer to remove; repeatable.", metavar="ARN|NAME")
    ] = None,
    no_layers: Annotated[bool, typer.Option("--no-layers", help="Remove all of the function's layers.")] = False,
    handler: options.HandlerOption = None,
    runtime: options.RuntimeOption = None,
    arch: options.ArchOption = None,
    allow_arch_change: Annotated[
        bool, typer.Option("--allow-arch-change", help="Change the function to the package's architecture.")
    ] = False,
    allow_runtime_change: Annotated[
        bool, typer.Option("--allow-runtime-change", help="Change the function to the package's runtime.")
    ] = False,
    profile: options.ProfileOption = None,
    region: options.RegionOption = None,
    endpoint_url: options.EndpointUrlOption = None,
    report_format: options.FormatOption = options.ListFormat.HUMAN,
    fail_on: options.FailOnOption = None,
    ignore: options.IgnoreOption = None,
    verbose: options.VerboseOption = False,
    quiet: options.QuietOption = False,
) -> int:
    """Update functions and publish a version; print its ARN.

    Verifies the zip's bytes again, for the function's runtime, architecture, handler and layers, before it sends
    anything. The alias moves when the new version is ready and has answered the test event; on failure it stays where
    it was. After an interruption, run the same command to continue. Settings that are not named do not change.

    Without PATH it is the zip that `lambdapack build` wrote here; a project that has changed since is built again.

    Example: lambdapack deploy app.zip --function app --alias live --smoke event.json
    """
    from lambdapack.cli.input.resources import AwsOptions  # noqa: PLC0415
    from lambdapack.cli.run.aws.deploy import run_deploy  # noqa: PLC0415  # `--help` must not wait for it
    from lambdapack.cli.run.aws.deploy_request import DeployOptions  # noqa: PLC0415

    flags = {
        "runtime": runtime,
        "arch": arch,
        "handler": handler,
        "fail-on": fail_on,
        "ignore": ignore,
        "function": function,
        "alias": alias,
        "smoke": smoke,
        "canary": canary,
        "bucket": bucket,
        "memory-size": memory_size,
        "timeout": timeout,
        "ephemeral-storage": ephemeral_storage,
        "tracing": tracing,
        "log-format": log_format,
        "description": description,
        "tags": tag,
        "env-file": env_file,
    }
    arguments = DeployOptions(
        path=path,
        place=AwsOptions(profile, region, endpoint_url),
        dry_run=dry_run,
        smoke_status=smoke_status,
        project=project,
        create=create,
        role=role,
        variables=tuple(env or ()),
        removed_variables=tuple(remove_env or ()),
        layers=tuple(layer) if layer else None,
        removed_layers=tuple(remove_layer or ()),
        no_layers=no_layers,
        allow_architecture=allow_arch_change,
        allow_runtime=allow_runtime_change,
        keep_versions=keep_versions or 0,
        style=report_format,
        verbose=verbose,
        quiet=quiet,
    )
    return run_deploy(arguments, flags)


def rollback(
    function: options.FunctionOption = None,
    alias: Annotated[str | None, typer.Option("--alias", help="Alias to move back.", metavar="NAME")] = None,
    to: Annotated[str, typer.Option("--to", help="Version; default: the previous one.", metavar="VERSION")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would change; change nothing.")] = False,
    profile: options.ProfileOption = None,
    region: options.RegionOption = None,
    endpoint_url: options.EndpointUrlOption = None,
    report_format: options.FormatOption = options.ListFormat.HUMAN,
    quiet: options.QuietOption = False,
) -> int:
    """Move an alias back to a version that was published before; print its ARN.

    Without --to, it is the version that the alias had before the last `lambdapack deploy`, as the alias's description
    records it, or, during a canary, the version that still has most of the traffic. A further step back needs --to.
    Several functions move all or none. $LATEST does not change.

    Example: lambdapack rollback --function app --alias live
    """
    from lambdapack.cli.input.resources import AwsOptions  # noqa: PLC0415  # `--help` must not wait for it
    from lambdapack.cli.run.aws.rollback import RollbackOptions, run_rollback  # noqa: PLC0415

    arguments = RollbackOptions(
        to=to,
        place=AwsOptions(profile, region, endpoint_url),
        dry_run=dry_run,
        style=report_format,
        quiet=quiet,
    )
    return run_rollback(arguments, {"function": function, "alias": alias})


def status(
    path: Annotated[Path | None, typer.Argument(help="Zip to compare with; default: the one built here.")] = None,
    function: options.FunctionOption = None,
    alias: Annotated[str | None, typer.Option("--alias", help="Alias to show; default: all.", metavar="NAME")] = None,
    profile: options.ProfileOption = None,
    region: options.RegionOption = None,
    endpoint_url: options.EndpointUrlOption = None,
    report_format: options.FormatOption = options.ListFormat.HUMAN,
    quiet: options.QuietOption = False,
) -> int:
    """Show what is live: version, since when, by whom, commit, weights, and drift.

    Drift is whether the live code differs from the zip here: PATH, or the zip that `lambdapack build` wrote. Changes
    nothing.

    Example: lambdapack status --function app
    """
    from lambdapack.cli.input.resources import AwsOptions  # noqa: PLC0415  # `--help` must not wait for it
    from lambdapack.cli.run.aws.status import StatusOptions, run_status  # noqa: PLC0415

    arguments = StatusOptions(path, AwsOptions(profile, region, endpoint_url), report_format, quiet)
    return run_status(arguments, {"function": function, "alias": alias})
