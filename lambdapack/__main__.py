"""The console script. `--version` answers before anything heavy is imported."""

import gc
import os
import sys

OBJECTS = 200_000
"""Made since the last search for cycles: a short run makes many objects, keeps them, and hardly a cycle among them."""


def main() -> int:
    """Run the command line and return its exit code."""
    if sys.argv[1:] == ["--version"]:
        from lambdapack import __version__  # noqa: PLC0415  # the answer needs nothing else

        sys.stdout.write(f"lambdapack {__version__}\n")
        return 0
    from lambdapack.cli.signals import run_with_signals  # noqa: PLC0415  # costs more than the answer above

    gc.set_threshold(OBJECTS)
    _open_missing_streams()
    return run_with_signals(_run)


def _open_missing_streams() -> None:
    """A stream that the caller closed (`>&-`) is None here; what is written to it goes nowhere, and it has no text."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  # lives as long as we do


def _run() -> int:
    from lambdapack.cli.app import run_command  # noqa: PLC0415  # a signal may come while this takes its time

    return run_command(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
