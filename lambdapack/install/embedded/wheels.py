"""Fetches pinned wheels of the Python package index: with pip where it is there, since it knows the user's mirrors."""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from lambdapack.errors.local import TOOL_MISSING
from lambdapack.errors.record import LambdapackError
from lambdapack.events import Observer
from lambdapack.install.recipe import PinnedWheel
from lambdapack.managers.http import download_file

DEFAULT_INDEX = "https://pypi.org/simple"
"""pip's own default (pip's documentation, `--index-url`), for hosts without pip."""

INDEX_VARIABLES = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
"""Where pip and uv are told of a mirror (their documentation, read 2026-11)."""

PIP_SECONDS = 900.0
"""How long pip may take: the compiler's wheel has 94 MB."""

Fetch = Callable[[str, Mapping[str, str], Path, Observer, Mapping[str, str] | None], None]


@dataclass(frozen=True, slots=True)
class WheelStore:
    """Wheels of one user, each judged by its digest when it is fetched."""

    directory: Path
    environ: Mapping[str, str]

    def obtain(self, wheel: PinnedWheel, observer: Observer) -> Path:
        """Return the file of a wheel, fetched only when it is not here. LP138."""
        place = self.directory / "wheels" / f"{wheel.project}-{wheel.version}-{wheel.platform}.whl"
        if place.is_file():
            return place
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".new-") as scratch:
            found = self._fetch(wheel, Path(scratch), observer)
            with found.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            if digest != wheel.sha256:
                raise LambdapackError(TOOL_MISSING, f"{found.name} has other bytes than the pinned ones")
            found.replace(place)
        return place

    def _fetch(self, wheel: PinnedWheel, scratch: Path, observer: Observer) -> Path:
        with observer.task(f"Downloading {wheel.project} {wheel.version}"):
            said = _run_pip(wheel, scratch)
        found = next(iter(scratch.glob("*.whl")), None)
        return found or self._fetch_from_index(wheel, scratch, observer, said)

    def _fetch_from_index(self, wheel: PinnedWheel, scratch: Path, observer: Observer, said: str) -> Path:
        """Ask the index itself (PEP 691); `said` is why pip could not."""
        index = next((self.environ[name] for name in INDEX_VARIABLES if self.environ.get(name)), DEFAULT_INDEX)
        listing = scratch / "listing.json"
        try:
            headers = {"Accept": "application/vnd.pypi.simple.v1+json"}
            download_file(f"{index.rstrip('/')}/{wheel.project}/", self.environ, listing, observer, headers)
            url = _find_url(json.loads(listing.read_text("utf-8")), wheel.sha256)
        except (LambdapackError, ValueError) as error:
            detail = f"{wheel.project} {wheel.version}: {said or 'there is no pip'}; {error}"
            raise LambdapackError(TOOL_MISSING, detail) from error
        if url is None:
            raise LambdapackError(TOOL_MISSING, f"{index} has no {wheel.project} {wheel.version}")
        file = scratch / "fetched.whl"
        download_file(urljoin(f"{index.rstrip('/')}/{wheel.project}/", url), self.environ, file, observer)
        return file


def _find_url(listing: Mapping[str, Any], sha256: str) -> str | None:
    files = listing.get("files", [])
    return next((file["url"] for file in files if file.get("hashes", {}).get("sha256") == sha256), None)


def _run_pip(wheel: PinnedWheel, scratch: Path) -> str:
    """Let pip fetch a wheel; return "" or its last line."""
    requirements = scratch / "requirements.txt"
    requirements.write_text(f"{wheel.project}=={wheel.version} --hash=sha256:{wheel.sha256}\n", "utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--platform", wheel.platform, "--require-hashes", "--dest", str(scratch), "-r", str(requirements)]
    variables = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    try:
        ran = subprocess.run(  # our own argv
            command, check=False, capture_output=True, text=True, timeout=PIP_SECONDS, env=variables
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    errors = re.findall(r"^ERROR: (.*)", ran.stderr, re.MULTILINE)
    return "" if ran.returncode == 0 else (errors or ran.stderr.strip().splitlines() or ["pip failed"])[-1]
