"""The events of `invoke --example` have the keys of those that SAM generates."""

import json
import re
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest

from tests.peers import tools

pytestmark = [pytest.mark.engine, pytest.mark.registry]

SAM_EVENTS = {
    "alb": "alb/ALBRequest",
    "apigw-v1": "apigateway/AwsProxy",
    "apigw-v2": "apigateway/HttpApi",
    "dynamodb": "dynamodb/DynamoDBUpdate",
    "kinesis": "kinesis/Kinesis",
    "s3-delete": "s3/S3Delete",
    "s3-put": "s3/S3Put",
    "schedule": "cloudwatch/ScheduledEvent",
    "sns": "sns/Sns",
    "sqs": "sqs/Sqs",
}

FREE = re.compile(
    r"/(?:multiValue)?[hH]eaders/|/multiValueQuery|/queryStringParameters|/pathParameters|/stageVariables|/cookies"
    r"|Image/|/MessageAttributes/|/Keys/|/authentication|/authorizer|/pathParameters"
)
"""Where every sender has keys of its own, and what only a function with an authorizer gets."""

NEWER = {"/version", "/requestContext/domainName", "/requestContext/domainPrefix", "/requestContext/extendedRequestId"}
"""Keys of AWS's documentation that SAM's templates do not have (docs.aws.amazon.com, read 2026-11)."""


def keys(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}/{key}"
            yield from keys(inner, f"{path}/{key}")
    elif isinstance(value, list) and value:
        yield from keys(value[0], f"{path}[]")


def shape(text: str) -> set[str]:
    return {key for key in keys(json.loads(text)) if not FREE.search(f"{key}/")} - NEWER


@pytest.mark.parametrize("name", SAM_EVENTS)
def test_an_example_has_the_keys_of_the_real_event(name: str) -> None:
    site = next((tools.sam().parents[1] / "lib").glob("python*/site-packages"))
    template = site / "samcli/lib/generated_sample_events/events" / f"{SAM_EVENTS[name]}.json"
    theirs = re.sub(r"\{\{\{[^}]*\}\}\}", "1", template.read_text(encoding="utf-8"))
    ours = resources.files("lambdapack.recipes").joinpath("events", f"{name}.json").read_text(encoding="utf-8")
    assert shape(ours) == shape(theirs)
