"""Reads the x86-64 instructions that registration needs. Never emulates, never follows a call."""

import re
from collections.abc import Iterator

from lambdapack.binary.registration.code import MAX_FOLLOWED_JUMPS, FetchCode, is_node_api_level

# One instruction of a function that returns a constant, as gcc, clang, zig and rustc write it at any -O.
# The named group is its operand; "skip" has none that matters.
_INSTRUCTION = re.compile(
    rb"(?P<skip>\xf3\x0f\x1e\xfa"  # endbr64
    rb"|[\x50-\x57\x59-\x5f\x90\xc9]|\x41[\x50-\x5f]"  # push, pop (not rax), nop, leave
    rb"|\x48\x89[\xe5\xec]|\x48\x8b\xec"  # mov rbp, rsp and back
    rb"|\x48\x83[\xec\xc4].|\x48\x81[\xec\xc4].{4})"  # sub, add rsp
    rb"|\xb8(?P<constant>.{4})"  # mov eax, imm32
    rb"|\x6a(?P<short>.)\x58"  # push imm8; pop rax
    rb"|(?P<zero>[\x31\x33]\xc0)"  # xor eax, eax
    rb"|\xc7(?P<slot>\x45.|\x44\x24.)(?P<filled>.{4})"  # mov dword [rbp/rsp+d8], imm32
    rb"|\x8b(?P<load>\x45.|\x44\x24.)"  # mov eax, [rbp/rsp+d8]
    rb"|\x89(?P<store>\x45.|\x44\x24.)"  # mov [rbp/rsp+d8], eax
    rb"|(?P<ret>\xc3|[\xf2\xf3]\xc3)"
    rb"|\xe9(?P<jump>.{4})|\xeb(?P<hop>.)",  # tail jump: identical code folded, incremental link
    re.DOTALL,
)
_MOV_EAX = re.compile(rb"\xb8(.{4})", re.DOTALL)
_LEA_RIP = re.compile(rb"[\x48\x4c]\x8d[\x05\x0d\x15\x1d\x25\x2d\x35\x3d](.{4})", re.DOTALL)
_FUNCTION_END = re.compile(
    rb"\xc3|\xe9.{4}(?=\x90|\x66|\x0f\x1f|\xf3\x0f\x1e|\Z)", re.DOTALL
)  # ret, or a tail jump and padding
_IMMEDIATE = re.compile(
    rb"(?:\xc7\x05.{4}|\xc7[\x00-\x03\x06\x07]|\xc7[\x40-\x43\x45-\x47].|\xc7\x44\x24.|[\xb8-\xbf])(.{4})", re.DOTALL
)


class _Frame:
    """What eax and the stack slots hold while the code is read forward."""

    __slots__ = ("eax", "slots")

    def __init__(self) -> None:
        self.eax: int | None = None
        self.slots: dict[bytes, int | None] = {}

    def step(self, kind: str, instruction: re.Match[bytes]) -> None:
        operand = instruction[kind]
        if kind in {"constant", "short"}:
            self.eax = _read_signed(operand)
        elif kind == "zero":
            self.eax = 0
        elif kind == "filled":
            self.slots[instruction["slot"]] = _read_signed(operand)
        elif kind == "load":
            self.eax = self.slots.get(operand)
        elif kind == "store":
            self.slots[operand] = self.eax


def returned_constant(code: bytes, address: int, fetch: FetchCode) -> int | None:
    """Return the constant that the function at `address` returns, None when its code is not of a known form.

    Behind calls (profiling, coverage, stack protector) it is the one plausible `mov eax, imm32` of the function.
    """
    constant = _find_return_value(code, address, fetch, MAX_FOLLOWED_JUMPS)
    if constant is not None:
        return constant
    plausible = {value for match in _MOV_EAX.finditer(code) if is_node_api_level(value := _read_signed(match[1]))}
    return plausible.pop() if len(plausible) == 1 else None


def _find_return_value(code: bytes, address: int, fetch: FetchCode, jumps: int) -> int | None:
    frame, at = _Frame(), 0
    while instruction := _INSTRUCTION.match(code, at):
        kind = instruction.lastgroup or "skip"
        at = instruction.end()
        if kind == "ret":
            return frame.eax
        if kind in {"jump", "hop"}:
            target = address + at + _read_signed(instruction[kind])
            return _find_return_value(fetch(target), target, fetch, jumps - 1) if jumps else None
        frame.step(kind, instruction)
    return None


def addresses_taken(code: bytes, address: int) -> Iterator[int]:
    """Yield the addresses that the function at `address` takes (lea reg, [rip+d32]), in order."""
    end = _FUNCTION_END.search(code)
    for match in _LEA_RIP.finditer(code, 0, end.start() if end else len(code)):
        yield address + match.end() + _read_signed(match[1])


def constants(code: bytes) -> Iterator[int]:
    """Yield every 32-bit immediate that is moved somewhere, in order."""
    for match in _IMMEDIATE.finditer(code):
        yield _read_signed(match[1])


def _read_signed(operand: bytes) -> int:
    return int.from_bytes(operand, "little", signed=True)
