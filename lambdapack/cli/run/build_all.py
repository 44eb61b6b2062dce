"""Runs `lambdapack build --all`: every function of a repository, one after the other, with all failures at the end."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from lambdapack.cli.input.settings import fail_on_severity
from lambdapack.cli.output import console
from lambdapack.cli.output.location import project_locator
from lambdapack.cli.output.progress import ProgressReporter
from lambdapack.cli.run.build import BuildOptions, build_function, render_package
from lambdapack.config.functions import DeclaredFunction, find_functions, select_functions
from lambdapack.config.settings import OPTIONS
from lambdapack.errors.record import ExitCode, LambdapackError
from lambdapack.errors.usage import USAGE
from lambdapack.pack.output import MANIFEST_SUFFIX
from lambdapack.pipeline.package.request import BuiltPackage
from lambdapack.report.formats import HUMAN, RenderContext, render_reports


@dataclass(frozen=True, slots=True)
class BuiltFunction:
    """What came of one function: its packages, or the failure that ended its build."""

    name: str
    built: tuple[BuiltPackage, ...] = ()
    failure: LambdapackError | None = None
    passed: bool = False


def run_build_all(
    options: BuildOptions, flags: Mapping[str, object], only: Sequence[str], *, keep_going: bool = False
) -> int:
    """Build the functions, tell, and return the exit code."""
    if options.into is not None or options.runtime_file is not None:
        raise LambdapackError(
            USAGE, "--into and --runtime-file are for one function", hint="Name one function's directory."
        )
    progress = ProgressReporter(quiet=options.quiet)
    notes: list[str] = []
    functions = select_functions(find_functions(options.path, os.environ, notes), only)
    for note in dict.fromkeys(notes):
        progress.note(note)
    results = [_build_one(options, flags, function, progress) for function in functions]
    failed = [result for result in results if not result.passed]
    if failed and not keep_going:
        _remove_archives(results)
    _print_results(results, options, removed=bool(failed) and not keep_going)
    if not failed:
        return int(ExitCode.FINE)
    codes = [int(result.failure.failure.exit) for result in failed if result.failure]
    return max(codes, default=int(ExitCode.JUDGEMENT))


def _build_one(
    options: BuildOptions, flags: Mapping[str, object], function: DeclaredFunction, progress: ProgressReporter
) -> BuiltFunction:
    own = replace(options, path=function.directory)
    progress.note(f"function {function.name} ({function.directory})")
    try:
        built, settings = build_function(own, _function_flags(flags, function), progress, function.name)
    except LambdapackError as error:
        return BuiltFunction(function.name, failure=error)
    named = tuple(_name_package(package, function.name) for package in built)
    limit = fail_on_severity(settings)
    passed = all(package.archive for package in named) and not (
        limit is not None and any(package.report.fails(limit) for package in named)
    )
    return BuiltFunction(function.name, named, passed=passed)


def _function_flags(flags: Mapping[str, object], function: DeclaredFunction) -> dict[str, object]:
    """Return the flags over what the function declares, which gives way to the environment's variables too."""
    variables = {option.name: option.variable for option in OPTIONS}
    declared = {
        name.replace(".", "_").replace("-", "_"): value
        for name, value in function.values.items()
        if not os.environ.get(variables.get(name, ""), "").strip()
    }
    given = {name.replace("-", "_"): value for name, value in flags.items() if value not in (None, (), [])}
    if "output" in given:
        given["output"] = f"{str(given['output']).rstrip('/')}{os.sep}"
    return {**declared, **given}


def _name_package(package: BuiltPackage, name: str) -> BuiltPackage:
    report = package.report
    return replace(package, report=replace(report, subject=replace(report.subject, function=name)))


def _remove_archives(results: Sequence[BuiltFunction]) -> None:
    """Remove what this run has written: of several functions all are there, or none."""
    for result in results:
        for package in result.built:
            if package.archive is not None:
                package.archive.path.unlink(missing_ok=True)
                Path(f"{package.archive.path}{MANIFEST_SUFFIX}").unlink(missing_ok=True)


def _print_results(results: Sequence[BuiltFunction], options: BuildOptions, *, removed: bool) -> None:
    """Reports and failures go to stderr, function by function; paths or reports to stdout."""
    for result in results:
        for package in result.built:
            console.write_stderr(f"{result.name}: {render_package(package, verbose=options.verbose)}")
    for result in results:
        if result.failure is not None:
            error = result.failure
            console.write_stderr(
                f"{result.name}: error[{error.failure.code}]: {error.failure.title}\n  | {error.detail}\n"
            )
            console.write_stderr(f"  = help: {error.hint or error.failure.fix}\n")
    packages = [package for result in results for package in result.built]
    if options.style == HUMAN:
        kept = [package for package in packages if package.archive and not removed]
        console.write_stdout("".join(f"{package.archive.path}\n" for package in kept if package.archive))
    else:
        context = RenderContext(partial(project_locator, options.path), several=True)
        console.write_stdout(render_reports(options.style, [package.report for package in packages], context))
    failed = [result.name for result in results if not result.passed]
    if failed:
        kept_text = "no archive was kept (--keep-going keeps the others)" if removed else "the others were written"
        console.write_stderr(f"{len(failed)} of {len(results)} functions failed: {', '.join(failed)}; {kept_text}\n")
