"""Reports made by hand, so that what a renderer makes of them depends on nothing else."""

from datetime import date

from lambdapack.binary.facts import Binary, BinaryRole, Elf, Format, Registration, RegistrationKind
from lambdapack.model import Architecture, Finding, Rule, Severity, Target
from lambdapack.rules.model.report import Judgement, Outcome, Report, Subject
from lambdapack.runtimes.runtime import Library, Lifecycle, Runtime, node_behaviour

WRONG_CPU = Rule(
    "LP201",
    "wrong-cpu",
    "a binary is for another CPU",
    "The loader says: cannot open shared object file. Nothing that needs the file can start.",
    "Run `lambdapack build --arch ARCH`.",
    Severity.ERROR,
)
DEPRECATED = Rule(
    "LP307",
    "runtime-deprecated",
    "AWS has ended support for the runtime",
    "It gets no security patches any more.",
    "Move to a newer runtime: `lambdapack runtimes` lists them.",
    Severity.WARNING,
)
SECRET = Rule(
    "LP305", "secret-packed", "a secret is in the package", "Many may read it.", "Leave it out.", Severity.ERROR
)

RUNTIME = Runtime(
    target=Target("nodejs22.x", Architecture.ARM64),
    node="22.23.1",
    node_major=22,
    abi=127,
    node_api=10,
    source="image",
    digest="sha256:" + "ab" * 32,
    libraries={
        "libc.so.6": Library("libc.so.6", "/usr/lib64/libc.so.6"),
        "libcurl.so.4": Library("libcurl.so.4", "/usr/lib64/libcurl.so.4", certain=False),
    },
    loaded=frozenset({"libc.so.6"}),
    floor={"GLIBC": "2.34", "GLIBCXX": "3.4.29"},
    ceiling={"GLIBC": "2.34"},
    node_exports=None,
    library_path=("/var/lang/lib", "/lib64"),
    default_path=("/lib64", "/usr/lib64"),
    interpreters=frozenset({"/lib/ld-linux-aarch64.so.1"}),
    behaviour=node_behaviour(22),
    lifecycle=Lifecycle(date(2027, 4, 30), date(2027, 6, 1), date(2027, 7, 1), "a test"),
    npm="10.9.9",
)
SHIPPED = Runtime(
    target=Target("nodejs24.x", Architecture.X86_64),
    node=None,
    node_major=24,
    abi=137,
    node_api=10,
    source="shipped",
    digest="",
    libraries={},
    loaded=frozenset(),
    floor={},
    ceiling={},
    node_exports=None,
    library_path=("/var/lang/lib",),
    default_path=("/lib64",),
    interpreters=frozenset(),
    behaviour=node_behaviour(24),
)

PASSING = Report(SHIPPED, Subject("directory", "app", unzipped_bytes=2048), (), ())

ADDON = "node_modules/sharp/build/Release/sharp-linux-x64.node"

WRONG = Finding(
    WRONG_CPU,
    ADDON,
    "it is for x86_64, and nodejs22.x/arm64 runs arm64 alone, so node says: cannot open shared object file",
    "sharp",
    evidence=(("machine", "x86_64"), ("wanted", "arm64")),
)


def _elf(machine: Architecture, registration: Registration) -> Elf:
    return Elf(
        64, little_endian=True, machine=machine.elf_machine, os_abi=0, abi_version=0, type=3, registration=registration
    )


BINARIES = (
    Judgement(
        Binary(ADDON, 1_500_000, 0o755, "11" * 32, Format.ELF, BinaryRole.ADDON, ("x86_64",),
               _elf(Architecture.X86_64, Registration(RegistrationKind.NODE_API, node_api=9))),
        "sharp", "0.34.5", selected=True, outcome=Outcome.FAILS, cause="wrong-cpu", finding=WRONG,
    ),
    Judgement(
        Binary("node_modules/both/b.node", 9000, 0o644, "22" * 32, Format.ELF, BinaryRole.ADDON, ("arm64",),
               _elf(Architecture.ARM64, Registration(RegistrationKind.BOTH, abis=(127,), node_api=8))),
        "both", "", selected=True, outcome=Outcome.LOADS, cause=None, finding=None,
    ),
    Judgement(
        Binary("bin/tool", 70_000, 0o755, "33" * 32, Format.MACH_O, BinaryRole.EXECUTABLE, ("x86_64", "arm64")),
        "", "", selected=False, outcome=Outcome.UNKNOWN, cause="not-elf", finding=None,
    ),
    Judgement(
        Binary("node_modules/z/x.node", 0, 0o644, "44" * 32, Format.EMPTY, BinaryRole.UNKNOWN),
        "z", "1.0.0", selected=True, outcome=Outcome.DIES_LATER, cause="truncated", finding=None,
    ),
)  # fmt: skip

FAILING = Report(
    RUNTIME,
    Subject(
        "zip",
        "out/app.zip",
        archive="out/app.zip",
        code_digest="q83vAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        content_digest="sha256:" + "cd" * 32,
        zip_bytes=12_345_678,
        unzipped_bytes=45_678_901,
    ),
    BINARIES,
    (
        WRONG,
        Finding(SECRET, "config/keys.js", "it holds what looks like an npm token", line=7),
        Finding(DEPRECATED, "", "nodejs22.x is deprecated since 2027-04-30"),
        Finding(WRONG_CPU, "vendor/x.so", "it is for ia32", "odd", severity=Severity.NOTE, fix="Delete it."),
        Finding(WRONG_CPU, "vendor/y.so", "it is for ppc64", ignored="it is the data of a test and never loaded"),
    ),
)
