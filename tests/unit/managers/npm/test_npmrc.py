from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdapack.errors.record import LambdapackError
from lambdapack.managers.interface import ManagerSettings
from lambdapack.managers.npm.ini import decode_ini, encode_ini
from lambdapack.managers.npm.npmrc import translate_npm_settings

CANARY = "npm_c4n4ryS3cret"


def settings(
    tmp_path: Path, project: str = "", user: str = "", environ: Mapping[str, str] | None = None
) -> ManagerSettings:
    home, here = tmp_path / "home", tmp_path / "fn"
    for directory, text in ((home, user), (here, project)):
        directory.mkdir(exist_ok=True)
        if text:
            (directory / ".npmrc").write_text(text)
    return translate_npm_settings(here, environ or {}, home)


def keys(found: ManagerSettings) -> dict[str, object]:
    return dict(decode_ini(found.text.decode()))


def refusal(tmp_path: Path, project: str = "", environ: Mapping[str, str] | None = None) -> LambdapackError:
    with pytest.raises(LambdapackError) as caught:
        settings(tmp_path, project, environ=environ)
    assert caught.value.failure.code == "LP006"
    return caught.value


def test_nothing_on_the_host_is_nothing_in_the_sandbox(tmp_path: Path) -> None:
    assert settings(tmp_path) == ManagerSettings()


def test_the_projects_file_goes_over_the_users_and_variables_over_both(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        "registry=https://project.example/\nfetch-retries=3\n",
        "registry=https://user.example/\nmaxsockets=4\n",
        {"NPM_CONFIG_FETCH_RETRIES": "7", "npm_config_user_agent": "npm/11", "npm_config_strict_ssl": ""},
    )
    assert keys(found) == {"registry": "https://project.example/", "fetch-retries": "7", "maxsockets": "4"}
    assert found.dropped == ()


def test_userconfig_names_another_file(tmp_path: Path) -> None:
    (tmp_path / "ci.npmrc").write_text("registry=https://ci.example/\n")
    found = settings(tmp_path, user="maxsockets=1", environ={"NPM_CONFIG_USERCONFIG": str(tmp_path / "ci.npmrc")})
    assert keys(found) == {"registry": "https://ci.example/"}


def test_what_would_change_the_install_is_dropped_and_listed(tmp_path: Path) -> None:
    found = settings(
        tmp_path, "include=dev\nos=darwin\nprefix=/usr\n; c\nnode-options=--inspect\nlegacy-peer-deps=true\n"
    )
    assert found.dropped == ("node-options", "os")
    assert found.refused == ("include=dev",)
    assert keys(found) == {"legacy-peer-deps": "true"}
    assert found.legacy_peer_deps


def test_variables_are_expanded_on_the_host_as_npm_does(tmp_path: Path) -> None:
    text = "//r.example/:_authToken=${TOKEN}\n@me:registry=https://${HOST}/\nproxy=${GONE?}\n//s.example/:_authToken=${GONE}\n"
    found = settings(tmp_path, text, environ={"TOKEN": CANARY, "HOST": "r.example"})
    assert keys(found)["//r.example/:_authToken"] == CANARY
    assert keys(found)["@me:registry"] == "https://r.example/"
    assert keys(found)["proxy"] == ""
    assert found.undefined == ("GONE",)
    assert found.has_credentials


def test_an_unknown_variable_is_no_credential(tmp_path: Path) -> None:
    assert not settings(tmp_path, "//r.example/:_authToken=${GONE}").has_credentials


@pytest.mark.parametrize(
    "line",
    [
        f"//r.example/:_authToken={CANARY}",
        f"//r.example/:_auth={CANARY}",
        f"//r.example/:_password={CANARY}",
        f"_authToken={CANARY}",
        f"https-proxy=http://me:{CANARY}@proxy.example:3128",
        f"registry=https://me:{CANARY}@r.example/",
        f"key={CANARY}",
    ],
)
def test_secrets_are_in_the_text_and_nowhere_else(tmp_path: Path, line: str) -> None:
    found = settings(tmp_path, line + "\n")
    assert CANARY in found.text.decode()
    assert found.has_credentials
    assert CANARY not in found.without_secrets
    assert CANARY not in repr(found)


def test_credentials_without_a_host_are_bound_to_the_registry(tmp_path: Path) -> None:
    found = settings(tmp_path, "registry=https://r.example/npm/\n_auth=abc\nemail=me@x.example\nalways-auth=true\n")
    assert keys(found) == {
        "registry": "https://r.example/npm/",
        "//r.example/npm/:_auth": "abc",
        "//r.example/npm/:email": "me@x.example",
        "always-auth": "true",
    }


def test_the_dependency_key_sees_what_changes_packages_and_not_how_they_travel(tmp_path: Path) -> None:
    one = settings(tmp_path, "registry=https://u:p@r.example/\n@me:registry=https://m.example/\nallow-scripts=sharp\n")
    two = settings(
        tmp_path,
        "allow-scripts=sharp\nregistry=https://r.example/\n@me:registry=https://m.example/\nproxy=http://p.example\n"
        "strict-ssl=false\nfetch-retries=9\n//r.example/:_authToken=x\n",
    )
    assert one.without_secrets == two.without_secrets
    assert one.allow_scripts == ("sharp",)
    assert settings(tmp_path, "registry=https://other.example/").without_secrets != one.without_secrets


@pytest.mark.parametrize(
    "line",
    [
        "registry=http://localhost:4873/",
        "@me:registry=http://127.0.0.1:4873/",
        "registry=http://[::1]:4873/",
        "https-proxy=http://LOCALHOST:3128",
        "proxy=http://user:secret@127.1.2.3:3128",
        "registry=http://npm.localhost/",
        "proxy=localhost:3128",
    ],
)
def test_a_host_that_only_this_machine_can_reach_is_refused_with_the_cure(tmp_path: Path, line: str) -> None:
    error = refusal(tmp_path, line)
    assert line.partition("=")[0] in error.detail
    assert str(tmp_path / "fn" / ".npmrc") in error.detail
    assert "host.docker.internal" in error.hint
    assert "secret" not in error.detail


def test_credentials_for_this_machines_registry_are_left_behind(tmp_path: Path) -> None:
    found = settings(tmp_path, "//localhost:4873/:_authToken=x\n")
    assert (found.text, found.dropped, found.has_credentials) == (b"", ("//localhost:4873/:_authToken",), False)


def test_certificates_travel_as_content(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "ca.pem").write_text("AUTHORITY")
    (tmp_path / "fn").mkdir()
    (tmp_path / "fn" / "client.key").write_text(CANARY)
    found = settings(tmp_path, "//r.example/:keyfile=client.key\n", "cafile=~/ca.pem\n")
    files = dict(found.files)
    assert files[Path(str(keys(found)["cafile"])).name] == b"AUTHORITY"
    assert files[Path(str(keys(found)["//r.example/:keyfile"])).name] == CANARY.encode()
    assert str(keys(found)["cafile"]).startswith("/run/lambdapack/")
    assert found.environment["NODE_EXTRA_CA_CERTS"] == keys(found)["cafile"]
    assert found.has_credentials
    assert CANARY not in repr(found)


def test_a_named_certificate_that_is_not_there_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, "cafile=/nowhere/ca.pem\n")
    assert "cafile" in error.detail
    assert "ca.pem: No such file" in error.detail


def test_ca_arrays_keep_their_members(tmp_path: Path) -> None:
    found = settings(tmp_path, 'ca[]="-----BEGIN\\nA"\nca[]=two\n')
    assert keys(found)["ca"] == ("-----BEGIN\nA", "two")


@given(st.dictionaries(st.from_regex(r"[a-z@/:_-]{1,12}", fullmatch=True), st.text(max_size=30), max_size=4))
def test_what_is_encoded_is_decoded_again_but_for_the_guard_of_variables(values: dict[str, str]) -> None:
    text = "".join(encode_ini(key, value) for key, value in values.items())
    plain = {key: value for key, value in values.items() if "${" not in value}
    assert {key: value for key, value in decode_ini(text).items() if key in plain} == plain


@pytest.mark.parametrize(
    ("project", "omitted"),
    [
        ("omit=optional", ("optional",)),
        ("omit[]=optional\nomit[]=peer\nomit[]=dev", ("optional", "peer")),
        ("optional=false", ("optional",)),
        ("omit=optional\ninclude=optional", ()),
        ("omit=optional\noptional=true", ()),
        ("omit=everything", ()),
        ("production=true\nonly=prod", ()),
    ],
)
def test_kinds_of_dependencies_are_left_out_as_npm_does(tmp_path: Path, project: str, omitted: tuple[str, ...]) -> None:
    assert settings(tmp_path, project).omitted == omitted


def test_a_variable_may_name_several_kinds(tmp_path: Path) -> None:
    assert settings(tmp_path, environ={"npm_config_omit": "optional\n\npeer"}).omitted == ("optional", "peer")


def test_keys_that_lay_out_node_modules_are_part_of_the_key(tmp_path: Path) -> None:
    found = settings(tmp_path, "force=true\nlegacy-bundling=true\nprefer-dedupe=true\n")
    assert keys(found) == {"force": "true", "legacy-bundling": "true", "prefer-dedupe": "true"}
    assert "force = true" in found.without_secrets
