"""Lambda layers, their versions and their permissions, through boto3."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lambdapack.aws import shapes
from lambdapack.aws.calls import AwsClient
from lambdapack.aws.functions import code_parameters
from lambdapack.deploy.nouns import CodeSource, LayerPermission, LayerVersion, NewLayer
from lambdapack.errors.cloud import NO_FUNCTION, NOT_THERE
from lambdapack.errors.record import LambdapackError


class BotoLayers:
    """The LayerCloud protocol of deploy/cloud.py."""

    calls: AwsClient

    def layer_versions(self, name: str) -> Iterator[LayerVersion]:
        """ListLayerVersions, all pages."""
        try:
            for page in self.calls.pages("ListLayerVersions", {"LayerName": name}):
                yield from (shapes.parse_layer_version(document, name) for document in page.get("LayerVersions", ()))
        except LambdapackError as error:
            if error.failure not in (NO_FUNCTION, NOT_THERE):
                raise

    def layer_version(self, name: str, number: int) -> LayerVersion | None:
        """GetLayerVersion, which accepts ARNs of other accounts too (not every emulator has GetLayerVersionByArn)."""
        document = self._layer("GetLayerVersion", name, number)
        return shapes.parse_layer_version(document) if document else None

    def publish_layer(self, new: NewLayer, code: CodeSource) -> LayerVersion:
        """PublishLayerVersion."""
        source, config = code_parameters(code)
        parameters: dict[str, Any] = {"LayerName": new.name, "Content": source, "Description": new.description}
        optional = {
            "CompatibleRuntimes": list(new.runtimes),
            "CompatibleArchitectures": [architecture.aws for architecture in new.architectures],
            "LicenseInfo": new.license,
        }
        parameters.update({name: value for name, value in optional.items() if value})
        return shapes.parse_layer_version(
            self.calls.call("lambda", "PublishLayerVersion", parameters, config), new.name
        )

    def delete_layer_version(self, name: str, number: int) -> None:
        """DeleteLayerVersion, which succeeds also for a version that does not exist."""
        self.calls.call("lambda", "DeleteLayerVersion", {"LayerName": name, "VersionNumber": number})

    def layer_policy(self, name: str, number: int) -> tuple[LayerPermission, ...]:
        """GetLayerVersionPolicy."""
        reply = self._layer("GetLayerVersionPolicy", name, number)
        statements = json.loads(reply["Policy"])["Statement"] if reply else ()
        return tuple(_parse_permission(statement) for statement in statements)

    def permit_layer(self, name: str, number: int, permission: LayerPermission) -> None:
        """AddLayerVersionPermission."""
        parameters = {
            "LayerName": name,
            "VersionNumber": number,
            "StatementId": permission.sid,
            "Action": "lambda:GetLayerVersion",
            "Principal": permission.principal,
        }
        if permission.organization:
            parameters["OrganizationId"] = permission.organization
        self.calls.call("lambda", "AddLayerVersionPermission", parameters)

    def _layer(self, operation: str, name: str, number: int) -> Any:
        try:
            return self.calls.call("lambda", operation, {"LayerName": name, "VersionNumber": number})
        except LambdapackError as error:
            if error.failure in (NO_FUNCTION, NOT_THERE):
                return None
            raise


def _parse_permission(statement: Mapping[str, Any]) -> LayerPermission:
    principal = statement.get("Principal", "")
    grantee = principal.get("AWS", "") if isinstance(principal, dict) else principal
    condition = statement.get("Condition") or {}
    organization = next((str(value) for operands in condition.values() for value in operands.values()), "")
    account = str(grantee).removeprefix("arn:aws:iam::").removesuffix(":root")
    return LayerPermission(statement.get("Sid", ""), account, organization)
