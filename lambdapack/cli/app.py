"""The typer application, and the one place where every exception becomes an exit code."""

import errno
import os
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any

import typer

from lambdapack import __version__
from lambdapack.cli.command import (
    build,
    cache,
    deploy,
    doctor,
    explain,
    images,
    init,
    inspect,
    invoke,
    publish_layer,
    runtimes,
    schema,
    verify,
)
from lambdapack.cli.output import console
from lambdapack.errors.record import ExitCode, LambdapackError
from lambdapack.errors.usage import BAD_TARGET, USAGE

MAX_SHOWN_PATH_CHARACTERS = 60
"""Characters of a path that is longer than any can be."""

app = typer.Typer(
    name="lambdapack",
    help="Build, verify, invoke and deploy Node.js packages with native addons for AWS Lambda.",
    epilog="Settings come from flags, LAMBDAPACK_* variables, lambdapack.toml and package.json, in this order.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)
app.command("build")(build.build)
app.command("verify", short_help="Verify a directory, zip, layer, or what is in AWS.")(verify.verify)
app.command("inspect", short_help="Show what is in a package, its size, and why.")(inspect.inspect)
app.command("invoke", short_help="Run the handler in the runtime image; print its answer.")(invoke.invoke)
app.command("explain", short_help="Explain an error message; show the commands that fix it.")(explain.explain)
app.command("doctor", short_help="Check whether this machine can build, and how to fix it.")(doctor.doctor)
app.command("publish-layer", short_help="Publish the dependencies as a layer; print its ARN.")(
    publish_layer.publish_layer
)
app.command("deploy")(deploy.deploy)
app.command("rollback", short_help="Move an alias back to an earlier version; print its ARN.")(deploy.rollback)
app.command("status", short_help="Show what is live, from which commit, and drift.")(deploy.status)
app.command("init", short_help="Write starter files for make, SAM, Terraform, CDK, CI.")(init.init)
app.add_typer(runtimes.app, name="runtimes")
app.add_typer(images.app, name="images")
app.add_typer(cache.app, name="cache")
app.command("schema", short_help="Print the JSON schema of a document.")(schema.schema)


def _print_version(requested: bool) -> None:
    if requested:
        console.write_stdout(f"lambdapack {__version__}\n")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    del version


def run_command(argv: Sequence[str]) -> int:
    """Run one command and return its exit code; only a signal escapes (cli/main.py)."""
    try:
        return _run_app(argv, style=_requested_format(argv))
    except BrokenPipeError:
        return console.end_on_broken_pipe()


def _run_app(argv: Sequence[str], *, style: str) -> int:
    try:
        return _exit_code(app(args=list(argv), prog_name="lambdapack", standalone_mode=False))
    except LambdapackError as error:
        return console.report_failure(error, style=style)
    except BrokenPipeError:
        raise
    except SystemExit as ended:  # how typer takes a pipe that nobody reads
        raise (ended.__context__ if isinstance(ended.__context__, BrokenPipeError) else ended) from None
    except Exception as error:  # noqa: BLE001  # the one place that turns a defect into exit 70
        return _report_exception(error, argv, style=style)


def _exit_code(result: Any) -> int:
    if result == ExitCode.INTERRUPTED:  # what typer makes of Ctrl-C; cli/main.py has more to say
        raise KeyboardInterrupt
    return result if isinstance(result, int) else int(ExitCode.FINE)


def _report_exception(error: Exception, argv: Sequence[str], *, style: str) -> int:
    """Typer's usage errors carry a message for people; anything else is a defect of ours."""
    if isinstance(error, OSError) and (refused := _path_failure(error)):
        return console.report_failure(refused, style=style)
    message = getattr(error, "format_message", None)
    if not callable(message):
        return console.report_defect(error, debug=bool(os.environ.get("LAMBDAPACK_DEBUG")), style=style)
    if type(error).__name__ == "NoArgsIsHelpError":  # its message is the whole help
        return console.print_usage(str(message()))
    context = getattr(error, "ctx", None)
    command = getattr(context, "command_path", None) or _command_name(argv)
    hint = f"Run `{command} --help`."
    return console.report_failure(LambdapackError(USAGE, str(message()), hint=hint), style=style)


def _path_failure(error: OSError) -> LambdapackError | None:
    """A path that the system will not even look up, at whichever step it was first asked for; None for other errors."""
    path = str(error.filename or "")
    if path and error.errno == errno.EACCES:
        detail = f"{path}: {error.strerror}"
        return LambdapackError(
            BAD_TARGET, detail, hint="Check the owner and permissions of the path and its parent directories."
        )
    if path and error.errno == errno.ENAMETOOLONG:
        detail = f"{path[:MAX_SHOWN_PATH_CHARACTERS]}...: {error.strerror}"
        return LambdapackError(USAGE, detail, hint="Shorten the path: file systems limit a name to 255 bytes.")
    return None


def _command_name(argv: Sequence[str]) -> str:
    """Return the command of a line that could not be parsed: its first word, when that is a command."""
    known = {*(command.name for command in app.registered_commands), *(group.name for group in app.registered_groups)}
    return " ".join(["lambdapack", *(argument for argument in argv[:1] if argument in known)])


def _requested_format(argv: Sequence[str]) -> str:
    """Return the value of --format, "" without one: a failure is told in it, even that of the command line."""
    named = [argument.removeprefix("--format=") for argument in argv if argument.startswith("--format=")]
    return next((value for option, value in pairwise(argv) if option == "--format"), named[-1] if named else "")
