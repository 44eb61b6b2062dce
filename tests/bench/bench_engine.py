"""`lambdapack build` of prebuilt and compiled examples against a bare `docker run ... npm ci` of the same."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.timing import paired, row

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 3
BARE = "lambdapack-lab/nodejs:22-x86_64"
BUILD = f"{BARE}-build"


def bare_npm_ci(project: Path, image: str, *flags: str) -> None:
    """What a careful person types: the project mounted, npm's cache kept, the host's CA passed on."""
    shutil.rmtree(project / "node_modules", ignore_errors=True)
    authority = os.environ.get("NODE_EXTRA_CA_CERTS")
    certificates = ["-v", f"{authority}:/ca.pem:ro", "-e", "NODE_EXTRA_CA_CERTS=/ca.pem"] if authority else []
    subprocess.run(
        [
            *("docker", "run", "--rm", "--entrypoint", "npm", "-w", "/var/task", "-v", f"{project}:/var/task"),
            *("-v", "lambdapack-bench-npm:/cache", "-e", "npm_config_cache=/cache", "-e", "LD_LIBRARY_PATH="),
            *("-e", "npm_config_nodedir=/var/lang", *certificates, image),
            *("ci", "--omit=dev", "--no-audit", "--no-fund", *flags),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def build(project: Path) -> None:
    """The whole of lambdapack's job: install, judge, zip."""
    script = Path(sys.executable).parent / "lambdapack"
    command = [str(script), "build", str(project), "--arch", "x86_64", "--quiet"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Print a row for each example."""
    for name, image, flags in (("thumbnail", BARE, ["--ignore-scripts"]), ("password", BUILD, [])):
        with tempfile.TemporaryDirectory() as scratch:
            project = Path(scratch) / name
            shutil.copytree(ROOT / "examples" / name, project)
            other = Path(scratch) / "bare" / name
            shutil.copytree(ROOT / "examples" / name, other)
            pair = paired(
                lambda project=project: build(project),  # type: ignore[misc]
                lambda other=other, image=image, flags=flags: bare_npm_ci(other, image, *flags),  # type: ignore[misc]
                ROUNDS,
            )
            row(f"lambdapack build {name}", "bare docker run npm ci", f"{pair.ratio:.2f}x", "<= 1.1x (engine only)")
    subprocess.run(["docker", "volume", "rm", "-f", "lambdapack-bench-npm"], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
