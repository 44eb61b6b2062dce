"""Reads the names that AWS accepts for a function: NAME, function:NAME, ACCOUNT:function:NAME and ARNs."""

import re
from dataclasses import dataclass

_NAME = r"[A-Za-z0-9_-]{1,64}"
_QUALIFIER = r"(?::(?P<qualifier>\$LATEST|[A-Za-z0-9_-]{1,128}))?"
_FORMS = (
    re.compile(rf"(?P<name>{_NAME}){_QUALIFIER}\Z"),
    re.compile(rf"function:(?P<name>{_NAME}){_QUALIFIER}\Z"),
    re.compile(rf"(?P<account>\d{{12}}):(?:function:)?(?P<name>{_NAME}){_QUALIFIER}\Z"),
    re.compile(
        rf"arn:(?P<partition>aws[a-z-]*):lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{{12}}):function:"
        rf"(?P<name>{_NAME}){_QUALIFIER}\Z"
    ),
)
"""Name formats of FunctionName (AWS Lambda API reference, "GetFunctionConfiguration", read 2026-11-20)."""


@dataclass(frozen=True, slots=True)
class FunctionName:
    """The name of a function, taken apart."""

    name: str
    qualifier: str = ""  # a version or an alias
    account: str = ""
    region: str = ""  # of an ARN
    partition: str = ""  # of an ARN

    @property
    def unqualified(self) -> str:
        """The shortest form that still names the account and region that were given, without a qualifier."""
        if self.region:
            return f"arn:{self.partition}:lambda:{self.region}:{self.account}:function:{self.name}"
        return f"{self.account}:function:{self.name}" if self.account else self.name


def parse_function_name(text: str) -> FunctionName | None:
    """Return the parts of a function's name or ARN; None when AWS accepts no such name."""
    for form in (
        _FORMS[1],
        _FORMS[2],
        _FORMS[3],
        _FORMS[0],
    ):  # "function:x" is the function x, not an alias of "function"
        match = form.match(text)
        if match:
            return FunctionName(**{part: value or "" for part, value in match.groupdict().items()})
    return None
