"""The constants of the ELF specification, from pyelftools, which no other module imports. Reads no file."""

from dataclasses import dataclass

from elftools.elf.constants import VER_FLAGS
from elftools.elf.enums import (
    ENUM_D_TAG,
    ENUM_DT_FLAGS,
    ENUM_DT_FLAGS_1,
    ENUM_E_MACHINE,
    ENUM_NOTE_GNU_PROPERTY_TYPE,
    ENUM_NOTE_N_TYPE,
    ENUM_P_TYPE_BASE,
    ENUM_RELOC_TYPE_AARCH64,
    ENUM_ST_INFO_BIND,
    ENUM_ST_VISIBILITY,
    ENUM_RELOC_TYPE_x64,
)

EM_X86_64 = ENUM_E_MACHINE["EM_X86_64"]
EM_AARCH64 = ENUM_E_MACHINE["EM_AARCH64"]

PT_LOAD = ENUM_P_TYPE_BASE["PT_LOAD"]
PT_DYNAMIC = ENUM_P_TYPE_BASE["PT_DYNAMIC"]
PT_INTERP = ENUM_P_TYPE_BASE["PT_INTERP"]
PT_NOTE = ENUM_P_TYPE_BASE["PT_NOTE"]
PT_TLS = ENUM_P_TYPE_BASE["PT_TLS"]
PT_GNU_STACK = ENUM_P_TYPE_BASE["PT_GNU_STACK"]
PT_GNU_PROPERTY = ENUM_P_TYPE_BASE["PT_GNU_PROPERTY"]
PF_X = 1  # p_flags, System V gABI figure 5-3

DT_NULL = ENUM_D_TAG["DT_NULL"]
DT_NEEDED = ENUM_D_TAG["DT_NEEDED"]
DT_PLTRELSZ = ENUM_D_TAG["DT_PLTRELSZ"]
DT_HASH = ENUM_D_TAG["DT_HASH"]
DT_STRTAB = ENUM_D_TAG["DT_STRTAB"]
DT_SYMTAB = ENUM_D_TAG["DT_SYMTAB"]
DT_RELA = ENUM_D_TAG["DT_RELA"]
DT_RELASZ = ENUM_D_TAG["DT_RELASZ"]
DT_STRSZ = ENUM_D_TAG["DT_STRSZ"]
DT_SONAME = ENUM_D_TAG["DT_SONAME"]
DT_RPATH = ENUM_D_TAG["DT_RPATH"]
DT_JMPREL = ENUM_D_TAG["DT_JMPREL"]
DT_BIND_NOW = ENUM_D_TAG["DT_BIND_NOW"]
DT_INIT_ARRAY = ENUM_D_TAG["DT_INIT_ARRAY"]
DT_INIT_ARRAYSZ = ENUM_D_TAG["DT_INIT_ARRAYSZ"]
DT_RUNPATH = ENUM_D_TAG["DT_RUNPATH"]
DT_FLAGS = ENUM_D_TAG["DT_FLAGS"]
DT_RELRSZ = ENUM_D_TAG["DT_RELRSZ"]
DT_RELR = ENUM_D_TAG["DT_RELR"]
DT_ANDROID_REL = ENUM_D_TAG["DT_ANDROID_REL"]
DT_ANDROID_RELA = ENUM_D_TAG["DT_ANDROID_RELA"]
DT_ANDROID_RELASZ = ENUM_D_TAG["DT_ANDROID_RELASZ"]
DT_GNU_HASH = ENUM_D_TAG["DT_GNU_HASH"]
DT_VERSYM = ENUM_D_TAG["DT_VERSYM"]
DT_RELACOUNT = ENUM_D_TAG["DT_RELACOUNT"]
DT_FLAGS_1 = ENUM_D_TAG["DT_FLAGS_1"]
DT_VERDEF = ENUM_D_TAG["DT_VERDEF"]
DT_VERNEED = ENUM_D_TAG["DT_VERNEED"]

DF_BIND_NOW = ENUM_DT_FLAGS["DF_BIND_NOW"]
DF_STATIC_TLS = ENUM_DT_FLAGS["DF_STATIC_TLS"]
DF_1_NOW = ENUM_DT_FLAGS_1["DF_1_NOW"]
DF_1_NODELETE = ENUM_DT_FLAGS_1["DF_1_NODELETE"]
DF_1_NOOPEN = ENUM_DT_FLAGS_1["DF_1_NOOPEN"]
DF_1_NODEFLIB = ENUM_DT_FLAGS_1["DF_1_NODEFLIB"]
DF_1_PIE = ENUM_DT_FLAGS_1["DF_1_PIE"]

VER_FLG_BASE: int = VER_FLAGS.VER_FLG_BASE
VER_FLG_WEAK: int = VER_FLAGS.VER_FLG_WEAK

STB_LOCAL = ENUM_ST_INFO_BIND["STB_LOCAL"]
STB_WEAK = ENUM_ST_INFO_BIND["STB_WEAK"]
STV_UNBOUND = (ENUM_ST_VISIBILITY["STV_INTERNAL"], ENUM_ST_VISIBILITY["STV_HIDDEN"])  # no other object binds to these

NT_GNU_PROPERTY_TYPE_0 = ENUM_NOTE_N_TYPE["NT_GNU_PROPERTY_TYPE_0"]
GNU_PROPERTY_X86_ISA_1_NEEDED = ENUM_NOTE_GNU_PROPERTY_TYPE["GNU_PROPERTY_X86_ISA_1_NEEDED"]


@dataclass(frozen=True, slots=True)
class RelocationTypes:
    """The relocation numbers of one CPU that decide when and to what a slot is bound."""

    relative: int  # load address + addend
    absolute: int  # symbol + addend, 64 bits
    jump_slot: int  # a function, bound at its first call unless the file asks for binding now
    thread_offset: int  # initial-exec TLS: the block must fit the loader's static surplus


RELOCATION_TYPES = {
    EM_X86_64: RelocationTypes(
        relative=ENUM_RELOC_TYPE_x64["R_X86_64_RELATIVE"],
        absolute=ENUM_RELOC_TYPE_x64["R_X86_64_64"],
        jump_slot=ENUM_RELOC_TYPE_x64["R_X86_64_JUMP_SLOT"],
        thread_offset=ENUM_RELOC_TYPE_x64["R_X86_64_TPOFF64"],
    ),
    EM_AARCH64: RelocationTypes(
        relative=ENUM_RELOC_TYPE_AARCH64["R_AARCH64_RELATIVE"],
        absolute=ENUM_RELOC_TYPE_AARCH64["R_AARCH64_ABS64"],
        jump_slot=ENUM_RELOC_TYPE_AARCH64["R_AARCH64_JUMP_SLOT"],
        thread_offset=ENUM_RELOC_TYPE_AARCH64["R_AARCH64_TLS_TPREL64"],
    ),
}
"""By e_machine: the two CPUs of Lambda."""

_OUR_NAMES = {EM_X86_64: "x86_64", EM_AARCH64: "arm64", ENUM_E_MACHINE["EM_386"]: "ia32"}
_EM_NAMES = {number: name for name, number in ENUM_E_MACHINE.items() if name.startswith("EM_")}


def machine_name(elf_machine: int) -> str:
    """Return the report's word for an e_machine: Lambda's and Node's names, else ELF's own in lower case."""
    known = _EM_NAMES.get(elf_machine, f"machine {elf_machine}").removeprefix("EM_").lower()
    return _OUR_NAMES.get(elf_machine, known)
