"""Converts botocore errors to LambdapackErrors, by error code, message and exception class."""

import re
from collections.abc import Mapping
from typing import TypeAlias

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from lambdapack.aws.actions import IAM_ACTIONS
from lambdapack.errors.cloud import (
    ACCESS_DENIED,
    BAD_PROFILE,
    BAD_REPLY,
    BUCKET,
    BUSY,
    CHANGED,
    CODE_SIGNING,
    CREDENTIALS_EXPIRED,
    EXISTS,
    KMS,
    NO_CONCURRENCY,
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
)
from lambdapack.errors.record import Failure, LambdapackError


class BadReplyError(Exception):
    """A reply that AWS would not give: not JSON, not whole, or without what the operation always answers."""


_CODES_BY_FAILURE: Mapping[Failure, tuple[str, ...]] = {
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
    NOT_THERE: ("ResourceNotFoundException", "ProvisionedConcurrencyConfigNotFoundException"),
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
    BUCKET: ("NoSuchBucket", "NoSuchKey", "301", "PermanentRedirect", "InvalidBucketName", "BadDigest"),
    SERVICE: ("ServiceException", "InternalError", "ServiceUnavailable", "ServiceUnavailableException", "500", "503"),
}  # fmt: skip

_FAILURE_BY_CODE = {code: failure for failure, codes in _CODES_BY_FAILURE.items() for code in codes}

_MESSAGE_PATTERNS: tuple[tuple[str, Failure], ...] = (
    (r"update is in progress|currently in the following state: Pending|state: Pending|in progress", BUSY),
    (r"[Uu]nzipped size must be smaller|Zipped size must be smaller|Request must be smaller", TOO_LARGE),
    (r"GetObject|S3 Error Code", BUCKET),
    (r"cannot be assumed by Lambda|execution role does not have permission", ROLE),
    (r"CodeSHA256 \(.*different from current", CHANGED),
    (r"\bKMS\b", KMS),
    (r"[Ss]ubnet|[Ss]ecurity [Gg]roup|\bVPC\b", VPC),
    (r"code signing|Code signing", CODE_SIGNING),
)
"""Messages of a ResourceConflictException or an InvalidParameterValueException, which have many causes."""

_AMBIGUOUS_CODES = ("ResourceConflictException", "InvalidParameterValueException", "ValidationException")

_DENIED_ACTION = re.compile(r"not authorized to perform: ([\w-]+:\w+)(?: on resource: (\S+))?")

_FAILURE_BY_CLASS: tuple[tuple[tuple[type[Exception], ...], Failure], ...] = (
    ((exceptions.NoCredentialsError, exceptions.PartialCredentialsError), NO_CREDENTIALS),
    ((exceptions.NoRegionError, exceptions.InvalidRegionError), NO_REGION),
    ((exceptions.ProfileNotFound, exceptions.InvalidConfigError, exceptions.ConfigParseError), BAD_PROFILE),
    ((ValueError,), BAD_PROFILE),  # an endpoint that is no URL
    ((exceptions.ConfigNotFound, exceptions.UnknownCredentialError, exceptions.InfiniteLoopConfigError), BAD_PROFILE),
    ((exceptions.SSOError, exceptions.TokenRetrievalError), CREDENTIALS_EXPIRED),
    ((exceptions.CredentialRetrievalError, exceptions.MissingDependencyException), NO_CREDENTIALS),
    ((exceptions.MetadataRetrievalError, exceptions.RefreshWithMFAUnsupportedError), NO_CREDENTIALS),
    ((BadReplyError,), BAD_REPLY),
    ((exceptions.HTTPClientError, exceptions.ConnectionError, exceptions.IncompleteReadError), UNREACHABLE),
    ((exceptions.InvalidEndpointConfigurationError, exceptions.ParamValidationError), REFUSED),
)
"""Errors that botocore raises before or without a reply of AWS, by class; the first match counts."""


CallError: TypeAlias = ClientError | BotoCoreError | ValueError | BadReplyError

NO_CONCURRENCY_REASON = "ReservedFunctionConcurrentInvocationLimitExceeded"
"""The Reason of a 429 to Invoke (botocore, ThrottleReason)."""


def classify_error(error: CallError) -> Failure:
    """Return the failure that a botocore error stands for."""
    if not isinstance(error, ClientError):
        return next((failure for classes, failure in _FAILURE_BY_CLASS if isinstance(error, classes)), REFUSED)
    code, words = _error_code(error), _error_message(error)
    if code in _AMBIGUOUS_CODES:
        failure = next((failure for pattern, failure in _MESSAGE_PATTERNS if re.search(pattern, words)), None)
        return failure or _FAILURE_BY_CODE.get(code, REFUSED)
    if code == "404":
        return BUCKET if _operation_name(error) in _S3_OPERATIONS else BAD_REPLY
    if error.response.get("Reason") == NO_CONCURRENCY_REASON:
        return NO_CONCURRENCY
    if code in _FAILURE_BY_CODE:
        return _FAILURE_BY_CODE[code]
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
    if status >= 500:
        return SERVICE
    return BAD_REPLY if not code or code.isdigit() else REFUSED


def _operation_name(error: ClientError) -> str:
    return str(getattr(error, "operation_name", ""))


_S3_OPERATIONS = frozenset(operation for service, operation in IAM_ACTIONS if service == "s3")


def convert_error(error: CallError, service: str, operation: str, subject: str, tries: int = 1) -> LambdapackError:
    """Return the LambdapackError for a botocore error; `subject` is the function, layer or object of the call."""
    kind = classify_error(error)
    if kind is NOT_THERE and ":layer:" not in subject and operation not in {"GetLayerVersion", "UpdateAlias"}:
        kind = NO_FUNCTION if "unction not found" in _error_message(error) else NOT_THERE
    call = f"{service} {operation}{f' on {subject}' if subject else ''}"
    if kind is ACCESS_DENIED:
        return _access_denied_error(error, service, operation, subject)
    again = f" (tried {tries} times)" if tries > 1 else ""
    return LambdapackError(kind, f"{call}: {_error_message(error)}{again}", hint=_hint(kind, error))


def _hint(kind: Failure, error: Exception) -> str | None:
    if kind is CREDENTIALS_EXPIRED and isinstance(error, ClientError) and "xpired" not in _error_code(error):
        return "Check the access key: `aws sts get-caller-identity` uses the same credentials."
    if isinstance(error, exceptions.MissingDependencyException):
        return 'Run `pip install "botocore[crt]"` in the same environment.'
    return None


def _access_denied_error(error: Exception, service: str, operation: str, subject: str) -> LambdapackError:
    match = _DENIED_ACTION.search(_error_message(error))
    action = match[1] if match else next(iter(IAM_ACTIONS[service, operation]), f"{service}:{operation}")
    resource = (match[2] if match and match[2] else subject).rstrip(".")
    where = f" on {resource}" if resource else ""
    hint = f"Allow the action {action}{where}; docs/deploying.md lists the minimal IAM policy."
    return LambdapackError(ACCESS_DENIED, f"{action} is not allowed: {_error_message(error)}", hint=hint)


def _error_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _error_message(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Message") or _error_code(error) or error)
    return str(error)
