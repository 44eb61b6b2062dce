"""`lambdapack build`: signature and help; cli/run/build.py runs it."""

from pathlib import Path
from typing import Annotated

import typer

from lambdapack.cli.command import options
from lambdapack.report.formats import HUMAN

SETTING_OPTIONS = (
    *("runtime", "arch", "layer", "handler", "output", "image", "build-image", "strategy", "emulation", "fail-on"),
    *("ignore", "prune", "strip", "max-size", "sbom", "store", "compress", "provenance", "log-limit"),
)
"""Options that are settings of the same name."""


def build(
    path: Annotated[Path, typer.Argument(help="Directory with package.json.", show_default=True)] = Path(),
    runtime: options.RuntimeOption = None,
    arch: options.ArchOrAllOption = None,
    runtime_file: options.RuntimeFileOption = None,
    layer: Annotated[bool | None, typer.Option("--layer", help="Build a layer of the dependencies.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Build every function of the repository.")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="Build the functions of this name or glob; repeatable.", metavar="NAME"),
    ] = None,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="With --all: keep the other archives when one fails.")
    ] = False,
    with_layer: options.WithLayerOption = None,
    handler: options.HandlerOption = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="Zip to write; a directory with --arch all.", metavar="PATH")
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option("--into", help="Write to this empty directory instead of a zip.", metavar="DIRECTORY"),
    ] = None,
    image: options.ImageOption = None,
    build_image: options.BuildImageOption = None,
    system_package: options.SystemPackageOption = None,
    engine: options.EngineOption = None,
    strategy: options.StrategyOption = None,
    emulation: Annotated[str | None, typer.Option("--emulation", hidden=True)] = None,
    allow_unconfined_scripts: Annotated[
        bool,
        typer.Option("--allow-unconfined-scripts", help="With --engine local: run install scripts with your rights."),
    ] = False,
    no_install: Annotated[
        bool, typer.Option("--no-install", help="Skip npm ci; verify and zip the existing node_modules.")
    ] = False,
    load: options.BuildLoadOption = None,
    env: options.EnvOption = None,
    env_file: options.EnvFileOption = None,
    provenance: Annotated[
        bool | None, typer.Option("--provenance", help="Write a SLSA provenance statement beside the zip.")
    ] = None,
    log_limit: Annotated[
        str | None, typer.Option("--log-limit", help="Most that a command of the build may print.", metavar="SIZE")
    ] = None,
    no_prune: Annotated[bool, typer.Option("--no-prune", help="Keep binaries for other platforms.")] = False,
    prune: Annotated[
        str | None,
        typer.Option("--prune", help="Leave out files of packages: types, maps, tests, docs.", metavar="KINDS"),
    ] = None,
    strip: Annotated[bool | None, typer.Option("--strip", help="Leave out debug symbols of binaries.")] = None,
    max_size: Annotated[
        str | None, typer.Option("--max-size", help="Largest size of the zip, such as 10MB.", metavar="SIZE")
    ] = None,
    sbom: Annotated[
        str | None, typer.Option("--sbom", help="Write a bill of materials (CycloneDX JSON).", metavar="FILE")
    ] = None,
    check_reproducible: Annotated[
        bool, typer.Option("--check-reproducible", help="Build twice without the store; name the first difference.")
    ] = False,
    store: Annotated[
        str | None,
        typer.Option("--store", help="Shared store: a directory or s3://BUCKET/PREFIX.", metavar="ADDRESS"),
    ] = None,
    compress: Annotated[
        str | None, typer.Option("--compress", help="Effort of the zip: fast, default or best.", metavar="EFFORT")
    ] = None,
    why: Annotated[bool, typer.Option("--why", help="Say what has changed since the last build.")] = False,
    frozen: Annotated[bool, typer.Option("--frozen", help="Fail rather than start a container.")] = False,
    refresh: Annotated[bool, typer.Option("--refresh", help="Install again, whatever is stored.")] = False,
    keep_container: Annotated[
        bool, typer.Option("--keep-container", help="Keep the container for inspection.")
    ] = False,
    report_format: options.BuildFormatOption = HUMAN,
    fail_on: options.FailOnOption = None,
    ignore: options.IgnoreOption = None,
    no_cache: options.NoCacheOption = False,
    verbose: options.VerboseOption = False,
    quiet: options.QuietOption = False,
) -> int:
    """Install, verify and zip; print the archive's path.

    Runs npm ci inside the runtime's image for the function's architecture, checks every binary against what the
    runtime provides, and writes .lambdapack/NAME-RUNTIME-ARCH.zip. With an error finding: no archive, exit 1.

    A build that ran a container then opens every addon and imports the handler in the bare image, without a network
    and as Lambda's user; --load does so always, under emulation too, --no-load never.

    --all and --only NAME build the functions that templates and [functions.NAME] of lambdapack.toml declare, each in
    its own directory's .lambdapack, or in the directory --output; the failures come at the end, all together.

    --with-layer names the function's layers, in its order: they are verified with the package and never packed.
    --system-package installs a package of the image's system (dnf) before the install: cairo-devel, postgresql-devel.
    Libraries that a binary needs and the runtime lacks are taken along in lib/ (bundle-libraries = "off" turns it off).

    --into is for tools that zip themselves (`sam build`): symlinks are resolved, and the report goes to stdout.

    --engine local needs no container engine and no root: it runs the runtime's Node.js from the npm registry on this
    host, compiles for either CPU with zig, and confines install scripts with bubblewrap. auto, the default, takes it
    where no container engine answers. --allow-unconfined-scripts lets scripts run where nothing confines them: they can
    then read your files and credentials.

    Example: lambdapack build --runtime nodejs22.x --arch arm64
    """
    values = locals()
    from lambdapack.cli.run.build import BuildOptions, RepeatOptions, run_build  # noqa: PLC0415  # `--help` must not wait for it

    flags = {
        **{name: values[name.replace("-", "_")] for name in SETTING_OPTIONS},
        "layers": with_layer,
        "system-packages": system_package,
        "engine-use": engine,
        "load": None if load is None else "always" if load else "never",
        "cache": False if no_cache else None,
    }
    arguments = BuildOptions(
        path,
        runtime_file,
        into,
        install=not no_install,
        variables=tuple(env or ()),
        env_files=tuple(env_file or ()),
        prune=not no_prune,
        again=RepeatOptions(keep_container, frozen, refresh, why, check_reproducible),
        allow_unconfined=allow_unconfined_scripts,
        style=report_format,
        verbose=verbose,
        quiet=quiet,
    )
    if every or only:
        from lambdapack.cli.run.build_all import run_build_all  # noqa: PLC0415  # as above

        return run_build_all(arguments, flags, tuple(only or ()), keep_going=keep_going)
    return run_build(arguments, flags)
