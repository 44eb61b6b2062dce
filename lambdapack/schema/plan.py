"""Schemas of `deploy --format json` and `rollback --format json`."""

from lambdapack.report import plan as plans
from lambdapack.schema.report import ARCHITECTURE_VALUES, finding_schema
from lambdapack.schema.shapes import (
    CODE_DIGEST_PATTERN,
    Schema,
    array,
    document,
    flag,
    number,
    or_null,
    record,
    schema_object,
    table,
    word,
)
from lambdapack.schema.shapes import text as words


def plan_schema() -> Schema:
    """Return the schema of `deploy --dry-run`, and of a deployment that was refused."""
    archive = {
        "path": words("The zip, as it was named."),
        "code_digest": words("Its CodeSha256.", pattern=CODE_DIGEST_PATTERN),
        "zip_bytes": number("Its size."),
    }
    fields = {
        "version": words("The version of lambdapack."),
        "region": words("The AWS region."),
        "refused": flag("Whether a finding speaks against it, so that nothing would be done."),
        "archive": record("What is deployed.", archive),
        "functions": array("One for each function, in the order of the command line.", _function_schema()),
    }
    return document(
        plans.PLAN_SCHEMA, "A plan of a deployment", schema_object(plans.PLAN_SCHEMA, "What would be changed.", fields)
    )


def _function_schema() -> Schema:
    target = {"runtime": words("AWS's identifier."), "arch": word("The instruction set.", ARCHITECTURE_VALUES)}
    step = {
        "step": word("What is done.", plans.DEPLOY_STEP_NAMES),
        "before": or_null(words("The code digest or version there is now; null when there is none.", empty=True)),
        "after": or_null(words("What there will be; null when it is not known before.")),
        "text": words("The same for people."),
    }
    fields = {
        "function": words("Its name, as it was given."),
        "exists": flag("False: it will be made."),
        "alias": or_null(words("The alias that will serve the new version; null for none.")),
        "target": record("What the package was judged for.", target),
        "serving": or_null(words("ARN of the version that has this code already; null when something is to do.")),
        "steps": array("In order; none when nothing is to do.", record("One change.", step)),
        "findings": array("Of the package and of the guards, worst first.", finding_schema()),
    }
    return record("One function.", fields)


def deployment_schema() -> Schema:
    """Return the schema of `deploy` and `rollback`."""
    one = {
        "function": words("Its name, as it was given."),
        "arn": words("The ARN of the version that is wanted."),
        "version": words("Its number.", pattern=r"^\d+$"),
        "alias": or_null(words("The alias; null for none.")),
        "before": or_null(words("The version that the alias was at; null when nothing moved or it was made.")),
        "weights": table("Version to the part of the alias's traffic that it gets beside the first.", _weight_schema()),
        "changed": flag("False: everything was as wanted."),
    }
    fields = {
        "version": words("The version of lambdapack."),
        "functions": array("One for each function, in the order of the command line.", record("One function.", one)),
    }
    whole = schema_object(plans.DEPLOYMENT_SCHEMA, "What is deployed now.", fields)
    return document(plans.DEPLOYMENT_SCHEMA, "A deployment", whole)


def _weight_schema() -> Schema:
    return {"description": "A part from 0 to 1.", "type": "number", "minimum": 0, "maximum": 1}
