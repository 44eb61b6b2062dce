from dataclasses import replace
from typing import Any

import pytest

from lambdapack.engine.interface import Limits
from lambdapack.managers.interface import (
    ImageFacts,
    InstallRun,
    InstallScripts,
    ManagerSettings,
    PreparedSandbox,
    ScriptedPackage,
)
from lambdapack.managers.npm import commands
from lambdapack.managers.npm.commands import SandboxSettings
from lambdapack.model import MIB, Architecture

X86, ARM = Architecture.X86_64, Architecture.ARM64
FACTS = ImageFacts("sha256:0", "22.23.3", "10.9.9", "/var/lang")
PREPARED = PreparedSandbox(FACTS, 8)
SETTINGS = ManagerSettings(
    text=b"//registry.example.test/:_authToken=npm_abc\n_password=cGFzcw==\nhttps-proxy=http://me:pr0xy@proxy:3128\n",
    files=(("extra-ca.pem", b"CA"), ("keyfile-0.pem", b"KEY")),
    environment={"HTTPS_PROXY": "http://me:pr0xy@proxy:3128", "NODE_EXTRA_CA_CERTS": "/run/lambdapack/extra-ca.pem"},
    has_credentials=True,
    without_secrets="registry=https://registry.example.test/\n",
)


def prepared(**changes: Any) -> PreparedSandbox:
    return PreparedSandbox(replace(FACTS, **changes), 8)


def fetching(target: Architecture, version: tuple[int, int, int]) -> tuple[str, ...]:
    return commands.ci_command(InstallRun(target), version)


def test_development_dependencies_are_never_installed() -> None:
    assert fetching(X86, (10, 9, 9))[:3] == ("npm", "ci", "--omit=dev")


@pytest.mark.parametrize(
    ("version", "platform"),
    [
        ((10, 9, 9), ["--os=linux", "--cpu=arm64", "--libc=glibc"]),
        ((10, 3, 0), ["--os=linux", "--cpu=arm64", "--libc=glibc"]),
        ((10, 2, 9), ["--os=linux", "--cpu=arm64"]),
        ((8, 19, 4), []),
    ],
)
def test_the_platform_is_told_to_an_npm_that_understands(version: tuple[int, int, int], platform: list[str]) -> None:
    found = [each for each in fetching(ARM, version) if each.startswith(("--os", "--cpu", "--libc"))]
    assert found == platform


def test_the_cpu_has_nodes_name() -> None:
    assert "--cpu=x64" in fetching(X86, (10, 9, 9))


def test_nothing_runs_while_packages_are_fetched() -> None:
    assert "--ignore-scripts" in fetching(X86, (10, 9, 9))


def scripted(name: str, *, optional: bool = False) -> ScriptedPackage:
    return ScriptedPackage(f"{name}@1.0.0", f"node_modules/{name}", f"node_modules/{name}", optional)


def test_packages_are_rebuilt_by_their_directories_with_the_settings_of_an_install() -> None:
    run = InstallRun(X86, packages=(scripted("bcrypt"), scripted("a/node_modules/b")))
    first, second = commands.script_commands(run, PREPARED).commands
    npm = tuple(first.command.argv)[4:]
    assert npm[:3] == ("npm", "rebuild", "--omit=dev")
    assert {"--foreground-scripts", "--os=linux", "--cpu=x64", "--libc=glibc"} <= set(npm)
    assert npm[-1] == "/var/task/node_modules/bcrypt"
    assert (second.command.argv[-1], second.package) == ("/var/task/node_modules/a/node_modules/b", run.packages[1])
    assert "--ignore-scripts" not in npm


def test_an_optional_package_is_rebuilt_alone_and_left_out_when_that_fails() -> None:
    run = InstallRun(X86, InstallScripts(root=("postinstall",)), (scripted("x", optional=True), scripted("bcrypt")))
    steps = commands.script_commands(run, PREPARED).commands
    assert [step.command.argv[-1] for step in steps] == [
        "/var/task/node_modules/x", "/var/task/node_modules/bcrypt", "postinstall",
    ]  # fmt: skip
    assert [step.optional for step in steps] == ["x@1.0.0", "", ""]
    assert steps[0].otherwise is not None
    assert steps[0].otherwise.argv[-1] == "node_modules/x"


@pytest.mark.parametrize(
    ("text", "version"),
    [("10.9.9", (10, 9, 9)), ("11.0.0-pre.1", (11, 0, 0)), ("", (0, 0, 0)), ("9.6", (9, 6, 0))],
)
def test_npm_versions_are_read(text: str, version: tuple[int, int, int]) -> None:
    assert ImageFacts("sha256:0", "22.0.0", text, "").manager_version == version


def test_headers_of_the_image_are_used_and_nothing_else_when_there_are_none() -> None:
    assert commands.npm_environment(PREPARED, Limits())["npm_config_nodedir"] == "/var/lang"
    assert not any("nodedir" in each for each in commands.npm_environment(prepared(headers=""), Limits()))


def test_an_npm_that_warns_of_others_settings_is_told_none() -> None:
    found = commands.npm_environment(prepared(manager="11.19.0"), Limits())
    assert [name for name in found if "nodedir" in name] == ["npm_package_config_node_gyp_nodedir"]


def test_the_images_library_path_is_emptied_unless_node_needs_it() -> None:
    assert commands.npm_environment(PREPARED, Limits())["LD_LIBRARY_PATH"] == ""
    assert "LD_LIBRARY_PATH" not in commands.npm_environment(prepared(own_libraries=True), Limits())


@pytest.mark.parametrize(("memory", "jobs"), [(4096, "4"), (512, "1"), (64 * 1024, "8")])
def test_compilers_are_as_many_as_memory_and_processors_allow(memory: int, jobs: str) -> None:
    assert commands.npm_environment(PREPARED, Limits(memory_bytes=memory * MIB))["JOBS"] == jobs


def test_no_secret_is_in_the_public_environment() -> None:
    public = " ".join([*commands.npm_environment(PREPARED, Limits()).values(), *fetching(ARM, (10, 9, 9))])
    assert not [each for each in commands.secret_words(SETTINGS) if each in public]


def test_tokens_and_passwords_are_known_to_be_secret() -> None:
    assert commands.secret_words(SETTINGS) == ("npm_abc", "cGFzcw==", "pr0xy")


def test_what_scripts_may_see_has_no_secret() -> None:
    carried = commands.settings_without_secrets(SETTINGS)
    seen = carried.text + carried.script + b"".join(data for _, data in carried.files)
    assert not [each for each in commands.secret_words(SETTINGS) if each.encode() in seen]
    assert b"KEY" not in seen
    assert b"registry=https://registry.example.test/" in seen
    assert b"export HTTPS_PROXY=http://proxy:3128\n" in seen
    assert b"CA" in seen


def test_the_users_own_patience_counts_over_ours() -> None:
    text = commands.settings_with_secrets(ManagerSettings(text=b"fetch-retries=9\n")).text
    assert text.index(b"fetch-retries=2") < text.index(b"fetch-retries=9")


def test_a_value_cannot_break_out_of_the_environment_file() -> None:
    script = SandboxSettings(environment={"HTTPS_PROXY": "http://u:a'b$(touch x)\n@h"}).script
    assert script == b"export HTTPS_PROXY='http://u:a'\"'\"'b$(touch x)\n@h'\n"


def test_flags_of_the_key_leave_out_program_and_verb() -> None:
    assert commands.option_text(("npm", "ci", "--omit=dev", "--cpu=x64")) == "--omit=dev --cpu=x64"
