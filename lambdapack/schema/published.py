"""Every schema under the name that `lambdapack schema NAME` takes."""

from collections.abc import Callable, Mapping

from lambdapack.errors.record import LambdapackError
from lambdapack.errors.usage import USAGE
from lambdapack.schema import config, diagnosis, inspection, layer, listings, manifest, plan, report
from lambdapack.schema.shapes import Schema

SCHEMAS: Mapping[str, tuple[str, Callable[[], Schema]]] = {
    "report": ("what verify and build say with --format json", report.report_schema),
    "failure": ("what they say when the work could not be done", report.failure_schema),
    "inspection": ("what inspect says with --format json", inspection.inspection_schema),
    "manifest": ("<zip>.lambdapack.json, beside an archive", manifest.manifest_schema),
    "terraform-external": ("what build says with --format terraform-external", listings.terraform_external_schema),
    "runtime-file": ("what --runtime-file takes, and `runtimes show` prints", listings.runtime_file_schema),
    "runtimes": ("what `runtimes list` says with --format json", listings.runtimes_schema),
    "images": ("what `images list` says with --format json", listings.images_schema),
    "doctor": ("what `doctor` says with --format json", listings.doctor_schema),
    "diagnosis": ("what `explain` says with --format json", diagnosis.diagnosis_schema),
    "record": ("what `explain CODE` says with --format json", diagnosis.record_schema),
    "page": ("what `explain PACKAGE` says with --format json", diagnosis.page_schema),
    "cache": ("what `cache show` and `cache clear` say with --format json", listings.cache_schema),
    "plan": ("what deploy --dry-run says with --format json", plan.plan_schema),
    "deployment": ("what deploy and rollback say with --format json", plan.deployment_schema),
    "layers": ("what publish-layer says with --format json", layer.layers_schema),
    "config": ("lambdapack.toml, for editors", config.config_schema),
}
"""Name to what it describes, and the schema itself, made when it is wanted."""


def find_schema(name: str) -> Schema:
    """Return the schema of a name; LP001 when there is none such."""
    found = SCHEMAS.get(name)
    if found is None:
        raise LambdapackError(USAGE, f"there is no schema {name!r}", hint=f"Choose one of {', '.join(SCHEMAS)}.")
    return found[1]()
