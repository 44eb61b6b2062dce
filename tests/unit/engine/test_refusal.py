import ssl

import pytest

from lambdapack.engine.daemon import NotFoundError, NotRunningError
from lambdapack.engine.docker import describe_no_answer, error_from_response, innermost_os_error
from lambdapack.errors.build import DISK_FULL, ENGINE_LOST, ENGINE_REFUSED
from lambdapack.errors.record import Failure, LambdapackError


@pytest.mark.parametrize(
    ("words", "status", "failure"),
    [
        ("Error processing tar file(exit status 1): write /x: no space left on device", 500, DISK_FULL),
        ("mkdir /var/lib/docker: disk quota exceeded", 500, DISK_FULL),
        ("container rootfs is marked read-only", 500, ENGINE_REFUSED),
        ("Conflict. The container name is already in use", 409, ENGINE_REFUSED),
        ("Bad Gateway", 502, ENGINE_LOST),
        ("transport is closing: unavailable", 500, ENGINE_LOST),
    ],
)
def test_a_refusal_is_judged_by_its_words(words: str, status: int, failure: Failure) -> None:
    error = error_from_response(words, status)
    assert isinstance(error, LambdapackError)
    assert (error.failure, error.detail) == (failure, words)


@pytest.mark.parametrize(
    ("words", "status", "kind"),
    [
        ("Container 8f is not running", 409, NotRunningError),
        ("can only create exec sessions on running containers: container state improper", 500, NotRunningError),
        ("No such container: 8f", 404, NotFoundError),
    ],
)
def test_a_container_that_is_gone_or_ended_is_its_own_case(words: str, status: int, kind: type[Exception]) -> None:
    assert isinstance(error_from_response(words, status), kind)


def test_the_innermost_cause_is_the_systems_own() -> None:
    inner = ConnectionRefusedError(111, "Connection refused")
    middle = RuntimeError("wrapped")
    middle.__cause__ = inner
    outer = OSError("no words of its own")
    outer.__context__ = middle
    assert innermost_os_error(outer) is inner
    assert innermost_os_error(RuntimeError("x")) is None
    assert innermost_os_error(ssl.SSLError(1, "bad certificate")) is None


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (PermissionError(13, "Permission denied"), "usermod -aG docker"),
        (RuntimeError("Install paramiko package to enable ssh:// support"), "pip install paramiko"),
        (ssl.SSLError(1, "unknown ca"), "TLS: "),
        (TimeoutError("timed out"), "it did not answer in time"),
        (RuntimeError("many\n words"), "many words"),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_a_place_that_does_not_answer_has_one_line(error: Exception, line: str) -> None:
    assert line in describe_no_answer(error)
