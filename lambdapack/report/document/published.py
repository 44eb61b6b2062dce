"""The one registry of documents: the name that `lambdapack schema NAME` takes, what it is, and its schema."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import USAGE
from lambdapack.report.ci.terraform import TerraformDocument
from lambdapack.report.document import diagnosis, inspection, layer, listings, manifest, plan, report
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
        "what verify and build say with --format json",
        report.ReportDocument,
        "What lambdapack says of a package",
        several=True,
    ),
    "failure": _publish(
        "what they say when the work could not be done", report.FailureDocument, "Why lambdapack could not go on"
    ),
    "inspection": _publish(
        "what inspect says with --format json", inspection.InspectionDocument, "What is in a package"
    ),
    "manifest": _publish("<zip>.lambdapack.json, beside an archive", manifest.ManifestDocument, "How a zip came to be"),
    "terraform-external": _publish(
        "what build says with --format terraform-external", TerraformDocument, "A build for Terraform"
    ),
    "runtime-file": _publish(
        "what --runtime-file takes, and `runtimes show` prints", RuntimeFileDocument, "A measured runtime"
    ),
    "runtimes": _publish(
        "what `runtimes list` says with --format json", listings.RuntimesDocument, "Lambda's Node.js runtimes"
    ),
    "images": _publish(
        "what `images list` says with --format json", listings.ImagesDocument, "The container images of a build"
    ),
    "doctor": _publish(
        "what `doctor` says with --format json", listings.DoctorDocument, "What a build finds on this machine"
    ),
    "diagnosis": _publish(
        "what `explain` says with --format json", diagnosis.ExplanationDocument, "What an error message means"
    ),
    "record": _publish(
        "what `explain CODE` says with --format json", diagnosis.RecordDocument, "What a code stands for"
    ),
    "page": _publish(
        "what `explain PACKAGE` says with --format json", diagnosis.BookPageDocument, "A page of the package book"
    ),
    "cache": _publish(
        "what `cache show` and `cache clear` say with --format json",
        listings.CacheDocument,
        "What is remembered between runs",
    ),
    "plan": _publish("what deploy --dry-run says with --format json", plan.PlanDocument, "A plan of a deployment"),
    "deployment": _publish("what deploy and rollback say with --format json", plan.DeploymentDocument, "A deployment"),
    "layers": _publish("what publish-layer says with --format json", layer.LayersDocument, "Published layers"),
    "config": PublishedSchema("lambdapack.toml, for editors", config_schema),
}


def find_schema(name: str) -> Schema:
    """Return the schema of a name; LP001 when there is none such."""
    published = SCHEMAS.get(name)
    if published is None:
        raise LambdapackError(USAGE, f"there is no schema {name!r}", hint=f"Choose one of {', '.join(SCHEMAS)}.")
    return published.make()
