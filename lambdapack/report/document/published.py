"""The one registry of documents: the name that `lambdapack schema NAME` takes, what it is, and its schema."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import USAGE
from lambdapack.report.ci.terraform import TerraformDocument
from lambdapack.report.document import diagnosis, inspection, layer, listings, manifest, plan, report, status
from lambdapack.report.document.config import config_schema
from lambdapack.runtimes.document import RuntimeFileDocument
from lambdapack.schema import Schema, document_schema


class PublishedSchema(NamedTuple):
    """What a schema describes, and how it is made when it is wanted."""

    what: str  # who prints or reads such a document
    make: Callable[[], Schema]


def _publish(what: str, document: type, title: str, *, several: bool = False) -> PublishedSchema:
    return PublishedSchema(what, lambda: document_schema(document, title, several=several))


SCHEMAS: Mapping[str, PublishedSchema] = {
    "report": _publish(
        "verify, build: the report of --format json",
        report.ReportDocument,
        "Verification report",
        several=True,
    ),
    "failure": _publish("all commands: why the work could not be done", report.FailureDocument, "Failure"),
    "inspection": _publish("inspect --format json", inspection.InspectionDocument, "Inspection of a package"),
    "manifest": _publish("<zip>.lambdapack.json, beside an archive", manifest.ManifestDocument, "Build manifest"),
    "terraform-external": _publish("build --format terraform-external", TerraformDocument, "Build for Terraform"),
    "runtime-file": _publish("--runtime-file, and runtimes show --format json", RuntimeFileDocument, "Runtime file"),
    "runtimes": _publish("runtimes list --format json", listings.RuntimesDocument, "Lambda's Node.js runtimes"),
    "images": _publish("images list --format json", listings.ImagesDocument, "The container images of a build"),
    "doctor": _publish("doctor --format json", listings.DoctorDocument, "Health checks"),
    "diagnosis": _publish("explain TEXT --format json", diagnosis.ExplanationDocument, "Diagnosis of an error message"),
    "record": _publish("explain CODE --format json", diagnosis.RecordDocument, "Rule or failure"),
    "page": _publish("explain PACKAGE --format json", diagnosis.BookPageDocument, "Entry of the package book"),
    "cache": _publish(
        "cache show and cache clear --format json",
        listings.CacheDocument,
        "Cache content",
    ),
    "plan": _publish("deploy --dry-run --format json", plan.PlanDocument, "Deployment plan"),
    "deployment": _publish("deploy and rollback --format json", plan.DeploymentDocument, "Deployment"),
    "status": _publish("status --format json", status.StatusDocument, "What is live"),
    "layers": _publish("publish-layer --format json", layer.LayersDocument, "Published layers"),
    "config": PublishedSchema("lambdapack.toml, for editors", config_schema),
}


def find_schema(name: str) -> Schema:
    """Return the schema of a name; LP001 when there is none such."""
    published = SCHEMAS.get(name)
    if published is None:
        raise LambdapackError(USAGE, f"there is no schema {name!r}", hint=f"Choose one of {', '.join(SCHEMAS)}.")
    return published.make()
