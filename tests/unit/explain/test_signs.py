"""Each row of the table of messages is whole: found by itself, let through by the sieve, and cured."""

import subprocess
from pathlib import Path

import pytest

from lambdapack.errors.record import Failure
from lambdapack.errors.system_packages import SYSTEM_PACKAGES
from lambdapack.explain.causes import CAUSE_RECORDS
from lambdapack.explain.cures import fill_remedy
from lambdapack.explain.diagnose import MESSAGE_PATTERNS, diagnose
from lambdapack.explain.facts.nouns import TextFacts
from lambdapack.explain.nouns import Explanation, Meaning, MessagePattern
from lambdapack.explain.passages import find_stems, search_stems
from lambdapack.explain.text import strip_log_markup
from lambdapack.explain.words import ExplainTarget
from lambdapack.messages import Certainty, compile_pattern
from lambdapack.model import Rule
from lambdapack.report import diagnosis
from tests.unit.explain.literals import demands_one_of

AIM = ExplainTarget("nodejs22.x")
VERIFY = "lambdapack verify . --runtime nodejs22.x --arch x86_64"


@pytest.mark.parametrize("sign", MESSAGE_PATTERNS, ids=lambda sign: sign.example[:60])
def test_a_sign_finds_its_own_example(sign: MessagePattern) -> None:
    assert list(sign.find(strip_log_markup(sign.example)))
    assert diagnose(strip_log_markup(sign.example), AIM)


@pytest.mark.parametrize("sign", MESSAGE_PATTERNS, ids=lambda sign: sign.example[:60])
def test_the_sieve_lets_every_known_message_through(sign: MessagePattern) -> None:
    assert find_stems(sign.example.encode())


@pytest.mark.parametrize("sign", MESSAGE_PATTERNS, ids=lambda sign: sign.example[:60])
def test_no_text_without_the_words_of_a_sign_can_match_it(sign: MessagePattern) -> None:
    assert demands_one_of(compile_pattern(sign.pattern), sign.words)


@pytest.mark.parametrize(
    ("pattern", "words", "demanded"),
    [
        (r"a too short", ("short",), True),
        (r"a too short|cut off", ("short",), False),
        (r"a too short|cut off", ("short", "cut"), True),
        (r"(?:too short)?x", ("short",), False),
        (r"(?:too short)+x", ("short",), True),
        (r"[Ss]hort", ("short",), False),
        (r"[Ss]hort", ("hort",), True),
    ],
)
def test_what_a_pattern_demands_is_read_from_its_parts(pattern: str, words: tuple[str, ...], *, demanded: bool) -> None:
    assert demands_one_of(compile_pattern(pattern), words) is demanded


@pytest.mark.parametrize("record", CAUSE_RECORDS, ids=lambda record: record.code)
def test_every_cause_has_a_command_and_a_habit_even_when_nothing_else_is_known(record: Rule | Failure) -> None:
    found = fill_remedy(Meaning(record, Certainty.LIKELY, ""), {}, TextFacts(), AIM, None)
    assert found.fix
    assert found.prevent.endswith(".")


def test_a_command_names_the_runtime_that_the_text_asked_for() -> None:
    text = (
        "was compiled against a different Node.js version using NODE_MODULE_VERSION 115. "
        "This version of Node.js requires NODE_MODULE_VERSION 137."
    )
    assert diagnose(text, AIM)[0].fix[0].startswith("lambdapack build --runtime nodejs24.x")


def test_a_command_names_the_cpu_that_the_text_names() -> None:
    text = 'Could not load the "sharp" module using the linux-arm64 runtime'
    assert "npm ci --os=linux --cpu=arm64 --libc=glibc" in diagnose(text, AIM)[0].fix


def test_the_cpu_in_the_name_of_a_file_is_not_the_one_that_it_met() -> None:
    text = "Error: /var/task/node_modules/x/prebuilds/linux-x64/x.node: "
    text += "cannot open shared object file: No such file or directory"
    found = diagnose(text, AIM)[0]
    assert (found.cause, found.fix[0]) == ("wrong-cpu", "lambdapack build --runtime nodejs22.x --arch arm64")
    assert "--arch arm64" not in diagnose("node_modules/x/linux-x64/x.node: invalid ELF header", AIM)[0].fix[0]


def test_the_line_of_node_that_failed_does_not_speak_of_macos() -> None:
    text = (
        "  return process.dlopen(module, path.toNamespacedPath(filename));\n\n"
        "Error: libshiny.so.1: cannot open shared object file: No such file or directory"
    )
    assert diagnose(text, AIM)[0].fix[0] == "lambdapack verify . --runtime nodejs22.x --arch x86_64"


def test_both_ways_of_searching_see_every_known_message() -> None:
    assert MESSAGE_PATTERNS
    for sign in MESSAGE_PATTERNS:
        noise = b"2026-11-20T10:00:00.000Z INFO item stored\n" * 3
        text = noise + sign.example.encode() + b"\n" + noise
        within = range(len(noise), len(text) - len(noise))
        assert set(find_stems(text, 5)) & set(within), sign.example
        assert set(search_stems(text, 5)) & set(within), sign.example
        assert [each for each in (*find_stems(text, 5), *search_stems(text, 5)) if each not in within] == []


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("Runtime.ImportModuleError: Error: Cannot find module 'index'", f"{VERIFY} --handler index.handler"),
        ("Error: Cannot find module 'src/app'", f"{VERIFY} --handler src/app.handler"),
        ("Handler 'main' missing on module 'api'", f"{VERIFY} --handler api.main"),
        ("app.main is undefined or not exported", f"{VERIFY} --handler app.main"),
    ],
)
def test_a_handlers_file_is_no_package_to_install(text: str, fix: str) -> None:
    found = diagnose(text, AIM)[0]
    assert found.cause == "handler"
    assert fix in found.fix
    assert not any("npm install" in each for each in found.fix)


@pytest.mark.parametrize("module", ["axios", "@acme/app", "app-root-path", "lib/x"])
def test_a_package_without_a_stack_is_one_to_install(module: str) -> None:
    assert diagnose(f"Error: Cannot find module '{module}'", AIM)[0].cause == "missing-package"


def test_a_package_for_another_system_goes_and_one_for_linux_is_asked_for_linux() -> None:
    said = 'npm error code EBADPLATFORM\nnpm error notsup Unsupported platform for {0}@1.0.0: wanted {{"os":"{1}"}}'
    foreign = diagnose(said.format("fsevents", "darwin"), AIM)[0]
    assert (foreign.package, foreign.fix[0]) == ("fsevents", "npm uninstall fsevents")
    ours = diagnose(said.format("@esbuild/linux-x64", "linux"), AIM)[0]
    assert ours.fix[0].startswith("npm ci --os=linux")


def test_a_zip_that_is_too_large_for_a_request_goes_through_a_bucket() -> None:
    text = "Request must be smaller than 69905067 bytes for the UpdateFunctionCode operation"
    assert diagnose(text, AIM)[0].fix[0] == "lambdapack deploy --function FUNCTION --bucket BUCKET"


def test_the_command_for_prisma_writes_the_platform_into_the_schema(tmp_path: Path) -> None:
    text = 'Query engine library for current platform "rhel-openssl-3.0.x" could not be found.'
    command, _, generate = diagnose(text, AIM)[0].fix[1].partition(" && ")
    shown = diagnosis.render_diagnosis(Explanation(diagnose(text, AIM)))
    assert command in shown.replace(" \\\n           ", " ")  # what is shown runs, too
    schema = tmp_path / "prisma" / "schema.prisma"
    schema.parent.mkdir()
    block = 'generator client {\n  provider = "prisma-client-js"\n  binaryTargets = ["debian-openssl-3.0.x"]\n}\n'
    schema.write_text(block)
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
    written = schema.read_text()
    assert written.count("binaryTargets") == 1
    assert written.startswith('generator client {\n  provider = "prisma-client-js"\n')
    assert '\n\tbinaryTargets = ["native", "rhel-openssl-3.0.x"]\n' in written
    assert generate == "npx prisma generate"


@pytest.mark.parametrize(
    ("text", "code", "cause", "first"),
    [
        (
            "Runtime.HandlerNotFound: app.run is undefined or not exported",
            "LP323",
            "handler",
            f"{VERIFY} --handler app.run",
        ),
        (
            "Runtime.UserCodeSyntaxError: SyntaxError: Unexpected token 'export'",
            "LP324",
            "module-system",
            "npm pkg set type=module",
        ),
    ],
)
def test_what_is_wrong_with_a_handler_has_its_own_record_and_cure(text: str, code: str, cause: str, first: str) -> None:
    found = diagnose(text, AIM)[0]
    assert (found.cause, found.code, found.fix[0]) == (cause, code, first)


@pytest.mark.parametrize(
    ("text", "code", "cause"),
    [
        ("a.node: CPU ISA level is lower than required", "LP219", "cpu-level"),
        ("a.node: cannot enable executable stack as shared object requires: Invalid argument", "LP222", "bad-elf"),
        ("Zipped size must be smaller than 52428800 bytes", "LP303", "too-big"),
        ("CodeStorageExceededException: Code storage limit exceeded.", "LP417", "too-big"),
        ("PreconditionFailedException: The Revision Id provided does not match", "LP413", "api-conflict"),
        ("The `npm ci` command can only install with an existing package-lock.json", "LP150", "lock-out-of-step"),
        ("npm error Missing: @esbuild/aix-ppc64@0.25.0 from lock file", "LP158", "lock-out-of-step"),
        ("npm error Missing: left-pad@1.3.0 from lock file", "LP156", "lock-out-of-step"),
        ("Error: Cannot find module './lib/db'", "LP326", "missing-package"),
        ("Error: spawn /var/task/node_modules/x/bin/x ENOENT", "LP228", "missing-program"),
    ],
)
def test_a_sentence_is_answered_with_the_record_that_is_about_it(text: str, code: str, cause: str) -> None:
    found = diagnose(strip_log_markup(text), AIM)[0]
    assert (found.code, found.cause) == (code, cause)


BUILD = "lambdapack build --runtime nodejs22.x --arch x86_64"


@pytest.mark.parametrize(
    "text",
    [
        "Error: lib{}.so.1: cannot open shared object file: No such file or directory",
        "\tlib{}.so.1 => not found",
        "../src/a.cc:1:10: fatal error: {}.h: No such file or directory",
        "/usr/bin/ld: cannot find -l{}: No such file or directory",
        "Package {} was not found in the pkg-config search path.",
        "gyp: Call to 'pkg-config --libs {}' returned exit status 1 while in binding.gyp",
    ],
)
def test_what_a_system_package_has_is_brought_by_the_build(text: str) -> None:
    for name, package in SYSTEM_PACKAGES.items():
        if package.amazon:
            fixes = diagnose(text.format(name), AIM)[0].fix
            assert f"{BUILD} --system-package {package.amazon}" in fixes, name
            assert BUILD not in fixes, name  # it would lack the same


@pytest.mark.parametrize(
    "text",
    [
        "Error: libnoone.so.1: cannot open shared object file: No such file or directory",
        "Error: /var/task/lib/libpq.so.5: cannot open shared object file: No such file or directory",
        "../src/a.cc:1:10: fatal error: noone.h: No such file or directory",
        "../src/a.cc:1:10: fatal error: vips/vips8: No such file or directory",
        "gyp: Call to 'node -p 1' returned exit status 1 while in binding.gyp",
    ],
)
def test_no_system_package_is_guessed(text: str) -> None:
    assert "--system-package" not in " ".join(diagnose(text, AIM)[0].fix)


def test_a_build_that_lacked_a_library_is_told_again_only_with_its_package() -> None:
    text = f"$ {BUILD}\n../src/a.cc:1:10: fatal error: libpq-fe.h: No such file or directory"
    for log in (text, f"{text}\nerror[LP111]: a native addon did not compile\n"):
        fixes = diagnose(log, AIM)[0].fix
        assert f"{BUILD} --system-package libpq-devel" in fixes
        assert BUILD not in fixes
