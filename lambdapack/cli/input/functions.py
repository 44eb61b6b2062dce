"""Reads what the command line and the settings say of functions in AWS: their names, the alias, the region."""

import re
from collections.abc import Sequence
from dataclasses import replace

from lambdapack.cli.input.resources import AwsOptions
from lambdapack.config.settings import Settings
from lambdapack.deploy.names import parse_function_name
from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import USAGE

ALIAS_NAME = re.compile(r"(?!^[0-9]+$)[a-zA-Z0-9_-]{1,128}")
"""An alias's name (AWS Lambda API reference, "CreateAlias", read 2026-11-20)."""

NAME_FORMS = "NAME, ACCOUNT:function:NAME or arn:aws:lambda:REGION:ACCOUNT:function:NAME"


def select_functions(settings: Settings) -> tuple[str, ...]:
    """Return the functions' names, each once; LP001 without one, and for one that AWS does not take."""
    names = settings.function.value
    if not names:
        hint = "Pass `--function NAME`, or set function = in lambdapack.toml."
        raise LambdapackError(USAGE, "no function is named", hint=hint)
    return parse_function_names(names)


def parse_function_names(functions: Sequence[str]) -> tuple[str, ...]:
    """Return the names as AWS takes them; LP001 for one with a version or alias at its end."""
    names = []
    for function in functions:
        name = parse_function_name(function)
        if name is None:
            hint = f"Pass {NAME_FORMS}."
            raise LambdapackError(USAGE, f"--function {function!r} is not a function name or ARN", hint=hint)
        if name.qualifier:
            hint = "Pass the function without version or alias; `--alias` names the alias."
            raise LambdapackError(USAGE, f"--function {function!r} has a version or alias", hint=hint)
        names.append(name.unqualified)
    return tuple(dict.fromkeys(names))


def parse_alias(alias: str | None) -> str:
    """Return the alias, "" for none; LP001 for a name that AWS does not take, such as a version's number."""
    if alias and not ALIAS_NAME.fullmatch(alias):
        hint = "An alias has letters, digits, - and _, at most 128 characters, and is no number: `--alias live`."
        raise LambdapackError(USAGE, f"--alias {alias!r} is not the name of an alias", hint=hint)
    return alias or ""


def locate_functions(functions: Sequence[str], place: AwsOptions) -> AwsOptions:
    """Return the place with the region that the functions' ARNs name; LP001 when they contradict."""
    regions = {name.region for function in functions if (name := parse_function_name(function)) and name.region}
    if place.region:
        regions.add(place.region)
    if len(regions) > 1:
        listed = " and ".join(sorted(regions))
        hint = "Run the command once for each region, without `--region` where the ARN names it."
        raise LambdapackError(USAGE, f"the functions and --region name different regions: {listed}", hint=hint)
    return replace(place, region=next(iter(regions))) if regions else place
