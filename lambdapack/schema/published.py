"""Every schema under the name that `lambdapack schema NAME` takes."""

from collections.abc import Callable, Mapping

from lambdapack.errors import USAGE, LambdapackError
from lambdapack.schema import config, diagnosis, inspection, layer, listings, manifest, plan, report
from lambdapack.schema.shapes import Schema

SCHEMAS: Mapping[str, tuple[str, Callable[[], Schema]]] = {
    "report": ("what verify and build say with --format json", report.report),
    "failure": ("what they say when the work could not be done", report.failure),
    "inspection": ("what inspect says with --format json", inspection.inspection),
    "manifest": ("<zip>.lambdapack.json, beside an archive", manifest.manifest),
    "terraform-external": ("what build says with --format terraform-external", listings.terraform_external),
    "runtime-file": ("what --runtime-file takes, and `runtimes show` prints", listings.runtime_file),
    "runtimes": ("what `runtimes list` says with --format json", listings.runtimes),
    "images": ("what `images list` says with --format json", listings.images),
    "doctor": ("what `doctor` says with --format json", listings.doctor),
    "diagnosis": ("what `explain` says with --format json", diagnosis.diagnosis),
    "record": ("what `explain CODE` says with --format json", diagnosis.a_record),
    "page": ("what `explain PACKAGE` says with --format json", diagnosis.page),
    "cache": ("what `cache show` and `cache clear` say with --format json", listings.cache),
    "plan": ("what deploy --dry-run says with --format json", plan.plan),
    "deployment": ("what deploy and rollback say with --format json", plan.deployment),
    "layers": ("what publish-layer says with --format json", layer.layer),
    "config": ("lambdapack.toml, for editors", config.config),
}
"""Name to what it describes, and the schema itself, made when it is wanted."""


def schema(name: str) -> Schema:
    """Return the schema of a name; LP001 when there is none such."""
    found = SCHEMAS.get(name)
    if found is None:
        raise LambdapackError(USAGE, f"there is no schema {name!r}", hint=f"Choose one of {', '.join(SCHEMAS)}.")
    return found[1]()
