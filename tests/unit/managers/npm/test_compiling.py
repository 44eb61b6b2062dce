from lambdapack.managers.network import compiler_flags


def test_what_chooses_a_cpu_is_carried_and_what_names_a_place_is_not() -> None:
    environ = {
        "CFLAGS": "-O2 -march=x86-64-v2 -I/opt/include -L/lib -Wall",
        "CXXFLAGS": "-isystem /usr",
        "LDFLAGS": "-s",
    }
    assert compiler_flags(environ) == {"CFLAGS": "-O2 -march=x86-64-v2"}


def test_a_host_without_flags_has_none() -> None:
    assert compiler_flags({"CFLAGS": "", "PATH": "/bin"}) == {}
