"""Lambda's layers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.cloud.errors import AwsError
from tests.cloud.functions import FakeFunctions
from tests.cloud.wire import ACCOUNT, REGION

Parameters = Mapping[str, Any]


@dataclass
class FakeLayers:
    """The layers of a region. Every publish makes a version, even of equal bytes; numbers never come back."""

    functions: FakeFunctions
    versions: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    policies: dict[tuple[str, int], list[dict[str, Any]]] = field(default_factory=dict)

    def publish_layer_version(self, parameters: Parameters) -> dict[str, Any]:
        name = parameters["LayerName"]
        data = self.functions._bytes(parameters["Content"])
        number = self.counts[name] = self.counts.get(name, 0) + 1
        layer = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{name}"
        digest = self.functions.digest(data)
        made = {
            "LayerArn": layer,
            "LayerVersionArn": f"{layer}:{number}",
            "Version": number,
            "Description": parameters.get("Description", ""),
            "CreatedDate": "2026-01-01T00:00:00.000+0000",
            "Content": {
                "CodeSha256": digest,
                "CodeSize": len(data),
                "Location": f"https://code.invalid/{digest}?sig=x",
            },
        }
        for key in ("CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo"):
            if key in parameters:
                made[key] = parameters[key]
        self.versions.setdefault(name, {})[number] = made
        self.functions.layer_arns.add(f"{layer}:{number}")
        return dict(made)

    def list_layer_versions(self, parameters: Parameters) -> dict[str, Any]:
        found = sorted(self.versions.get(_name(parameters), {}).items(), reverse=True)
        listed = [{k: v for k, v in each.items() if k not in {"Content", "LayerArn"}} for _, each in found]
        return self.functions._paged("LayerVersions", listed, parameters)

    def get_layer_version(self, parameters: Parameters) -> dict[str, Any]:
        return dict(self._version(parameters))

    def delete_layer_version(self, parameters: Parameters) -> dict[str, Any]:
        self.versions.get(_name(parameters), {}).pop(parameters["VersionNumber"], None)
        return {}

    def get_layer_version_policy(self, parameters: Parameters) -> dict[str, Any]:
        found = self._version(parameters)
        statements = self.policies.get((_name(parameters), found["Version"]))
        if not statements:
            raise AwsError("ResourceNotFoundException", "No policy is associated with the given resource.")
        return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": statements}), "RevisionId": "1"}

    def add_layer_version_permission(self, parameters: Parameters) -> dict[str, Any]:
        found = self._version(parameters)
        statements = self.policies.setdefault((_name(parameters), found["Version"]), [])
        sid = parameters["StatementId"]
        if any(each["Sid"] == sid for each in statements):
            text = f"The statement id ({sid}) provided already exists. Please provide a new statement id, or remove "
            raise AwsError("ResourceConflictException", text + "the existing statement.")
        principal: Any = parameters["Principal"]
        if principal != "*":
            principal = {"AWS": f"arn:aws:iam::{principal}:root"}
        statement = {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": principal,
            "Action": parameters["Action"],
            "Resource": found["LayerVersionArn"],
        }
        if "OrganizationId" in parameters:
            statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": parameters["OrganizationId"]}}
        statements.append(statement)
        return {"Statement": json.dumps(statement), "RevisionId": "1"}

    def _version(self, parameters: Parameters) -> dict[str, Any]:
        found = self.versions.get(_name(parameters), {}).get(parameters["VersionNumber"])
        if found is None:
            raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.")
        return found


def _name(parameters: Parameters) -> str:
    return str(parameters["LayerName"]).rpartition(":")[2]
