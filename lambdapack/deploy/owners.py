"""Recognises the tool that manages a function: CloudFormation, CodeDeploy, Terraform and others, by what they leave."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lambdapack.deploy.memory import read_memory
from lambdapack.deploy.nouns import Alias, Consumer

STACK_TAG = "aws:cloudformation:stack-name"
"""The tag that CloudFormation puts on a function (CloudFormation user guide, "Resource tags", read 2026-11-20)."""

SAM_TAG = ("lambda:createdBy", "SAM")
"""The tag that the SAM transform adds."""

OWNER_TAG_KEYS = frozenset(("managed-by", "managedby", "managed_by", "provisioner", "created-by", "createdby", "tool"))
"""Keys, in lower case, under which teams note the tool that owns a resource."""

OWNER_TOOLS: Mapping[str, str] = {
    "terraform": "Terraform",
    "opentofu": "OpenTofu",
    "tofu": "OpenTofu",
    "pulumi": "Pulumi",
    "cdk": "CDK",
    "serverless": "the Serverless Framework",
    "sam": "SAM",
    "cloudformation": "CloudFormation",
}

CODEDEPLOY_PRINCIPAL = "codedeploy.amazonaws.com"


@dataclass(frozen=True, slots=True)
class FunctionOwner:
    """A tool that manages a function, and the sign by which it was recognised."""

    tool: str
    sign: str


def find_owners(
    tags: Mapping[str, str], alias: Alias | None, consumers: tuple[Consumer, ...]
) -> Iterator[FunctionOwner]:
    """Yield the tools that manage a function."""
    if STACK_TAG in tags:
        tool = "SAM, through CloudFormation" if tags.get(SAM_TAG[0]) == SAM_TAG[1] else "CloudFormation"
        yield FunctionOwner(tool, f"it belongs to the stack {tags[STACK_TAG]}")
    for key, value in tags.items():
        tool = _tool_of_tag(key, value)
        if tool and STACK_TAG not in tags:
            yield FunctionOwner(tool, f"its tag {key} is {value}")
    if alias and _is_shifted_by_others(alias):
        shares = ", ".join(f"{weight:.0%} to version {version}" for version, weight in alias.weights)
        sign = f"alias {alias.name} is being shifted ({shares}), and not by lambdapack"
        yield FunctionOwner("CodeDeploy or another tool", sign)
    if any(CODEDEPLOY_PRINCIPAL in consumer.identifier for consumer in consumers):
        yield FunctionOwner("CodeDeploy", f"its policy allows {CODEDEPLOY_PRINCIPAL}")


def _tool_of_tag(key: str, value: str) -> str:
    plain, words = key.lower().rpartition(":")[2], value.lower()
    if plain in OWNER_TAG_KEYS:
        return next((name for word, name in OWNER_TOOLS.items() if word in words), "")
    if plain in OWNER_TOOLS and words in {"true", "yes", "1", "managed"}:
        return OWNER_TOOLS[plain]
    return ""


def _is_shifted_by_others(alias: Alias) -> bool:
    """Tell whether another tool gave the alias its weights: lambdapack notes the version whose share it began."""
    return bool(alias.weights) and read_memory(alias).canary != alias.weights[0][0]
