"""What the host's node resolves and loads in a small tree on disk: the truth that the resolver is held against."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ASK = """
import { createRequire } from 'node:module';
import { readFileSync, realpathSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
const queries = JSON.parse(readFileSync(0, 'utf8'));
const answers = [];
const clean = error => ({ code: error.code ?? error.name });
for (const [kind, specifier, asking] of queries) {
  try {
    if (kind === 'require') {
      answers.push({ path: createRequire(asking).resolve(specifier) });
    } else {
      const url = import.meta.resolve(specifier, pathToFileURL(asking).href);
      const { ask } = await import(pathToFileURL(asking).href);
      await ask(specifier);
      answers.push({ path: url.startsWith('file:') ? realpathSync(fileURLToPath(url)) : url.replace('node:', '') });
    }
  } catch (error) { answers.push(clean(error)); }
}
process.stdout.write(JSON.stringify(answers));
"""

ASKING = "export const ask = specifier => import(specifier);\n"
"""The text of every asking ES module: `import` of what it is told."""


@dataclass(frozen=True)
class RealNode:
    program: str
    version: tuple[int, int]

    def answers(self, queries: list[tuple[str, str, str]], *flags: str, node_path: str = "") -> list[str]:
        """Return a path or an error's code for each (require|import, specifier, asking file)."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "NODE_PATH": node_path,
            "NODE_NO_WARNINGS": "1",
        }
        done = subprocess.run(
            [self.program, "--experimental-import-meta-resolve", *flags, "--input-type=module", "-e", ASK],
            input=json.dumps(queries), capture_output=True, text=True, env=environment, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [answer.get("path") or answer["code"] for answer in json.loads(done.stdout)]


def real_node() -> RealNode:
    """Return the host's node."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("no node on PATH: nothing to hold the resolver against")
    text = subprocess.run([program, "-p", "process.versions.node"], capture_output=True, text=True, check=True).stdout
    major, minor, _patch = text.split(".")
    if int(major) < 20:
        pytest.skip(f"node {text.strip()}: the resolver follows node 20 and later")
    return RealNode(program, (int(major), int(minor)))


def write_tree(root: Path, files: dict[str, object]) -> None:
    """Write files: text, JSON for a dict or list, a link for a Path."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            path.symlink_to(content)
        elif isinstance(content, str):
            path.write_text(content)
        else:
            path.write_text(json.dumps(content))
