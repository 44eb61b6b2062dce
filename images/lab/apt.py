"""Debian packages by way of a private apt root: signatures are checked, the host's apt is left as it is."""

import contextlib
import hashlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from images.lab.cache import LabError, replacing
from images.lab.recipe import SUITE, Cpu

KEYRING: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MIRROR_VARIABLE: Final = "LAMBDAPACK_LAB_DEBIAN"
SUITES: Final = (SUITE, f"{SUITE}-updates", f"{SUITE}-security")
PLAIN_RELEASE: Final = re.compile(r"[a-z]+")
"""`bookworm` or `stable`: the release of a main archive, not `bookworm-updates` and not a third party's."""


@dataclass(frozen=True, slots=True)
class Deb:
    """A downloaded package."""

    path: Path
    sha256: str  # hexadecimal

    def read(self) -> bytes:
        """The package's bytes; refused when they changed since the download."""
        content = self.path.read_bytes()
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise LabError(f"{self.path.name} changed in the cache: run again with --refresh")
        return content


def debs(names: Sequence[str], cpu: Cpu, cache: Path, *, refresh: bool = False) -> tuple[Deb, ...]:
    """The packages in the order of `names`; from the cache without network unless `refresh`."""
    folder = cache / "debs" / cpu.debian
    index = folder / "index.json"
    known: dict[str, list[str]] = {}
    if index.exists() and not refresh:
        known = json.loads(index.read_text("utf-8"))
    if any(name not in known or not (folder / known[name][0]).exists() for name in names):
        known = _download(names, cpu, folder, cache)  # all of them: two states of the archive may not fit
        with replacing(index) as scratch:
            scratch.write_text(json.dumps(known, indent=1, sort_keys=True), "utf-8")
    return tuple(Deb(folder / known[name][0], known[name][1]) for name in names)


def _download(names: Sequence[str], cpu: Cpu, folder: Path, cache: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    folder.mkdir(parents=True, exist_ok=True)
    with _updated_root(cpu, SUITES, cache) as (root, configuration):
        scratch = root / "download"
        scratch.mkdir()
        _apt(["download", "--quiet", *names], configuration, scratch)
        for path in sorted(scratch.iterdir()):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            path.replace(folder / path.name)
            found[path.name.split("_")[0]] = [path.name, digest]
    if lost := set(names) - set(found):
        raise LabError(f"apt-get download gave no {', '.join(sorted(lost))}")
    return found


def closure(names: Sequence[str], cpu: Cpu, suite: str, cache: Path) -> tuple[Deb, ...]:
    """Packages of any Debian release with all that they depend on, as apt resolves it for an empty system.

    Without security updates, which archives of old releases no longer hold for every CPU. Always asks the network;
    `names` may have apt's patterns, such as `?essential`.
    """
    folder = cache / "debs" / f"{suite}-{cpu.debian}"
    folder.mkdir(parents=True, exist_ok=True)
    with _updated_root(cpu, (suite,), cache) as (root, configuration):
        _apt(["install", "--quiet", "--yes", "--download-only", "--no-install-recommends", *names], configuration, root)
        found = sorted((root / "cache" / "archives").glob("*.deb"))
        for path in found:
            path.replace(folder / path.name)
    kept = (folder / path.name for path in found)
    return tuple(Deb(path, hashlib.sha256(path.read_bytes()).hexdigest()) for path in kept)


@contextlib.contextmanager
def _updated_root(cpu: Cpu, suites: Sequence[str], cache: Path) -> Iterator[tuple[Path, Path]]:
    """Lend a private apt root and its APT_CONFIG, with the package lists of today."""
    with tempfile.TemporaryDirectory(dir=cache, prefix=f"apt-{cpu.debian}-") as scratch:
        root = Path(scratch)
        configuration = _private_root(cpu, suites, root)
        _apt(["update", "--quiet"], configuration, root)
        yield root, configuration


def _private_root(cpu: Cpu, suites: Sequence[str], root: Path) -> Path:
    """An APT_CONFIG file for an apt that knows one foreign CPU, Debian's key and nothing of this host."""
    for name in ("state/lists/partial", "cache/archives/partial", "parts"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "status").touch()
    options = f"[arch={cpu.debian} signed-by={_keyring()}]"
    main, security = mirrors()
    lines = (f"deb {options} {security if each.endswith('-security') else main} {each} main" for each in suites)
    (root / "sources.list").write_text("\n".join(lines) + "\n", "utf-8")
    settings = {
        "APT::Architecture": cpu.debian,
        "Dir::State": root / "state",
        "Dir::State::status": root / "status",
        "Dir::Cache": root / "cache",
        "Dir::Etc::sourcelist": root / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::parts": root / "parts",
        "APT::Sandbox::User": "root",  # the cache directory may be closed to the user _apt
        "Acquire::Languages": "none",
    }
    text = "".join(f'{name} "{value}";\n' for name, value in settings.items())
    text += f'APT::Architectures {{ "{cpu.debian}"; }};\n' + _transport()
    configuration = root / "apt.conf"
    configuration.write_text(text, "utf-8")
    return configuration


def _keyring() -> Path:
    if not KEYRING.exists():
        raise LabError(f"{KEYRING} is missing: install debian-archive-keyring")
    return KEYRING


def mirrors() -> tuple[str, str]:
    """The main and the security archive: from the variable, else as this Debian host has them."""
    if named := os.environ.get(MIRROR_VARIABLE, "").rstrip("/"):
        return named, named.removesuffix("/debian") + "/debian-security"
    form = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
    main = security = ""
    for line in _ask(["apt-get", "indextargets", "--format", form, "Created-By: Packages"]).splitlines():
        uri, release, component = [*line.split(), "", "", ""][:3]
        if component != "main" or "debian" not in uri:
            continue
        if release.endswith("-security"):
            security = security or uri
        elif PLAIN_RELEASE.fullmatch(release):
            main = main or uri
    if not main:
        raise LabError(f"no Debian archive in this host's apt sources: name one with {MIRROR_VARIABLE}=<url>/debian")
    return main, security or main.rstrip("/").removesuffix("/debian") + "/debian-security"


def apt_sources() -> str:
    """The sources.list of an image: the archives of this host, for apt inside of it."""
    main, security = mirrors()
    return "".join(
        f"deb [signed-by={KEYRING}] {security if suite.endswith('-security') else main} {suite} main\n"
        for suite in SUITES
    )


def _transport() -> str:
    """The host's proxies and certificates, which the private root would lose otherwise."""
    lines = _ask(["apt-config", "dump"]).splitlines()
    return "".join(f"{line}\n" for line in lines if re.match(r"Acquire::https?::[^ ]+ \"[^\"]", line))


def _ask(command: Sequence[str]) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError as error:
        raise LabError("the lab is made of Debian packages: it needs apt-get (Debian or Ubuntu)") from error
    except subprocess.CalledProcessError as error:
        raise LabError(f"{' '.join(command)}: {error.stderr.strip()}") from error


def _apt(arguments: Sequence[str], configuration: Path, folder: Path) -> None:
    environment = {**os.environ, "APT_CONFIG": str(configuration), "LC_ALL": "C.UTF-8"}
    command = ["apt-get", *arguments]
    ran = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    if ran.returncode:
        raise LabError(f"{' '.join(command)} (exit {ran.returncode}): {ran.stderr.strip() or ran.stdout.strip()}")
