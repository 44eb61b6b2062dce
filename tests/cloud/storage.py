"""S3, as much of it as lambdapack uses."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.response import StreamingBody  # noqa: TID251

from tests.cloud.errors import AwsError

Parameters = Mapping[str, Any]


@dataclass
class FakeObject:
    data: bytes
    metadata: Mapping[str, str]
    version: str


@dataclass
class FakeStorage:
    """Buckets with versioning."""

    buckets: dict[str, dict[str, FakeObject]] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    begun: dict[str, Parameters] = field(default_factory=dict)

    def found(self, parameters: Parameters, missing: str = "NoSuchKey") -> FakeObject:
        bucket = self.buckets.get(parameters["Bucket"])
        if bucket is None:
            raise AwsError("NoSuchBucket" if missing == "NoSuchKey" else "404", "The specified bucket does not exist")
        if parameters["Key"] not in bucket:
            raise AwsError(missing, "The specified key does not exist.")
        return bucket[parameters["Key"]]

    def head_bucket(self, parameters: Parameters) -> dict[str, Any]:
        if parameters["Bucket"] not in self.buckets:
            raise AwsError("404", "Not Found")
        return {}

    def head_object(self, parameters: Parameters) -> dict[str, Any]:
        found = self.found(parameters, "404")
        return {
            "ContentLength": len(found.data),
            "Metadata": dict(found.metadata),
            "VersionId": found.version,
            "ETag": '"0"',
            "LastModified": "",
        }

    def get_object(self, parameters: Parameters) -> dict[str, Any]:
        data = self.found(parameters).data
        if "Range" in parameters:
            first, _, last = parameters["Range"].removeprefix("bytes=").partition("-")
            data = data[int(first) : int(last) + 1 if last else None]
        return {"Body": StreamingBody(io.BytesIO(data), len(data)), "ContentLength": len(data)}

    def put_object(self, parameters: Parameters) -> dict[str, Any]:
        return {"VersionId": self._keep(parameters, _bytes(parameters["Body"]))}

    def create_multipart_upload(self, parameters: Parameters) -> dict[str, Any]:
        if parameters["Bucket"] not in self.buckets:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist")
        name = str(len(self.begun))
        self.begun[name], self.uploads[name] = parameters, {}
        return {"UploadId": name}

    def upload_part(self, parameters: Parameters) -> dict[str, Any]:
        self.uploads[parameters["UploadId"]][parameters["PartNumber"]] = _bytes(parameters["Body"])
        return {"ETag": f'"{parameters["PartNumber"]}"'}

    def complete_multipart_upload(self, parameters: Parameters) -> dict[str, Any]:
        parts = self.uploads.pop(parameters["UploadId"])
        data = b"".join(parts[number] for number in sorted(parts))
        return {"VersionId": self._keep(self.begun[parameters["UploadId"]], data)}

    def abort_multipart_upload(self, parameters: Parameters) -> dict[str, Any]:
        self.uploads.pop(parameters["UploadId"], None)
        return {}

    def _keep(self, parameters: Parameters, data: bytes) -> str:
        bucket = self.buckets.get(parameters["Bucket"])
        if bucket is None:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist")
        version = hashlib.sha256(data).hexdigest()[:16]
        bucket[parameters["Key"]] = FakeObject(data, parameters.get("Metadata", {}), version)
        return version


def _bytes(body: Any) -> bytes:
    return bytes(body) if isinstance(body, bytes | bytearray) else bytes(body.read())
