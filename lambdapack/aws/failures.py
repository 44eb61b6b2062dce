"""AWS's errors as ours. One table of codes, one of words for the code that AWS uses for everything."""

import re
from collections.abc import Mapping

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from lambdapack.aws.actions import ACTIONS
from lambdapack.errors import (
    ACCESS_DENIED,
    BAD_PROFILE,
    BUCKET,
    BUSY,
    CHANGED,
    CODE_SIGNING,
    CREDENTIALS_EXPIRED,
    EXISTS,
    KMS,
    NO_CREDENTIALS,
    NO_FUNCTION,
    NO_REGION,
    NOT_THERE,
    REFUSED,
    ROLE,
    SERVICE,
    THROTTLED,
    TOO_LARGE,
    UNREACHABLE,
    VPC,
    Failure,
    LambdapackError,
)

_BY_CODE: Mapping[Failure, tuple[str, ...]] = {
    ACCESS_DENIED: ("AccessDeniedException", "AccessDenied", "403", "AllAccessDisabled", "UnauthorizedAccess"),
    CREDENTIALS_EXPIRED: (
        "ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "InvalidAccessKeyId",
        "UnrecognizedClientException", "InvalidSignatureException", "SignatureDoesNotMatch", "InvalidToken",
    ),
    THROTTLED: (
        "ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown",
        "EC2ThrottledException", "429",
    ),
    CHANGED: ("PreconditionFailedException", "PreconditionFailed"),
    EXISTS: ("ResourceConflictException", "ConflictException"),
    NOT_THERE: ("ResourceNotFoundException",),
    TOO_LARGE: ("RequestEntityTooLargeException", "RequestTooLargeException", "CodeStorageExceededException", "413"),
    KMS: ("KMSAccessDeniedException", "KMSDisabledException", "KMSInvalidStateException", "KMSNotFoundException"),
    VPC: (
        "EC2AccessDeniedException", "EC2UnexpectedException", "ENILimitReachedException", "InvalidSubnetIDException",
        "InvalidSecurityGroupIDException", "SubnetIPAddressLimitReachedException", "EFSMountFailureException",
        "EFSIOException", "EFSMountConnectivityException", "EFSMountTimeoutException",
    ),
    CODE_SIGNING: (
        "CodeVerificationFailedException", "InvalidCodeSignatureException", "CodeSigningConfigNotFoundException",
    ),
    BUCKET: ("NoSuchBucket", "NoSuchKey", "404", "301", "PermanentRedirect", "InvalidBucketName", "BadDigest"),
    SERVICE: ("ServiceException", "InternalError", "ServiceUnavailable", "ServiceUnavailableException", "500", "503"),
}  # fmt: skip

_CODES = {code: failure for failure, codes in _BY_CODE.items() for code in codes}

_WORDS: tuple[tuple[str, Failure], ...] = (
    (r"update is in progress|currently in the following state: Pending|state: Pending|in progress", BUSY),
    (r"[Uu]nzipped size must be smaller|Zipped size must be smaller|Request must be smaller", TOO_LARGE),
    (r"GetObject|S3 Error Code", BUCKET),
    (r"cannot be assumed by Lambda|execution role does not have permission", ROLE),
    (r"CodeSHA256 \(.*different from current", CHANGED),
    (r"\bKMS\b", KMS),
    (r"[Ss]ubnet|[Ss]ecurity [Gg]roup|\bVPC\b", VPC),
    (r"code signing|Code signing", CODE_SIGNING),
)
"""Words of a ResourceConflictException or an InvalidParameterValueException, which stand for many things."""

_VAGUE = ("ResourceConflictException", "InvalidParameterValueException", "ValidationException")

_DENIED = re.compile(r"not authorized to perform: ([\w-]+:\w+)(?: on resource: (\S+))?")

_LOCAL: tuple[tuple[tuple[type[Exception], ...], Failure], ...] = (
    ((exceptions.NoCredentialsError, exceptions.PartialCredentialsError), NO_CREDENTIALS),
    ((exceptions.NoRegionError, exceptions.InvalidRegionError), NO_REGION),
    ((exceptions.ProfileNotFound, exceptions.InvalidConfigError, exceptions.ConfigParseError), BAD_PROFILE),
    ((ValueError,), BAD_PROFILE),  # an endpoint that is no URL
    ((exceptions.ConfigNotFound, exceptions.UnknownCredentialError, exceptions.InfiniteLoopConfigError), BAD_PROFILE),
    ((exceptions.SSOError, exceptions.TokenRetrievalError), CREDENTIALS_EXPIRED),
    ((exceptions.CredentialRetrievalError, exceptions.MissingDependencyException), NO_CREDENTIALS),
    ((exceptions.MetadataRetrievalError, exceptions.RefreshWithMFAUnsupportedError), NO_CREDENTIALS),
    ((exceptions.HTTPClientError, exceptions.ConnectionError), UNREACHABLE),
    ((exceptions.InvalidEndpointConfigurationError, exceptions.ParamValidationError), REFUSED),
)
"""What botocore says before or without an answer of AWS, by class. The first that fits counts."""


def kind_of(error: ClientError | BotoCoreError | ValueError) -> Failure:
    """Return which failure an error of botocore is."""
    if not isinstance(error, ClientError):
        return next((failure for classes, failure in _LOCAL if isinstance(error, classes)), REFUSED)
    code, words = _code(error), _words(error)
    if code in _VAGUE:
        found = next((failure for pattern, failure in _WORDS if re.search(pattern, words)), None)
        return found or _CODES.get(code, REFUSED)
    if code in _CODES:
        return _CODES[code]
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
    return SERVICE if status >= 500 else REFUSED


def failure_of(
    error: ClientError | BotoCoreError | ValueError, service: str, operation: str, subject: str
) -> LambdapackError:
    """Return our error for one of botocore; `subject` is the function, layer or object that the call was about."""
    kind = kind_of(error)
    if kind is NOT_THERE and ":layer:" not in subject and operation not in {"GetLayerVersion", "UpdateAlias"}:
        kind = NO_FUNCTION if "unction not found" in _words(error) else NOT_THERE
    place = f"{service} {operation}{f' on {subject}' if subject else ''}"
    if kind is ACCESS_DENIED:
        return _denied(error, service, operation, subject)
    return LambdapackError(kind, f"{place}: {_words(error)}", hint=_hint(kind, error))


def _hint(kind: Failure, error: Exception) -> str | None:
    if kind is CREDENTIALS_EXPIRED and isinstance(error, ClientError) and "xpired" not in _code(error):
        return "Check the access key: `aws sts get-caller-identity` uses the same credentials."
    if isinstance(error, exceptions.MissingDependencyException):
        return 'Run `pip install "botocore[crt]"` in the same environment.'
    return None


def _denied(error: Exception, service: str, operation: str, subject: str) -> LambdapackError:
    found = _DENIED.search(_words(error))
    action = found[1] if found else next(iter(ACTIONS[service, operation]), f"{service}:{operation}")
    place = (found[2] if found and found[2] else subject).rstrip(".")
    where = f" on {place}" if place else ""
    hint = f"Allow the action {action}{where}; README has the least policy that lambdapack needs."
    return LambdapackError(ACCESS_DENIED, f"{action} is missing: {_words(error)}", hint=hint)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _words(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Message") or _code(error) or error)
    return str(error)
