"""Every log here is what npm 10.9.9 wrote in a Node 22 image, 2026-11; only host names were replaced."""

from pathlib import Path

import pytest

from lambdapack.engine.interface import CommandResult
from lambdapack.errors.build import DISK_FULL, LOCK_REFUSED, NO_REGISTRY, NPM_FAILED, REGISTRY_REFUSED, ROOT_SCRIPT
from lambdapack.errors.install import COMPILE_FAILED, CRASHED, NO_TOOLCHAIN, OUT_OF_MEMORY
from lambdapack.errors.record import Failure, LambdapackError
from lambdapack.managers.npm.failures import NpmRun, explain_npm_failure, lost_files_failure
from lambdapack.model import Architecture

LOGS = Path(__file__).parent / "logs"

SUCCEEDED = {"cpu-flags"}


def log(name: str) -> tuple[str, ...]:
    return tuple((LOGS / f"{name}.txt").read_text(encoding="utf-8").splitlines())


def explained(
    name: str, exit_code: int = 1, *, emulated: bool = False, tools: dict[str, str] | None = None
) -> LambdapackError:
    ended = CommandResult(exit_code, exit_code - 128 if exit_code > 128 else None)
    return explain_npm_failure(NpmRun(ended, log(name), Architecture.ARM64, emulated, "10.9.9", tools=tools or {}))


@pytest.mark.parametrize(
    ("name", "failure", "detail", "hint"),
    [
        ("missing-package", REGISTRY_REFUSED, "404 Not Found - GET", "npm view"),
        ("missing-version", REGISTRY_REFUSED, "No matching version found for ms@99.0.0", "npm view"),
        ("unauthorized", REGISTRY_REFUSED, "401 Unauthorized", "npm whoami"),
        ("forbidden", REGISTRY_REFUSED, "403 Forbidden", "npm whoami"),
        ("too-many-requests", REGISTRY_REFUSED, "429 Too Many Requests", "later"),
        ("unavailable", REGISTRY_REFUSED, "503 Service Unavailable", "later"),
        ("proxy-authentication", NO_REGISTRY, "407 Proxy Authentication Required", "https-proxy="),
        ("no-network", NO_REGISTRY, "getaddrinfo EAI_AGAIN", "NODE_EXTRA_CA_CERTS"),
        ("unknown-proxy", NO_REGISTRY, "getaddrinfo ENOTFOUND proxy.invalid", "HTTPS_PROXY"),
        ("connection-refused", NO_REGISTRY, "connect ECONNREFUSED", "npm config get registry"),
        ("connection-reset", NO_REGISTRY, "socket hang up", "HTTPS_PROXY"),
        ("unknown-authority", NO_REGISTRY, "self-signed certificate", "NODE_EXTRA_CA_CERTS"),
        ("lock-out-of-step", LOCK_REFUSED, "Missing: is-number@7.0.0 from lock file", "npx npm@10.9.9 install"),
        ("wrong-integrity", LOCK_REFUSED, "Integrity checksum failed", "proxy serves another file"),
        ("other-platform", LOCK_REFUSED, "Unsupported platform for fsevents@2.3.3", "optionalDependencies"),
        ("engine-strict", NPM_FAILED, 'Required: {"node":">=99"}', "engine-strict"),
        ("no-git", NPM_FAILED, "spawn git", "git dependency"),
        ("disk-full", DISK_FULL, "no space left on device", "docker system df"),
        ("heap", OUT_OF_MEMORY, "JavaScript heap out of memory", "--max-old-space-size"),
        (
            "compiler-killed",
            CRASHED,
            "a program was killed (SIGKILL) in addon@1.0.0's install script",
            "memory was not short",
        ),
        ("no-python", NO_TOOLCHAIN, "Could not find any Python", "--build-image"),
        ("no-make", NO_TOOLCHAIN, "not found: make", "has make"),
        ("no-compiler", NO_TOOLCHAIN, "g++: No such file or directory", "has g++"),
        ("no-pkg-config", NO_TOOLCHAIN, "pkg-config: command not found", "has pkg-config"),
        ("prebuild-install", NO_TOOLCHAIN, "could not be fetched (getaddrinfo ENOTFOUND", "--build-image"),
        ("node-pre-gyp", NO_TOOLCHAIN, "bcrypt's install script", "--build-image"),
        ("compile-error", COMPILE_FAILED, "'napi_create_nothing' was not declared", "prebuilt binary"),
        ("missing-header", COMPILE_FAILED, "cairo/cairo.h: No such file", "--system-package cairo-devel"),
        ("missing-library", COMPILE_FAILED, "cannot find -lcairo_nope", "development files of cairo_nope"),
        ("bad-gyp", COMPILE_FAILED, "SyntaxError: '{' was never closed", "prebuilt binary"),
        ("dependency-tool", NPM_FAILED, "cmake-js: command not found", "npm install cmake-js"),
        ("dependency-script", NPM_FAILED, "no binary for this platform", "lib/addon's script"),
        ("root-prepare-husky", ROOT_SCRIPT, "needs `husky`", "npm install --save-prod husky"),
        ("root-postinstall-prisma", ROOT_SCRIPT, "postinstall script (`prisma generate`)", "--save-prod prisma"),
        ("root-script-file", ROOT_SCRIPT, "is not copied into the build", '= ["scripts/setup.js"]'),
        ("root-script-module", ROOT_SCRIPT, "needs `husky`", "take the call out"),
    ],
)
def test_a_log_of_npm_is_explained(name: str, failure: Failure, detail: str, hint: str) -> None:
    error = explained(name)
    assert error.failure is failure
    assert detail in error.detail
    assert hint in error.hint


@pytest.mark.parametrize(
    ("name", "exit_code", "failure"),
    [
        ("segfault", 139, CRASHED),
        ("illegal-instruction", 132, CRASHED),
        ("killed", 137, CRASHED),
    ],
)
def test_a_signal_is_explained_with_the_script_that_ran(name: str, exit_code: int, failure: Failure) -> None:
    error = explained(name, exit_code)
    assert error.failure is failure
    assert "in addon@1.0.0's postinstall script" in error.detail


def test_a_crash_under_emulation_is_the_emulators_and_its_cure_a_newer_one() -> None:
    assert "tonistiigi/binfmt" in explained("segfault", 139, emulated=True).hint
    assert "tonistiigi/binfmt" not in explained("segfault", 139).hint


def test_npm_run_says_nothing_of_its_own_and_is_understood() -> None:
    lines = ("> shop@1.0.0 postinstall", "> prisma generate", "sh: line 1: prisma: command not found")
    scripts = {"postinstall": "prisma generate"}
    error = explain_npm_failure(
        NpmRun(CommandResult(127), lines, Architecture.ARM64, event="postinstall", scripts=scripts)
    )
    assert error.failure is ROOT_SCRIPT
    assert error.detail.startswith("this project's postinstall script (`prisma generate`) needs `prisma`")


def test_a_script_that_aborts_for_want_of_heap_ran_out_of_memory() -> None:
    assert explained("heap", 134).failure is OUT_OF_MEMORY
    assert explained("segfault", 134).failure is CRASHED


def test_out_of_memory_that_only_the_cgroup_tells_counts() -> None:
    run = NpmRun(CommandResult(1, None, out_of_memory=True), log("dependency-script"), Architecture.X86_64)
    assert explain_npm_failure(run).failure is OUT_OF_MEMORY


def test_a_program_of_a_devdependency_is_named_with_its_package_and_no_guard_hides_what_it_makes() -> None:
    error = explained("root-postinstall-prisma", 127, tools={"prisma": "prisma"})
    assert "which the devDependency prisma brings" in error.detail
    assert error.hint == "Run `npm install --save-prod prisma`."


def test_a_module_inside_a_devdependency_is_its() -> None:
    lines = tuple(each.replace("'husky'", "'@acme/tool/setup.js'") for each in log("root-script-module"))
    run = NpmRun(CommandResult(1), lines, Architecture.ARM64, tools={"@acme/tool": "@acme/tool"})
    assert "the devDependency @acme/tool brings" in explain_npm_failure(run).detail


@pytest.mark.parametrize(
    "words", ["sh: 1: prisma: not found", "sh: prisma: not found", "/bin/sh: line 1: prisma: command not found"]
)
def test_dash_busybox_and_bash_are_understood(words: str) -> None:
    lines = tuple(each if "command not found" not in each else words for each in log("root-postinstall-prisma"))
    assert "needs `prisma`" in explain_npm_failure(NpmRun(CommandResult(127), lines, Architecture.ARM64)).detail


def test_logs_of_older_npm_are_understood() -> None:
    lines = tuple(each.replace("npm error", "npm ERR!") for each in log("lock-out-of-step"))
    assert explain_npm_failure(NpmRun(CommandResult(1), lines, Architecture.ARM64)).failure is LOCK_REFUSED


def test_what_an_earlier_script_printed_does_not_explain_a_later_one() -> None:
    lines = (*log("compile-error")[:40], *log("dependency-tool"))
    assert explain_npm_failure(NpmRun(CommandResult(127), lines, Architecture.ARM64)).failure is NPM_FAILED


def test_an_unknown_failure_shows_npms_own_last_lines() -> None:
    lines = tuple(f"line {number}" for number in range(100))
    error = explain_npm_failure(NpmRun(CommandResult(7), lines, Architecture.ARM64))
    assert error.failure is NPM_FAILED
    assert error.detail.splitlines() == ["npm ended with exit code 7", *lines[-20:]]


def test_silence_is_a_failure_too() -> None:
    assert explain_npm_failure(NpmRun(CommandResult(1), (), Architecture.ARM64)).detail == "npm ended with exit code 1"


def test_a_braced_message_is_shown_as_it_is() -> None:
    lines = ("npm error code E404", "npm error 404 {weird} {0}")
    assert "{weird} {0}" in explain_npm_failure(NpmRun(CommandResult(1), lines, Architecture.ARM64)).detail


def test_a_full_disk_is_seen_although_npm_exits_with_0() -> None:
    found = lost_files_failure(log("disk-full"))
    assert found is not None
    assert found.failure is DISK_FULL


@pytest.mark.parametrize("name", sorted(SUCCEEDED))
def test_a_good_run_lost_nothing(name: str) -> None:
    assert lost_files_failure(log(name)) is None


@pytest.mark.parametrize("path", sorted(LOGS.glob("*.txt")), ids=lambda path: path.stem)
def test_no_failure_prints_npms_help_or_its_advertisements(path: Path) -> None:
    shown = explained(path.stem).detail
    assert "Usage:" not in shown
    assert "npm notice" not in shown
    assert "--install-strategy" not in shown
    assert len(shown.splitlines()) <= 21
