"""Every operation that lambdapack calls, with the IAM actions that AWS checks. AwsClient refuses a call without a row.

Source: AWS service authorization reference, "AWS Lambda", "Amazon CloudWatch Logs",
"Amazon S3", "AWS STS". Read 2026-11-20.
"""

from collections.abc import Iterable, Mapping
from typing import Any

PASS_ROLE_ACTION = "iam:PassRole"  # noqa: S105  # the name of an action

IAM_ACTIONS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("lambda", "AddLayerVersionPermission"): ("lambda:AddLayerVersionPermission",),
    ("lambda", "CreateAlias"): ("lambda:CreateAlias",),
    ("lambda", "CreateFunction"): ("lambda:CreateFunction", PASS_ROLE_ACTION),
    ("lambda", "DeleteFunction"): ("lambda:DeleteFunction",),
    ("lambda", "DeleteLayerVersion"): ("lambda:DeleteLayerVersion",),
    ("lambda", "GetAccountSettings"): ("lambda:GetAccountSettings",),
    ("lambda", "GetAlias"): ("lambda:GetAlias",),
    ("lambda", "GetFunction"): ("lambda:GetFunction",),
    ("lambda", "GetFunctionConcurrency"): ("lambda:GetFunctionConcurrency",),
    ("lambda", "GetFunctionConfiguration"): ("lambda:GetFunctionConfiguration",),
    ("lambda", "GetFunctionUrlConfig"): ("lambda:GetFunctionUrlConfig",),
    ("lambda", "GetLayerVersion"): ("lambda:GetLayerVersion",),
    ("lambda", "GetLayerVersionPolicy"): ("lambda:GetLayerVersionPolicy",),
    ("lambda", "GetPolicy"): ("lambda:GetPolicy",),
    ("lambda", "GetProvisionedConcurrencyConfig"): ("lambda:GetProvisionedConcurrencyConfig",),
    ("lambda", "Invoke"): ("lambda:InvokeFunction",),
    ("lambda", "ListAliases"): ("lambda:ListAliases",),
    ("lambda", "ListEventSourceMappings"): ("lambda:ListEventSourceMappings",),
    ("lambda", "ListFunctions"): ("lambda:ListFunctions",),
    ("lambda", "ListLayerVersions"): ("lambda:ListLayerVersions",),
    ("lambda", "ListProvisionedConcurrencyConfigs"): ("lambda:ListProvisionedConcurrencyConfigs",),
    ("lambda", "ListTags"): ("lambda:ListTags",),
    ("lambda", "ListVersionsByFunction"): ("lambda:ListVersionsByFunction",),
    ("lambda", "PublishLayerVersion"): ("lambda:PublishLayerVersion",),
    ("lambda", "PublishVersion"): ("lambda:PublishVersion",),
    ("lambda", "TagResource"): ("lambda:TagResource",),
    ("lambda", "UpdateAlias"): ("lambda:UpdateAlias",),
    ("lambda", "UpdateFunctionCode"): ("lambda:UpdateFunctionCode",),
    ("lambda", "UpdateFunctionConfiguration"): ("lambda:UpdateFunctionConfiguration",),
    ("logs", "FilterLogEvents"): ("logs:FilterLogEvents",),
    ("s3", "AbortMultipartUpload"): ("s3:AbortMultipartUpload",),
    ("s3", "CompleteMultipartUpload"): ("s3:PutObject",),
    ("s3", "CreateMultipartUpload"): ("s3:PutObject",),
    ("s3", "GetObject"): ("s3:GetObject",),
    ("s3", "HeadBucket"): ("s3:ListBucket",),
    ("s3", "HeadObject"): ("s3:GetObject", "s3:GetObjectVersion"),
    ("s3", "PutObject"): ("s3:PutObject",),
    ("s3", "UploadPart"): ("s3:PutObject",),
    ("sts", "GetCallerIdentity"): (),
}
"""`sts:GetCallerIdentity` needs no permission. Lambda reads the object and its version as the caller."""

DEPLOY_OPERATIONS = frozenset(
    (service, operation)
    for service, operation in IAM_ACTIONS
    if service in {"lambda", "s3", "sts"} and "Layer" not in operation
) - {
    ("lambda", "GetAccountSettings"),
    ("lambda", "GetFunction"),
    ("lambda", "ListFunctions"),
    ("s3", "GetObject"),
} | {("lambda", "GetLayerVersion")}
"""Operations that `deploy` and `rollback` call; tests/unit/aws/test_aws_policy.py compares them with the real calls."""

PUBLISH_OPERATIONS = frozenset(
    (service, operation) for service, operation in IAM_ACTIONS if service == "s3" or "Layer" in operation
) - {("s3", "GetObject")} | {("lambda", "ListFunctions")}
"""Operations that `publish-layer` calls; the same test compares them."""

BUCKET_ACTIONS = frozenset(("s3:ListBucket",))
"""Actions on a bucket itself; the others are on its objects."""

RESPONSE_MEMBERS: Mapping[str, str] = {
    "AddLayerVersionPermission": "Statement",
    "CreateAlias": "AliasArn",
    "CreateFunction": "FunctionArn",
    "FilterLogEvents": "events",
    "GetAccountSettings": "AccountLimit",
    "GetAlias": "AliasArn",
    "GetFunction": "Configuration",
    "GetFunctionConfiguration": "FunctionArn",
    "GetFunctionUrlConfig": "FunctionUrl",
    "GetLayerVersion": "LayerVersionArn",
    "GetLayerVersionPolicy": "Policy",
    "GetPolicy": "Policy",
    "GetProvisionedConcurrencyConfig": "Status",
    "ListAliases": "Aliases",
    "ListEventSourceMappings": "EventSourceMappings",
    "ListFunctions": "Functions",
    "ListLayerVersions": "LayerVersions",
    "ListProvisionedConcurrencyConfigs": "ProvisionedConcurrencyConfigs",
    "ListTags": "Tags",
    "ListVersionsByFunction": "Versions",
    "PublishLayerVersion": "LayerVersionArn",
    "PublishVersion": "FunctionArn",
    "UpdateAlias": "AliasArn",
    "UpdateFunctionCode": "FunctionArn",
    "UpdateFunctionConfiguration": "FunctionArn",
    "GetCallerIdentity": "Arn",
}
"""The member that every reply of an operation has: a reply without it is not AWS's."""

UNSCOPED_ACTIONS = frozenset(("lambda:GetAccountSettings", "lambda:ListEventSourceMappings", "lambda:ListFunctions"))
"""Actions that cannot be restricted to a resource."""


def build_iam_policy(operations: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the minimal IAM policy that allows these operations; the user replaces NAME, BUCKET and ROLE."""
    actions = sorted({action for operation in operations for action in IAM_ACTIONS[operation]})
    layers = "NAME*" if "lambda:PublishLayerVersion" in actions else "*"  # functions have other people's layers
    statements = [
        _statement([action for action in actions if action in UNSCOPED_ACTIONS], "*"),
        _statement([action for action in actions if _is_function_action(action)], "arn:aws:lambda:*:*:function:NAME*"),
        _statement([action for action in actions if _is_layer_action(action)], f"arn:aws:lambda:*:*:layer:{layers}"),
        _statement([action for action in actions if action in BUCKET_ACTIONS], "arn:aws:s3:::BUCKET"),
        _statement([action for action in actions if _is_object_action(action)], "arn:aws:s3:::BUCKET/lambdapack/*"),
        _statement([action for action in actions if action == PASS_ROLE_ACTION], "arn:aws:iam::*:role/ROLE"),
    ]
    return {"Version": "2012-10-17", "Statement": [statement for statement in statements if statement["Action"]]}


def _statement(actions: list[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def _is_object_action(action: str) -> bool:
    return action.startswith("s3:") and action not in BUCKET_ACTIONS


def _is_layer_action(action: str) -> bool:
    return action.startswith("lambda:") and "Layer" in action


def _is_function_action(action: str) -> bool:
    return action.startswith("lambda:") and not _is_layer_action(action) and action not in UNSCOPED_ACTIONS
