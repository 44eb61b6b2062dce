"""Which files of a source tree may be executed, from their content alone: execute bits differ by host."""

import struct

ET_EXEC, ET_DYN = 2, 3  # elf.h: e_type
PT_INTERP = 3  # elf.h: p_type
CLASS_64, LITTLE_ENDIAN = 2, 1  # elf.h: EI_CLASS, EI_DATA
HEADERS_MAX = 512
"""Program headers that are looked at; linkers write about a dozen."""


def is_executable(data: memoryview) -> bool:
    """Tell whether the kernel would start a file: "#!", or an ELF program and not a library or an object."""
    if bytes(data[:2]) == b"#!":
        return True
    if bytes(data[:4]) != b"\x7fELF" or len(data) < 52:
        return False
    try:
        return _is_program(data)
    except struct.error:
        return False


def _is_program(data: memoryview) -> bool:
    wide, order = data[4] == CLASS_64, "<" if data[5] == LITTLE_ENDIAN else ">"
    (kind,) = struct.unpack_from(f"{order}H", data, 16)
    if kind != ET_DYN:
        return bool(kind == ET_EXEC)
    (table,) = struct.unpack_from(f"{order}{'Q' if wide else 'I'}", data, 32 if wide else 28)
    size, count = struct.unpack_from(f"{order}HH", data, 54 if wide else 42)
    offsets = (table + size * number for number in range(min(count, HEADERS_MAX)))
    return any(struct.unpack_from(f"{order}I", data, offset) == (PT_INTERP,) for offset in offsets)
