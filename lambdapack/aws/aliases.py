"""Aliases."""

from typing import Any

from lambdapack.aws import shapes
from lambdapack.aws.calls import Calls
from lambdapack.deploy.nouns import Alias
from lambdapack.errors import NO_FUNCTION, NOT_THERE, LambdapackError


class LambdaAliases:
    """What deploy/cloud.py calls Aliases."""

    calls: Calls

    def alias(self, function: str, name: str) -> Alias | None:
        """GetAlias."""
        try:
            return shapes.alias(self.calls.call("lambda", "GetAlias", {"FunctionName": function, "Name": name}))
        except LambdapackError as error:
            if error.failure in (NO_FUNCTION, NOT_THERE):
                return None
            raise

    def create_alias(self, function: str, alias: Alias) -> Alias:
        """CreateAlias."""
        return shapes.alias(self.calls.call("lambda", "CreateAlias", _wanted(function, alias)))

    def update_alias(self, function: str, alias: Alias) -> Alias:
        """UpdateAlias. The weights are always sent: left out, AWS would keep the old ones."""
        guard = {"RevisionId": alias.revision} if alias.revision else {}
        return shapes.alias(self.calls.call("lambda", "UpdateAlias", {**_wanted(function, alias), **guard}))


def _wanted(function: str, alias: Alias) -> dict[str, Any]:
    return {
        "FunctionName": function,
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RoutingConfig": {"AdditionalVersionWeights": dict(alias.weights)},
    }
