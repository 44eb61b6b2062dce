"""`python -m images.lab`: stand-in Lambda images into the container engine. Does nothing when they are there."""

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

if not __package__:  # started by its path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from images.lab import cache, engine, host, making
from images.lab.recipe import RELEASES, Cpu

PARALLEL = 2
"""Pairs made at a time; decompressing and hashing leave the interpreter's lock. Each takes 400 MB of memory."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the images' names. Exit 3 when the environment is not able to: no engine, network or apt-get."""
    parsed = _parser().parse_args(arguments)
    majors = sorted(set(parsed.node or [22]))
    cpus = [cpu for cpu in Cpu if not parsed.arch or cpu.aws in parsed.arch]
    releases = [release for release in RELEASES if release.major in majors]
    orders = [making.Order(r, cpu, parsed.noheaders, parsed.refresh) for r in releases for cpu in cpus]
    try:
        if parsed.host_node:
            _say(f"node and npm for this host: {host.install(releases[-1], cache.directory())}")
        _make(orders)
    except cache.LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 3
    for order in orders:
        for name in order.names:
            print(name)
    return 0


def _make(orders: Sequence[making.Order]) -> None:
    engine.require()
    if not (missing := making.missing(orders)):
        _say("images are there")
        return
    folder = cache.directory()
    _say(f"making {len(missing)} pairs of images; about 65 MB of packages each, kept in {folder}")
    started = time.monotonic()
    with ThreadPoolExecutor(PARALLEL) as pool:
        for making_one in [pool.submit(making.make, order, folder, _say) for order in missing]:
            making_one.result()
    _say(f"done in {time.monotonic() - started:.0f} s")


def _say(text: str) -> None:
    print(f"lab: {text}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="images.lab", description=__doc__)
    majors = [release.major for release in RELEASES]
    parser.add_argument("--node", type=int, action="append", choices=majors, help="Node line, repeatable; 22")
    parser.add_argument("--arch", action="append", choices=[cpu.aws for cpu in Cpu], help="repeatable; both")
    parser.add_argument("--noheaders", action="store_true", help="also images without /var/lang/include")
    parser.add_argument("--host-node", action="store_true", help="also node and npm in the cache's host/bin")
    parser.add_argument("--refresh", action="store_true", help="make again with the newest Debian packages")
    return parser


if __name__ == "__main__":
    sys.exit(main())
