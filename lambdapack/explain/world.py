"""Where a text is from: what it says of the system, the CPU and the Node.js around the failure."""

import re

from lambdapack.explain.nouns import World
from lambdapack.model import Architecture
from lambdapack.runtimes.abi import node_major_of

_LAMBDA = re.compile(r"/var/task|/var/runtime|/opt/nodejs|\bRequestId:|\bRuntime\.[A-Z]\w+|LAMBDA_|AWS::Lambda")
_SYSTEMS = (
    ("win32", re.compile(r"\b[A-Z]:\\|Win32 application|win32-x64|Windows_NT")),
    ("darwin", re.compile(r"/Users/|\bdlopen\([/~]|mach-o|\bDarwin \d|/opt/homebrew")),
    ("alpine", re.compile(r"[Aa]lpine|\bapk add\b|Error (?:loading shared library|relocating)")),
)
_NODES = (
    re.compile(r"\bnodejs(\d{2})\.x\b"),
    re.compile(r"\bNode\.js v(\d{1,2})\.\d+\.\d+"),
    re.compile(r"\bnode(?:@| -v v|=| v|/v)(\d{1,2})\.\d+\.\d+"),
    re.compile(r"\bnode v(\d{1,2})\.\d+"),
)
_CPU = re.compile(
    r"\barch=(arm64|x64)\b|\blinux[-/ ](arm64|x64|amd64|aarch64)\b|--(?:cpu|arch)[= ](arm64|x64|x86_64)\b"
    r"|Architectures?\W{1,6}(arm64|x86_64)"
)
_PLACE = re.compile(r"[^\s'\"`()]*(?:node_modules[/\\]|\.node\b)[^\s'\"`()]*")
"""A path to a binary: the CPU in it is what the file was made for, not the one that it met."""
_NAMES = {"arm64": Architecture.ARM64, "aarch64": Architecture.ARM64}


def world_of(text: str) -> World:
    """Return what a text tells about its place; nothing is guessed."""
    on_lambda = _LAMBDA.search(text) is not None
    system = "" if on_lambda else next((name for name, sign in _SYSTEMS if sign.search(text)), "")
    named = _CPU.search(_PLACE.sub("", text))
    cpu = named[named.lastindex] if named and named.lastindex else ""
    return World(on_lambda, system, _NAMES.get(cpu, Architecture.X86_64) if cpu else None, _node_major(text))


def _node_major(text: str) -> int | None:
    wanted = re.search(r"requires\s+NODE_MODULE_VERSION\s+(\d+)", text)
    if wanted and (major := node_major_of(int(wanted[1]))):
        return major
    return next((int(found[1]) for each in _NODES if (found := each.search(text))), None)
