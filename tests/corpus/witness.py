"""What really happens with a tree in a lab image: its files opened, its package required. Judges nothing."""

import hashlib
import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from images.lab.cache import directory
from lambdapack.binary.facts import Binary, BinaryRole, Format, Inventory
from lambdapack.runtimes.runtime import Runtime
from lambdapack.runtimes.runtimefile import read_runtime
from tests.command import lambdapack
from tests.corpus.truth import MUSL

SCRIPT = Path(__file__).with_name("witness.js")

SECONDS = 20
"""Longest that one file or package may take; under emulation a require takes five."""

WORDS: Mapping[str, frozenset[str]] = {
    "invalid ELF header": frozenset({"not-elf", "truncated"}),
    "file too short": frozenset({"not-elf", "truncated"}),
    "wrong ELF class": frozenset({"wrong-class"}),
    "version `": frozenset({"symbol-version"}),
    "undefined symbol": frozenset({"undefined-symbol"}),
    "NODE_MODULE_VERSION": frozenset({"node-abi", "electron-abi"}),
    "did not self-register": frozenset({"not-an-addon", "node-abi", "electron-abi"}),
    "static TLS": frozenset({"static-tls"}),
    "cannot dynamically load": frozenset({"executable"}),
    "CPU ISA": frozenset({"cpu-level"}),
    "DT_RELR": frozenset({"relocations"}),
}
"""What the loader or node says, to our cause; the first that occurs."""

ABSENT = "cannot open shared object file"

EITHER = frozenset({"loads", "dies-later", "fails"})
"""A library that ld.so took and in which node found no addon: it loads for who links it, and fails for require()."""

CRASHES = frozenset({"truncated", "node-api-level", "relocations", "cpu-level"})


@dataclass(frozen=True, slots=True)
class Truth:
    """What happened to one file: our words for it, and the loader's."""

    outcomes: frozenset[str]
    causes: frozenset[str | None]
    said: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What happened when the package was required, or one of its programs asked for its version."""

    what: str
    exit: int | None
    said: str
    opened: tuple[str, ...]  # paths in the tree: by dlopen with success, started, or mapped
    tried: tuple[str, ...]  # by dlopen without success


@dataclass(frozen=True, slots=True)
class Testimony:
    """All about one tree in one image."""

    files: Mapping[str, Truth]
    taken: tuple[Taken, ...]


@lru_cache
def image_id(image: str) -> str:
    """Return the image's digest."""
    command = ["docker", "image", "inspect", "--format", "{{.Id}}", image]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().removeprefix("sha256:")


@lru_cache
def runtime_of(image: str) -> Runtime:
    """Return what an image provides, measured from it."""
    file = directory() / "strangers" / ".runtimes" / f"{image_id(image)[:16]}.json"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        node, _, arch = image.rpartition(":")[2].partition("-")
        asked = ("--runtime", f"nodejs{node}.x", "--arch", arch, "-o", file)
        done = lambdapack("runtimes", "measure", image, *asked)
        if done.returncode:
            raise RuntimeError(done.stderr)
    return read_runtime(file)


def witness(place: Path, image: str, inventory: Inventory, module: tuple[str, str], bins: Iterable[str]) -> Testimony:
    """Return what happens in an image to the native files of a tree and to `module` (name, expression); remembered."""
    question = _question(inventory, runtime_of(image).target.architecture.aws, module, bins)
    key = hashlib.sha256(f"{image_id(image)}{SCRIPT.read_text()}{json.dumps(question)}".encode()).hexdigest()[:16]
    file = place.parent / f"{place.name}.{key}.jsonl"
    if not file.exists():
        said = _ask(place, image, question)
        file.write_text(said, "utf-8")
    return _testimony(inventory, [json.loads(each) for each in file.read_text("utf-8").splitlines()])


def _question(inventory: Inventory, machine: str, module: tuple[str, str], bins: Iterable[str]) -> Mapping[str, Any]:
    """Programs for another CPU are left out, which an emulator would run; those of other systems a shell would try."""
    addons = [each.path for each in inventory.binaries if _is_for_dlopen(each)]
    programs = [each.path for each in inventory.binaries if _is_program(each) and machine in each.machines]
    return {
        "addons": [f"/var/task/{each}" for each in addons],
        "programs": [f"/var/task/{each}" for each in programs],
        "module": module[0],
        "use": module[1],
        "bins": [f"/var/task/{each}" for each in bins],
        "seconds": SECONDS,
    }


def _is_for_dlopen(binary: Binary) -> bool:
    if binary.path.endswith(".node"):
        return True
    return binary.format is Format.ELF and binary.role is not BinaryRole.EXECUTABLE


def _is_program(binary: Binary) -> bool:
    return not _is_for_dlopen(binary) and binary.format is Format.ELF


def _ask(place: Path, image: str, question: Mapping[str, Any]) -> str:
    command = ["docker", "run", "--rm", "-i", "--network=none", "--read-only", "--tmpfs", "/tmp:exec"]
    command += ["-v", f"{place}:/var/task:ro", "--entrypoint", "/var/lang/bin/node", image, "-e", SCRIPT.read_text()]
    done = subprocess.run(command, input=json.dumps(question), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{place} in {image}: {done.stderr[-2000:]}")
    return done.stdout


def _testimony(inventory: Inventory, answers: list[Mapping[str, Any]]) -> Testimony:
    roles = {each.path: each.role for each in inventory.binaries}
    files: dict[str, Truth] = {}
    taken = []
    for each in answers:
        if "addon" in each:
            path = _inside(each["addon"])
            files[path] = _of_addon(each, roles[path], path)
        elif "program" in each:
            files[_inside(each["program"])] = _of_program(each)
        else:
            taken.append(_taken(each))
    return Testimony(files, tuple(taken))


def _inside(path: str) -> str:
    return path.removeprefix("/var/task/")


def _of_addon(told: Mapping[str, Any], role: BinaryRole, path: str) -> Truth:
    said = str(told["said"])
    if told["signal"] or told["exit"] not in {0, 1}:
        symbol = "symbol lookup error" in said
        outcomes = frozenset({"fails", "dies-later"} if symbol else {"fails", "unknown"})
        return Truth(outcomes, frozenset({"undefined-symbol"}) if symbol else CRASHES | {"unproved"}, f"crash {said}")
    if told["exit"] == 0:
        now = told["now"] or {}
        if "undefined symbol" in str(now.get("said")):
            return Truth(frozenset({"dies-later"}), frozenset({"undefined-symbol"}), str(now["said"]))
        return Truth(frozenset({"loads"}), frozenset({None}), "")
    if "did not self-register" in said and role is BinaryRole.LIBRARY:
        return Truth(EITHER, frozenset({None, "undefined-symbol", "not-an-addon"}), said)
    return Truth(frozenset({"fails"}), _causes(said, path), said)


def _causes(said: str, path: str) -> frozenset[str | None]:
    if ABSENT in said:
        lacking = said.partition(f": {ABSENT}")[0].rpartition("Error: ")[2].rpartition(": ")[2]
        if lacking.endswith(path):
            return frozenset({"wrong-cpu"})
        return frozenset({"musl"} if lacking.startswith(MUSL) else {"missing-library", "wrong-cpu"})
    return next((causes for words, causes in WORDS.items() if words in said), frozenset({"bad-elf"}))


def _of_program(told: Mapping[str, Any]) -> Truth:
    said = f"{told['error'] or ''} {told['said']}".strip()
    if told["error"] == "EACCES":
        return Truth(frozenset({"fails"}), frozenset({"no-exec-bit"}), said)
    if told["error"] == "ENOENT":
        return Truth(frozenset({"fails"}), frozenset({"missing-interpreter", "musl"}), said)
    if "error while loading shared libraries" in said or ("version `" in said and "not found" in said):
        causes = _causes(said, "\0")
        return Truth(frozenset({"fails"}), causes, said)
    return Truth(frozenset({"loads", "dies-later"}), frozenset({None, "undefined-symbol"}), said[:200])


def _taken(told: Mapping[str, Any]) -> Taken:
    opened: dict[str, None] = {}
    tried: dict[str, None] = {}
    for each in told["events"]:
        path = each.get("dlopen") or each.get("mapped") or each.get("spawn") or ""
        if not path.startswith("/var/task/"):
            continue
        if each.get("ok") is False:
            tried[_inside(path)] = None
        elif "dlopen" not in each or each["ok"]:
            opened[_inside(path)] = None
    crashed = [each["dlopen"] for each in told["events"] if "dlopen" in each and each["ok"] is None]
    finished = {each["dlopen"] for each in told["events"] if "dlopen" in each and each["ok"] is not None}
    for path in crashed:
        if path not in finished:
            tried[_inside(path)] = None
    what = told.get("module") or told["bin"]
    said = f"{told['signal'] or ''} {told['error'] or ''} {told['said']}".strip()
    return Taken(str(what), told["exit"], said, tuple(opened), tuple(tried))
