"""Converts AWS response documents to the classes of deploy/nouns.py, and settings to request parameters."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from lambdapack.deploy.nouns import Alias, AttachedLayer, FunctionSettings, LambdaFunction, LayerVersion
from lambdapack.model import Architecture

Document = Mapping[str, Any]

VERSION_SETTINGS = (
    "AcceleratorConfig", "CapacityProviderConfig", "DeadLetterConfig", "DurableConfig", "EphemeralStorage",
    "FileSystemConfigs", "Handler", "ImageConfigResponse", "KMSKeyArn", "LoggingConfig", "MemorySize", "Role",
    "Runtime", "RuntimeConfig", "TenancyConfig", "Timeout", "TracingConfig",
)  # fmt: skip
"""Settings that a version freezes and that AWS returns alike for $LATEST and the version."""

HARDWARE_SETTINGS = ("AcceleratorConfig", "CapacityProviderConfig")
"""Settings that let a function have more than the ordinary limits."""

PARTIAL_SETTINGS = ("Architectures", "Environment", "Layers", "RuntimeVersionConfig", "SnapStart", "VpcConfig")
"""Settings that a version freezes, of which AWS returns more than was set."""


def parse_function(document: Document) -> LambdaFunction:
    """Return the function of a FunctionConfiguration document."""
    return LambdaFunction(
        name=document["FunctionName"],
        arn=document["FunctionArn"],
        version=document.get("Version", "$LATEST"),
        package_type=document.get("PackageType", "Zip"),
        runtime=document.get("Runtime", ""),
        architecture=parse_architectures(document.get("Architectures") or ["x86_64"])[0],
        handler=document.get("Handler", ""),
        role=document.get("Role", ""),
        layers=tuple(AttachedLayer(layer["Arn"], layer.get("CodeSize", 0)) for layer in document.get("Layers") or ()),
        code_digest=document.get("CodeSha256", ""),
        code_bytes=document.get("CodeSize", 0),
        timeout=document.get("Timeout", 3),
        memory=document.get("MemorySize", 128),
        environment=parse_environment(document),
        settings_digest=_settings_digest(document),
        revision=document.get("RevisionId", ""),
        state=document.get("State", ""),
        update_status=document.get("LastUpdateStatus", ""),
        failure_reason=_failure_reason(document),
        description=document.get("Description", ""),
        environment_error=_environment_error(document),
        ephemeral_storage=(document.get("EphemeralStorage") or {}).get("Size", 512),
        tracing=(document.get("TracingConfig") or {}).get("Mode", "PassThrough"),
        logging=dict(document.get("LoggingConfig") or {}),
        last_modified=document.get("LastModified", ""),
        hardware=tuple(name for name in HARDWARE_SETTINGS if document.get(name)),
    )


def parse_architectures(names: list[str] | None) -> tuple[Architecture, ...]:
    """Return the architectures with these AWS names."""
    return tuple(architecture for name in names or () for architecture in Architecture if architecture.aws == name)


def parse_environment(document: Document) -> Mapping[str, str]:
    """Return the environment of a function; empty when it has none or may not be read."""
    return (document.get("Environment") or {}).get("Variables") or {}


def _environment_error(document: Document) -> str:
    """Return why AWS does not show the variables: the caller may not use the key, or the key is disabled."""
    error = (document.get("Environment") or {}).get("Error") or {}
    return ": ".join(part for part in (error.get("ErrorCode"), error.get("Message")) if part)


def _failure_reason(document: Document) -> str:
    for name in ("LastUpdateStatus", "State"):
        if document.get(name) == "Failed":
            code, words = document.get(f"{name}ReasonCode"), document.get(f"{name}Reason")
            return ": ".join(part for part in (code, words) if part)
    return ""


def _settings_digest(document: Document) -> str:
    network = document.get("VpcConfig") or {}
    values = {name: document.get(name) or None for name in VERSION_SETTINGS}
    values["Architectures"] = document.get("Architectures") or ["x86_64"]
    values["Environment"] = dict(parse_environment(document))
    values["Layers"] = [layer["Arn"] for layer in document.get("Layers") or ()]
    lists = [sorted(network.get(name) or ()) for name in ("SubnetIds", "SecurityGroupIds")]
    values["VpcConfig"] = [*lists, bool(network.get("Ipv6AllowedForDualStack"))]
    values["SnapStart"] = (document.get("SnapStart") or {}).get("ApplyOn") or "None"
    values["RuntimeVersionConfig"] = (document.get("RuntimeVersionConfig") or {}).get("RuntimeVersionArn")
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


def settings_parameters(settings: FunctionSettings) -> dict[str, Any]:
    """Return the settings as parameters of CreateFunction and UpdateFunctionConfiguration."""
    environment = None if settings.environment is None else {"Variables": dict(settings.environment)}
    parameters = {
        "Runtime": settings.runtime,
        "Handler": settings.handler,
        "Role": settings.role,
        "Timeout": settings.timeout,
        "MemorySize": settings.memory,
        "Environment": environment,
        "Layers": None if settings.layers is None else list(settings.layers),
        "Description": settings.description,
        "EphemeralStorage": None if settings.ephemeral_storage is None else {"Size": settings.ephemeral_storage},
        "TracingConfig": None if settings.tracing is None else {"Mode": settings.tracing},
        "LoggingConfig": None if settings.logging is None else dict(settings.logging),
    }
    return {name: value for name, value in parameters.items() if value is not None}


def parse_alias(document: Document) -> Alias:
    """Return the alias of an AliasConfiguration document."""
    routing = (document.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return Alias(
        name=document["Name"],
        arn=document["AliasArn"],
        version=document["FunctionVersion"],
        weights=tuple(sorted((version, float(weight)) for version, weight in routing.items())),
        description=document.get("Description", ""),
        revision=document.get("RevisionId", ""),
    )


def parse_layer_version(document: Document, name: str = "") -> LayerVersion:
    """Return the layer version of a list item or of GetLayerVersion."""
    content = document.get("Content") or {}
    arn = document["LayerVersionArn"]
    return LayerVersion(
        arn=arn,
        name=name or arn.split(":")[6],
        number=int(document["Version"]),
        description=document.get("Description", ""),
        runtimes=tuple(document.get("CompatibleRuntimes") or ()),
        architectures=parse_architectures(document.get("CompatibleArchitectures")),
        code_digest=content.get("CodeSha256", ""),
        zip_bytes=content.get("CodeSize", 0),
        location=content.get("Location", ""),
    )
