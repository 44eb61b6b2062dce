"""What is tried again and what is not, and what AWS's errors are called. No second passes in these tests."""

from pathlib import Path

import pytest
from botocore import exceptions  # noqa: TID251  # what a network does is said in its classes

from lambdapack.aws.cloud import connect_cloud
from lambdapack.deploy.nouns import LocalZip
from lambdapack.errors.record import ExitCode, LambdapackError
from lambdapack.model import Architecture
from tests.cloud import errors
from tests.cloud.deploying import Site
from tests.cloud.errors import AwsError

PLACE = "https://lambda.eu-central-1.amazonaws.com/"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.function()
    made.aws.time.sleeps.clear()
    return made


def refusal(site: Site, *said: AwsError | Exception) -> LambdapackError:
    happens(site, "GetFunctionConfiguration", *said)
    with pytest.raises(LambdapackError) as raised:
        site.cloud.function("fn")
    return raised.value


def happens(site: Site, operation: str, *said: AwsError | Exception) -> None:
    """Let an operation fail so before it works: AWS refuses it, or the network breaks."""
    site.aws.line.refuse[operation] = [each for each in said if isinstance(each, AwsError)]
    site.aws.line.break_[operation] = [each for each in said if not isinstance(each, AwsError)]


DENIED = (
    "User: arn:aws:iam::123456789012:user/dev is not authorized to perform: lambda:GetFunctionConfiguration on "
    "resource: arn:aws:lambda:eu-central-1:123456789012:function:fn because no identity-based policy allows the "
    "lambda:GetFunctionConfiguration action"
)


@pytest.mark.parametrize(
    ("code", "words", "expected"),
    [
        ("AccessDeniedException", DENIED, "LP410"),
        ("ExpiredTokenException", "The security token included in the request is expired", "LP402"),
        ("UnrecognizedClientException", "The security token included in the request is invalid.", "LP402"),
        ("RequestEntityTooLargeException", "Zipped size must be smaller than 52428800 bytes", "LP417"),
        ("CodeStorageExceededException", "Code storage limit exceeded.", "LP417"),
        ("InvalidParameterValueException", "Unzipped size must be smaller than 262144000 bytes", "LP417"),
        ("KMSAccessDeniedException", "Lambda was unable to decrypt the environment variables", "LP418"),
        ("InvalidParameterValueException", "Lambda was unable to configure access to your KMS key", "LP418"),
        ("SubnetIPAddressLimitReachedException", "no address is left", "LP419"),
        ("CodeVerificationFailedException", "The code signature failed", "LP420"),
        (
            "InvalidParameterValueException",
            "Error occurred while GetObject. S3 Error Code: PermanentRedirect. S3 Error Message: It is elsewhere",
            "LP421",
        ),
        ("PreconditionFailedException", "The Revision Id provided does not match", "LP413"),
        ("ResourceConflictException", "Function already exist: fn", "LP414"),
        ("InvalidParameterValueException", "Layer version arn:aws:x does not exist.", "LP426"),
        ("SomethingNewException", "AWS invents new ones", "LP426"),
    ],
)
def test_an_error_of_aws_has_a_code_and_its_words(site: Site, code: str, words: str, expected: str) -> None:
    error = refusal(site, AwsError(code, words))
    assert error.failure.code == expected
    assert words.rsplit(":", maxsplit=1)[-1] in error.detail
    assert site.aws.time.sleeps == []


def test_the_one_action_that_is_missing_is_named(site: Site) -> None:
    error = refusal(site, AwsError("AccessDeniedException", DENIED))
    assert error.detail.startswith("lambda:GetFunctionConfiguration is not allowed")
    assert "lambda:GetFunctionConfiguration on arn:aws:lambda:eu-central-1:123456789012:function:fn" in error.hint
    bare = refusal(site, AwsError("AccessDenied", "Access Denied"))
    assert bare.detail.startswith("lambda:GetFunctionConfiguration is not allowed")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (exceptions.NoCredentialsError(), "LP401"),
        (exceptions.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), "LP401"),
        (exceptions.CredentialRetrievalError(provider="process", error_msg="exit 1"), "LP401"),
        (exceptions.SSOTokenLoadError(error_msg="no token"), "LP402"),
        (exceptions.UnauthorizedSSOTokenError(), "LP402"),
        (exceptions.TokenRetrievalError(provider="sso", error_msg="Token has expired"), "LP402"),
        (exceptions.SSLError(endpoint_url=PLACE, error="self-signed certificate"), "LP405"),
    ],
)
def test_what_never_reached_aws_is_an_environment_failure(site: Site, error: Exception, expected: str) -> None:
    found = refusal(site, error)
    assert (found.failure.code, found.failure.exit) == (expected, ExitCode.ENVIRONMENT)
    assert site.aws.time.sleeps == []


@pytest.mark.parametrize(
    "said",
    [
        AwsError("TooManyRequestsException", "Rate exceeded"),
        AwsError("ServiceException", "An error occurred"),
        exceptions.ConnectionClosedError(endpoint_url=PLACE),
        exceptions.ReadTimeoutError(endpoint_url=PLACE),
        exceptions.EndpointConnectionError(endpoint_url=PLACE),
    ],
    ids=lambda each: getattr(each, "code", type(each).__name__),
)
def test_what_passes_is_tried_again(site: Site, said: AwsError | Exception) -> None:
    happens(site, "GetFunctionConfiguration", said, said)
    assert site.cloud.function("fn") is not None
    first, second = site.aws.time.sleeps
    assert second == first * 2


def test_it_is_given_up_in_the_end(site: Site) -> None:
    throttled = refusal(site, *[AwsError("TooManyRequestsException", "Rate exceeded")] * 20)
    assert throttled.failure.code == "LP411"
    assert 20 < site.aws.time.now < 130
    assert len(site.aws.time.sleeps) == 7


def test_an_update_in_progress_is_waited_for_and_not_for_ever(site: Site) -> None:
    archive = site.package("new")
    site.aws.line.refuse["UpdateFunctionCode"] = [errors.busy("arn")] * 10
    site.cloud.update_code("fn", Architecture.X86_64, LocalZip(archive.path))
    assert len(site.aws.time.sleeps) == 10
    site.cloud.wait_until_settled("fn")
    site.aws.line.refuse["UpdateFunctionCode"] = [errors.busy("arn")] * 1000
    with pytest.raises(LambdapackError, match="LP412"):
        site.cloud.update_code("fn", Architecture.X86_64, LocalZip(archive.path))
    assert 250 < site.aws.time.now < 400


def test_an_update_that_never_ends_is_not_waited_for_for_ever(site: Site) -> None:
    site.aws.functions.seconds = 1e9
    site.cloud.update_code("fn", Architecture.X86_64, LocalZip(site.package("new").path))
    with pytest.raises(LambdapackError, match="LP424"):
        site.cloud.wait_until_settled("fn")


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ReadTimeoutError(endpoint_url=PLACE),
        exceptions.ConnectionClosedError(endpoint_url=PLACE),
        AwsError("ServiceException", "An error occurred"),
    ],
    ids=lambda each: getattr(each, "code", type(each).__name__),
)
def test_a_function_is_never_invoked_twice(site: Site, error: AwsError | Exception) -> None:
    happens(site, "Invoke", error)
    with pytest.raises(LambdapackError):
        site.cloud.invoke("fn", "1", b"{}", 3)
    assert site.aws.line.operations.count("Invoke") == 1


def test_an_invoke_that_was_never_sent_is_tried_again(site: Site) -> None:
    site.aws.line.break_["Invoke"] = [exceptions.EndpointConnectionError(endpoint_url=PLACE)]
    assert site.cloud.invoke("fn", "1", b"{}", 3).error == ""


def test_lists_are_read_to_the_last_page(site: Site) -> None:
    site.aws.functions.page = 2
    for text in "abcde":
        site.deploy(site.wanted(site.package(text)))
    assert [each.version for each in site.cloud.versions("fn")] == ["$LATEST", *"123456"]
    assert len(list(site.cloud.all_versions())) == 7


def test_the_region_may_come_from_aws_region(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")  # a virtual machine of AWS would lend its own identity
    assert connect_cloud({"AWS_REGION": "eu-west-1"}).region == "eu-west-1"
    assert connect_cloud({"AWS_REGION": "eu-west-1"}, region="us-east-1").region == "us-east-1"
    with pytest.raises(LambdapackError, match="LP403"):
        connect_cloud({})
    with pytest.raises(LambdapackError, match="LP404"):
        connect_cloud({}, profile="nobody")
    broken = connect_cloud({}, region="not a region").function
    with pytest.raises(LambdapackError, match="LP403"):
        broken("fn")
    nowhere = connect_cloud({}, region="eu-west-1", endpoint="nowhere").function
    with pytest.raises(LambdapackError):
        nowhere("fn")
