"""Lambda's functions with what makes them hard: states, revisions, guards, and limits."""

import base64
import hashlib
import io
import itertools
import json
import zipfile
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from botocore.response import StreamingBody  # noqa: TID251

from tests.cloud import errors
from tests.cloud.clock import FakeTime
from tests.cloud.errors import AwsError
from tests.cloud.storage import FakeStorage
from tests.cloud.wire import ACCOUNT, REGION

Parameters = Mapping[str, Any]
Handler = Callable[[Any], Any]

SETTINGS = (
    "Runtime", "Handler", "Role", "Timeout", "MemorySize", "Description", "VpcConfig", "KMSKeyArn", "TracingConfig",
    "EphemeralStorage", "LoggingConfig", "DeadLetterConfig", "SnapStart",
)  # fmt: skip
ZIPPED, UNZIPPED = 52_428_800, 262_144_000


@dataclass
class FakeFunction:
    """$LATEST, and what was made of it."""

    latest: dict[str, Any]
    until: float = 0.0  # when what is under way ends
    versions: dict[str, dict[str, Any]] = field(default_factory=dict)
    waiting: dict[str, float] = field(default_factory=dict)  # version to when it becomes Active
    frozen: str = ""  # what was published last
    aliases: dict[str, dict[str, Any]] = field(default_factory=dict)
    url: str = ""
    policy: list[dict[str, Any]] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)
    published: int = 0


@dataclass
class FakeFunctions:
    """The functions of a region."""

    time: FakeTime
    storage: FakeStorage
    functions: dict[str, FakeFunction] = field(default_factory=dict)
    code: dict[str, bytes] = field(default_factory=dict)  # by digest
    handlers: dict[str, Handler] = field(default_factory=dict)  # by code digest; raising is a FunctionError
    layer_arns: set[str] = field(default_factory=set)
    seconds: float = 2.0  # that an update takes
    page: int = 50
    failing: list[tuple[str, str]] = field(default_factory=list)  # code and reason that end the next updates
    failing_versions: list[tuple[str, str]] = field(default_factory=list)
    new_roles: dict[str, float] = field(default_factory=dict)  # role to when Lambda may assume it
    _revisions: Any = field(default_factory=lambda: itertools.count(1))

    def arn(self, name: str, qualifier: str = "") -> str:
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
        return f"{arn}:{qualifier}" if qualifier else arn

    def digest(self, data: bytes) -> str:
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        self.code[digest] = data
        return digest

    # what AWS answers

    def create_function(self, parameters: Parameters) -> dict[str, Any]:
        name = parameters["FunctionName"]
        if name in self.functions:
            raise AwsError("ResourceConflictException", f"Function already exist: {name}")
        if self.new_roles.get(parameters["Role"], 0.0) > self.time.now:
            raise errors.invalid("The role defined for the function cannot be assumed by Lambda.")
        data = self._bytes(parameters["Code"])
        latest: dict[str, Any] = {
            "FunctionName": name,
            "FunctionArn": self.arn(name),
            "Version": "$LATEST",
            "PackageType": "Zip",
            "Architectures": list(parameters.get("Architectures", ["x86_64"])),
            "Timeout": 3,
            "MemorySize": 128,
            "Description": "",
            "State": "Pending",
            "StateReasonCode": "Creating",
            "LastModified": "2026-01-01T00:00:00.000+0000",
            "TracingConfig": {"Mode": "PassThrough"},
            "EphemeralStorage": {"Size": 512},
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
        }
        self._take(latest, parameters)
        latest.update(CodeSha256=self.digest(data), CodeSize=len(data))
        self.functions[name] = FakeFunction(latest, self.time.now + self.seconds)
        self._touch(latest)
        return deepcopy(latest)

    def update_function_code(self, parameters: Parameters) -> dict[str, Any]:
        function = self._changeable(parameters)
        data = self._bytes(parameters)
        latest = function.latest
        latest.update(CodeSha256=self.digest(data), CodeSize=len(data))
        latest["Architectures"] = list(parameters.get("Architectures", latest["Architectures"]))
        return self._under_way(function)

    def update_function_configuration(self, parameters: Parameters) -> dict[str, Any]:
        function = self._changeable(parameters)
        variables = parameters.get("Environment", {}).get("Variables", {})
        if len(json.dumps(variables, separators=(",", ":"))) > 4096:
            text = "Lambda was unable to configure your environment variables because the environment variables you "
            raise errors.invalid(text + "have provided exceeded the 4KB limit.")
        self._take(function.latest, parameters)
        return self._under_way(function)

    def publish_version(self, parameters: Parameters) -> dict[str, Any]:
        function = self._changeable(parameters)
        latest = function.latest
        given = parameters.get("CodeSha256")
        if given and given != latest["CodeSha256"]:
            raise errors.other_code(given, latest["CodeSha256"])
        kept = _frozen(latest)
        if kept == function.frozen and str(function.published) in function.versions:
            return deepcopy(function.versions[str(function.published)])
        function.published += 1
        version = str(function.published)
        text = parameters.get("Description", latest["Description"])
        made = {
            **deepcopy(latest),
            "Description": text,
            "Version": version,
            "FunctionArn": self.arn(latest["FunctionName"], version),
        }
        made.pop("LastUpdateStatus", None)
        made["State"] = "Pending"
        self._touch(made)
        self._touch(latest)
        function.frozen, function.versions[version] = kept, made
        function.waiting[version] = self.time.now + self.seconds
        return deepcopy(made)

    def get_function_configuration(self, parameters: Parameters) -> dict[str, Any]:
        function = self._function(parameters)
        name, qualifier = function.latest["FunctionName"], parameters.get("Qualifier", "")
        version = function.aliases[qualifier]["FunctionVersion"] if qualifier in function.aliases else qualifier
        if version in {"", "$LATEST"}:
            found = function.latest
        elif version in function.versions:
            found = function.versions[version]
        else:
            raise errors.missing(self.arn(name, qualifier))
        return {**deepcopy(found), "FunctionArn": self.arn(name, qualifier)}

    def get_function(self, parameters: Parameters) -> dict[str, Any]:
        found = self.get_function_configuration(parameters)
        return {"Configuration": found, "Code": {"Location": f"https://code.invalid/{found['CodeSha256']}?sig=x"}}

    def list_versions_by_function(self, parameters: Parameters) -> dict[str, Any]:
        function = self._function(parameters)
        found = [_listed(each) for each in (function.latest, *function.versions.values())]
        return self._paged("Versions", found, parameters)

    def list_functions(self, parameters: Parameters) -> dict[str, Any]:
        found = []
        for each in self.functions.values():
            found.append(_listed(each.latest))
            if parameters.get("FunctionVersion") == "ALL":
                found += map(_listed, each.versions.values())
        return self._paged("Functions", found, parameters)

    def get_function_url_config(self, parameters: Parameters) -> dict[str, Any]:
        function = self._function(parameters)
        if not function.url:
            raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.")
        arn = function.latest["FunctionArn"]
        return {"FunctionUrl": function.url, "FunctionArn": arn, "AuthType": "NONE", "CreationTime": ""}

    def get_policy(self, parameters: Parameters) -> dict[str, Any]:
        function = self._function(parameters)
        if not function.policy:
            raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.")
        return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": function.policy}), "RevisionId": "p"}

    def list_event_source_mappings(self, parameters: Parameters) -> dict[str, Any]:
        found = self.functions.get(parameters["FunctionName"])
        return self._paged("EventSourceMappings", found.sources if found else [], parameters)

    def invoke(self, parameters: Parameters) -> dict[str, Any]:
        found = self.get_function_configuration(parameters)
        log, answer = "START RequestId: 1\nEND RequestId: 1\n", {}
        try:
            value = self.handlers[found["CodeSha256"]](json.loads(parameters["Payload"]))
        except Exception as error:  # noqa: BLE001  # what a handler raises is its answer
            value = {"errorType": type(error).__name__, "errorMessage": str(error)}
            answer["FunctionError"] = "Unhandled"
        body = json.dumps(value).encode()
        return {
            **answer,
            "StatusCode": 200,
            "Payload": StreamingBody(io.BytesIO(body), len(body)),
            "LogResult": base64.b64encode(log.encode()).decode(),
            "ExecutedVersion": found["Version"],
        }

    # aliases

    def get_alias(self, parameters: Parameters) -> dict[str, Any]:
        function = self._function(parameters)
        if parameters["Name"] not in function.aliases:
            arn = self.arn(parameters["FunctionName"], parameters["Name"])
            raise AwsError("ResourceNotFoundException", f"Cannot find alias arn: {arn}")
        return deepcopy(function.aliases[parameters["Name"]])

    def create_alias(self, parameters: Parameters) -> dict[str, Any]:
        function = self._function(parameters)
        arn = self.arn(parameters["FunctionName"], parameters["Name"])
        if parameters["Name"] in function.aliases:
            raise AwsError("ResourceConflictException", f"Alias already exists: {arn}")
        function.aliases[parameters["Name"]] = {"Name": parameters["Name"], "AliasArn": arn, "Description": ""}
        return self._point(function, parameters)

    def update_alias(self, parameters: Parameters) -> dict[str, Any]:
        current = self.get_alias(parameters)
        if parameters.get("RevisionId", current["RevisionId"]) != current["RevisionId"]:
            raise errors.stale()
        return self._point(self._function(parameters), parameters)

    def _point(self, function: FakeFunction, parameters: Parameters) -> dict[str, Any]:
        alias = function.aliases[parameters["Name"]]
        for version in (parameters["FunctionVersion"], *_weights(parameters)):
            if version not in {*function.versions, "$LATEST"}:
                arn = self.arn(parameters["FunctionName"], version)
                raise AwsError("ResourceNotFoundException", f"Function not found: {arn}")
        alias["FunctionVersion"] = parameters["FunctionVersion"]
        alias["Description"] = parameters.get("Description", alias["Description"])
        if "RoutingConfig" in parameters:
            alias.pop("RoutingConfig", None)
            if _weights(parameters):
                alias["RoutingConfig"] = deepcopy(parameters["RoutingConfig"])
        self._touch(alias)
        return deepcopy(alias)

    # how it gets there

    def _function(self, parameters: Parameters) -> FakeFunction:
        name = parameters["FunctionName"]
        name = name.rpartition(":function:")[2] or name
        found = self.functions.get(name)
        if found is None:
            raise errors.missing(self.arn(name, parameters.get("Qualifier", "")))
        self._pass_time(found)
        return found

    def _pass_time(self, function: FakeFunction) -> None:
        latest = function.latest
        if self.time.now >= function.until and not _settled(latest):
            if latest["State"] == "Pending":
                latest["State"] = "Active"
                latest.pop("StateReasonCode", None)
            latest["LastUpdateStatus"] = "Successful"
            if self.failing:
                code, reason = self.failing.pop(0)
                latest["LastUpdateStatus"] = "Failed"
                latest.update(LastUpdateStatusReasonCode=code, LastUpdateStatusReason=reason)
            self._touch(latest)
        for version, until in list(function.waiting.items()):
            if self.time.now >= until:
                del function.waiting[version]
                made = function.versions[version]
                made["State"] = "Active"
                if self.failing_versions:
                    code, reason = self.failing_versions.pop(0)
                    made.update(State="Failed", StateReasonCode=code, StateReason=reason)

    def _changeable(self, parameters: Parameters) -> FakeFunction:
        function = self._function(parameters)
        if not _settled(function.latest):
            raise errors.busy(function.latest["FunctionArn"])
        if parameters.get("RevisionId", function.latest["RevisionId"]) != function.latest["RevisionId"]:
            raise errors.stale()
        return function

    def _under_way(self, function: FakeFunction) -> dict[str, Any]:
        function.latest["LastUpdateStatus"] = "InProgress"
        for name in ("LastUpdateStatusReason", "LastUpdateStatusReasonCode"):
            function.latest.pop(name, None)
        function.until = self.time.now + self.seconds
        self._touch(function.latest)
        return deepcopy(function.latest)

    def _take(self, latest: dict[str, Any], parameters: Parameters) -> None:
        latest.update({name: deepcopy(parameters[name]) for name in SETTINGS if name in parameters})
        if "Environment" in parameters:
            latest["Environment"] = {"Variables": dict(parameters["Environment"]["Variables"])}
        if "Layers" in parameters:
            if len(parameters["Layers"]) > 5:
                raise errors.invalid("Cannot reference more than 5 layers.")
            for arn in parameters["Layers"]:
                if arn not in self.layer_arns:
                    raise errors.invalid(f"Layer version {arn} does not exist.")
            latest["Layers"] = [{"Arn": arn, "CodeSize": 1} for arn in parameters["Layers"]]

    def _bytes(self, source: Parameters) -> bytes:
        if "ZipFile" in source:
            data = bytes(source["ZipFile"])
            if len(data) > ZIPPED:
                raise errors.too_large()
        else:
            try:
                data = self.storage.found({"Bucket": source["S3Bucket"], "Key": source["S3Key"]}).data
            except AwsError as error:
                text = f"Error occurred while GetObject. S3 Error Code: {error.code}. S3 Error Message: {error.message}"
                raise errors.invalid(text) from error
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                unzipped = sum(each.file_size for each in archive.infolist())
        except zipfile.BadZipFile:
            text = "Could not unzip uploaded file. Please check your file, then try to upload again."
            raise errors.invalid(text) from None
        if unzipped > UNZIPPED:
            raise errors.invalid("Unzipped size must be smaller than 262144000 bytes")
        return data

    def _touch(self, document: dict[str, Any]) -> None:
        document["RevisionId"] = f"revision-{next(self._revisions)}"

    def _paged(self, name: str, found: list[Any], parameters: Parameters) -> dict[str, Any]:
        start = int(parameters.get("Marker", 0))
        page: dict[str, Any] = {name: found[start : start + self.page]}
        if start + self.page < len(found):
            page["NextMarker"] = str(start + self.page)
        return page


def _settled(document: Mapping[str, Any]) -> bool:
    return document["State"] != "Pending" and document.get("LastUpdateStatus") != "InProgress"


def _frozen(latest: Mapping[str, Any]) -> str:
    """Return what two versions differ in."""
    passing = {"RevisionId", "State", "StateReasonCode", "LastModified", "Version", "FunctionArn"}
    kept = {key: value for key, value in latest.items() if key not in passing and "LastUpdate" not in key}
    return json.dumps(kept, sort_keys=True)


def _listed(document: Mapping[str, Any]) -> dict[str, Any]:
    """Lists have no states."""
    return {key: value for key, value in document.items() if not key.startswith(("State", "LastUpdate"))}


def _weights(parameters: Parameters) -> dict[str, float]:
    return dict(parameters.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}))
