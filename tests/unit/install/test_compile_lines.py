from collections.abc import Sequence

import pytest

from lambdapack.install.compile_lines import CompileLines, CompilerFlag, cpu_flags


@pytest.mark.parametrize(
    ("line", "flags"),
    [
        ("  g++ -O3 -march=native -o x.o x.cc", ("-march=native",)),
        ("/usr/bin/aarch64-linux-gnu-gcc-12 -mcpu=native -c x.c", ("-mcpu=native",)),
        ("  cc -march=native x.c -march=x86-64-v2", ("-march=x86-64-v2",)),
        ("  cc -march=x86-64-v2 x.c -march=native", ("-march=native",)),
        ("  cc -mcpu=native -march=armv8.2-a+crypto x.c", ("-march=armv8.2-a+crypto",)),
        ("  cc -mavx512f -mavx512vl -mno-avx512f -mavx2 x.c", ("-mavx512vl",)),
        ("     Running `rustc --crate-name x src/lib.rs -C target-cpu=native`", ("-C target-cpu=native",)),
        ("  g++ -mtune=native --no-march=native x.cc", ()),
    ],
)
def test_of_a_compilers_flags_the_last_of_a_kind_counts(line: str, flags: tuple[str, ...]) -> None:
    assert cpu_flags(line) == flags


def heard(*lines: str) -> Sequence[CompilerFlag]:
    found = CompileLines()
    for line in lines:
        found.take(line)
    return found.flags


def test_a_flag_belongs_to_the_package_whose_script_runs() -> None:
    lines = ("> @a/b@1.0.0-rc.1 install", "> make", "cc -c x.c", "> c@2.0.0 postinstall", "cc -march=native -c y.c")
    assert heard(*lines) == (CompilerFlag("c", "-march=native", everywhere=True),)


def test_a_project_without_a_name_is_no_package() -> None:
    lines = ("> b@1.0.0 install", "> make", "cc -c x.c", "", "> install", "> make", "cc -march=native -c y.c")
    assert heard(*lines) == (CompilerFlag("", "-march=native", everywhere=True),)


def test_a_flag_for_some_files_is_not_for_all() -> None:
    lines = ("> a@1.0.0 install", "g++ -c plain.cc", "g++ -march=skylake-avx512 -c fast.cc", "g++ -shared -o a.node")
    assert heard(*lines) == (CompilerFlag("a", "-march=skylake-avx512", everywhere=False),)


@pytest.mark.parametrize(
    "line",
    [
        "checking whether g++ accepts -march=x86-64-v3... yes",
        "warning: x.c is slow without -march=native",
        "node-gyp rebuild --march=native x.c",
    ],
)
def test_what_compiles_nothing_counts_for_nothing(line: str) -> None:
    assert heard("> a@1.0.0 install", line) == ()
