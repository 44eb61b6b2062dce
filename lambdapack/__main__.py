"""The console script. `--version` answers before anything heavy is imported."""

import sys


def main() -> int:
    """Run the command line and return its exit code."""
    if sys.argv[1:] == ["--version"]:
        from lambdapack import __version__  # noqa: PLC0415  # the answer needs nothing else

        sys.stdout.write(f"lambdapack {__version__}\n")
        return 0
    from lambdapack.cli.signals import guarded  # noqa: PLC0415  # costs more than the answer above

    return guarded(_run)


def _run() -> int:
    from lambdapack.cli.app import run  # noqa: PLC0415  # a signal may come while this takes its time

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
