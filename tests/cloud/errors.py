"""AWS's own words, recorded from the service (LocalStack's snapshots, 2025-11 to 2026-01)."""

from dataclasses import dataclass

STATUS = {
    "ResourceNotFoundException": 404,
    "ResourceConflictException": 409,
    "PreconditionFailedException": 412,
    "RequestEntityTooLargeException": 413,
    "AccessDeniedException": 403,
    "AccessDenied": 403,
    "ExpiredTokenException": 403,
    "TooManyRequestsException": 429,
    "ServiceException": 500,
    "404": 404,
    "NoSuchKey": 404,
    "NoSuchBucket": 404,
}


@dataclass
class AwsError(Exception):
    """An answer with an error in it."""

    code: str
    message: str

    @property
    def status(self) -> int:
        return STATUS.get(self.code, 400)


def missing(arn: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"Function not found: {arn}")


def busy(arn: str) -> AwsError:
    text = f"The operation cannot be performed at this time. An update is in progress for resource: {arn}"
    return AwsError("ResourceConflictException", text)


def stale() -> AwsError:
    text = (
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
        "retrieve the latest Revision Id"
    )
    return AwsError("PreconditionFailedException", text)


def invalid(text: str) -> AwsError:
    return AwsError("InvalidParameterValueException", text)


def too_large() -> AwsError:
    return AwsError("RequestEntityTooLargeException", "Zipped size must be smaller than 52428800 bytes")


def other_code(given: str, held: str) -> AwsError:
    return invalid(
        f"CodeSHA256 ({given}) is different from current CodeSHA256 in $LATEST ({held}). Please try again with the "
        "CodeSHA256 in $LATEST."
    )
