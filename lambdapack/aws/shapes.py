"""AWS's documents as our nouns. Fields that an answer may lack are read as such: emulators leave out many."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from lambdapack.deploy.nouns import Alias, AttachedLayer, Function, LayerVersion, Settings
from lambdapack.model import Architecture

Document = Mapping[str, Any]

_FROZEN = (
    "DeadLetterConfig", "EphemeralStorage", "FileSystemConfigs", "Handler", "KMSKeyArn", "LoggingConfig", "MemorySize",
    "Role", "Runtime", "Timeout", "TracingConfig",
)  # fmt: skip
"""Settings that a version keeps and that read the same from $LATEST and from the version."""


def function(document: Document) -> Function:
    """Return a function of a FunctionConfiguration."""
    return Function(
        name=document["FunctionName"],
        arn=document["FunctionArn"],
        version=document.get("Version", "$LATEST"),
        package=document.get("PackageType", "Zip"),
        runtime=document.get("Runtime", ""),
        architecture=architectures(document.get("Architectures") or ["x86_64"])[0],
        handler=document.get("Handler", ""),
        role=document.get("Role", ""),
        layers=tuple(AttachedLayer(each["Arn"], each.get("CodeSize", 0)) for each in document.get("Layers") or ()),
        code_digest=document.get("CodeSha256", ""),
        code_bytes=document.get("CodeSize", 0),
        timeout=document.get("Timeout", 3),
        memory=document.get("MemorySize", 128),
        environment=variables(document),
        settings=_settings_digest(document),
        revision=document.get("RevisionId", ""),
        state=document.get("State", ""),
        update=document.get("LastUpdateStatus", ""),
        reason=_reason(document),
        description=document.get("Description", ""),
    )


def architectures(names: list[str] | None) -> tuple[Architecture, ...]:
    """Return the architectures of AWS's names; the field's values are an enum of these two."""
    return tuple(each for name in names or () for each in Architecture if each.aws == name)


def variables(document: Document) -> Mapping[str, str]:
    """Return the environment of a function; empty when it has none or may not be read."""
    return (document.get("Environment") or {}).get("Variables") or {}


def _reason(document: Document) -> str:
    for name in ("LastUpdateStatus", "State"):
        if document.get(name) == "Failed":
            code, words = document.get(f"{name}ReasonCode"), document.get(f"{name}Reason")
            return ": ".join(each for each in (code, words) if each)
    return ""


def _settings_digest(document: Document) -> str:
    network = document.get("VpcConfig") or {}
    kept = {name: document.get(name) or None for name in _FROZEN}
    kept["Architectures"] = document.get("Architectures") or ["x86_64"]
    kept["Environment"] = dict(variables(document))
    kept["Layers"] = [each["Arn"] for each in document.get("Layers") or ()]
    kept["VpcConfig"] = [sorted(network.get(name) or ()) for name in ("SubnetIds", "SecurityGroupIds")]
    return hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()


def parameters(settings: Settings) -> dict[str, Any]:
    """Return settings as CreateFunction and UpdateFunctionConfiguration take them."""
    environment = None if settings.environment is None else {"Variables": dict(settings.environment)}
    found = {
        "Runtime": settings.runtime,
        "Handler": settings.handler,
        "Role": settings.role,
        "Timeout": settings.timeout,
        "MemorySize": settings.memory,
        "Environment": environment,
        "Layers": None if settings.layers is None else list(settings.layers),
        "Description": settings.description,
    }
    return {name: value for name, value in found.items() if value is not None}


def alias(document: Document) -> Alias:
    """Return an alias."""
    routing = (document.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return Alias(
        name=document["Name"],
        arn=document["AliasArn"],
        version=document["FunctionVersion"],
        weights=tuple(sorted((version, float(weight)) for version, weight in routing.items())),
        description=document.get("Description", ""),
        revision=document.get("RevisionId", ""),
    )


def layer_version(document: Document, name: str = "") -> LayerVersion:
    """Return a layer version, of a list or of one that was asked for."""
    content = document.get("Content") or {}
    arn = document["LayerVersionArn"]
    return LayerVersion(
        arn=arn,
        name=name or arn.split(":")[6],
        number=int(document["Version"]),
        description=document.get("Description", ""),
        runtimes=tuple(document.get("CompatibleRuntimes") or ()),
        architectures=architectures(document.get("CompatibleArchitectures")),
        code_digest=content.get("CodeSha256", ""),
        zip_bytes=content.get("CodeSize", 0),
        location=content.get("Location", ""),
    )
