"""What belongs to a function besides its code: tags, concurrency, lists of aliases, the end of a version."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.cloud import errors
from tests.cloud.errors import AwsError
from tests.cloud.functions import FakeFunction, FakeFunctions

Parameters = Mapping[str, Any]


@dataclass
class FakeExtras:
    """The same functions, from their other side."""

    functions: FakeFunctions
    tags: dict[str, dict[str, str]] = field(default_factory=dict)  # by function name
    reserved: dict[str, int] = field(default_factory=dict)
    provisioned: dict[str, dict[str, list[str]]] = field(default_factory=dict)  # function, qualifier, statuses to come

    def list_aliases(self, parameters: Parameters) -> dict[str, Any]:
        return self.functions._paged("Aliases", list(self._function(parameters).aliases.values()), parameters)

    def delete_function(self, parameters: Parameters) -> dict[str, Any]:
        function, version = self._function(parameters), parameters["Qualifier"]
        if version not in function.versions:
            raise errors.missing(self.functions.arn(parameters["FunctionName"], version))
        for alias in function.aliases.values():
            weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
            if version in {alias["FunctionVersion"], *weights}:
                text = f"Version {version} is referenced by alias {alias['Name']}."
                raise AwsError("ResourceConflictException", text)
        del function.versions[version]
        return {}

    def get_function_concurrency(self, parameters: Parameters) -> dict[str, Any]:
        self._function(parameters)
        name = _bare(parameters["FunctionName"])
        return {"ReservedConcurrentExecutions": self.reserved[name]} if name in self.reserved else {}

    def list_provisioned_concurrency_configs(self, parameters: Parameters) -> dict[str, Any]:
        name = _bare(parameters["FunctionName"])
        arns = [self.functions.arn(name, qualifier) for qualifier in self.provisioned.get(name, {})]
        return self.functions._paged(
            "ProvisionedConcurrencyConfigs", [{"FunctionArn": arn} for arn in arns], parameters
        )

    def get_provisioned_concurrency_config(self, parameters: Parameters) -> dict[str, Any]:
        statuses = self.provisioned.get(_bare(parameters["FunctionName"]), {}).get(parameters["Qualifier"])
        if statuses is None:
            text = "No Provisioned Concurrency Config found for this function"
            raise AwsError("ProvisionedConcurrencyConfigNotFoundException", text)
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        return {"Status": status, "RequestedProvisionedConcurrentExecutions": 2, "StatusReason": "it said so"}

    def list_tags(self, parameters: Parameters) -> dict[str, Any]:
        return {"Tags": dict(self.tags.get(_bare(parameters["Resource"]), {}))}

    def tag_resource(self, parameters: Parameters) -> dict[str, Any]:
        self.tags.setdefault(_bare(parameters["Resource"]), {}).update(parameters["Tags"])
        return {}

    def _function(self, parameters: Parameters) -> FakeFunction:
        return self.functions._function(parameters)


def _bare(name: str) -> str:
    return name.rpartition(":function:")[2]
