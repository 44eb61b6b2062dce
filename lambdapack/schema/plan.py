"""What `deploy` and `rollback` say with --format json."""

from lambdapack.report import plan as plans
from lambdapack.schema.report import ARCHITECTURES, finding
from lambdapack.schema.shapes import (
    CODE_DIGEST,
    Schema,
    array,
    document,
    flag,
    maybe,
    named,
    number,
    record,
    table,
    word,
)
from lambdapack.schema.shapes import text as words


def plan() -> Schema:
    """Return the schema of `deploy --dry-run`, and of a deployment that was refused."""
    archive = {
        "path": words("The zip, as it was named."),
        "code_digest": words("Its CodeSha256.", pattern=CODE_DIGEST),
        "zip_bytes": number("Its size."),
    }
    fields = {
        "version": words("The version of lambdapack."),
        "region": words("The AWS region."),
        "refused": flag("Whether a finding speaks against it, so that nothing would be done."),
        "archive": record("What is deployed.", archive),
        "functions": array("One for each function, in the order of the command line.", _function()),
    }
    return document(plans.PLAN, "A plan of a deployment", named(plans.PLAN, "What would be changed.", fields))


def _function() -> Schema:
    target = {"runtime": words("AWS's identifier."), "arch": word("The instruction set.", ARCHITECTURES)}
    step = {
        "step": word("What is done.", plans.WORDS),
        "before": maybe(words("The code digest or version there is now; null when there is none.", empty=True)),
        "after": maybe(words("What there will be; null when it is not known before.")),
        "text": words("The same for people."),
    }
    fields = {
        "function": words("Its name, as it was given."),
        "exists": flag("False: it will be made."),
        "alias": maybe(words("The alias that will serve the new version; null for none.")),
        "target": record("What the package was judged for.", target),
        "serving": maybe(words("ARN of the version that has this code already; null when something is to do.")),
        "steps": array("In order; none when nothing is to do.", record("One change.", step)),
        "findings": array("Of the package and of the guards, worst first.", finding()),
    }
    return record("One function.", fields)


def deployment() -> Schema:
    """Return the schema of `deploy` and `rollback`."""
    one = {
        "function": words("Its name, as it was given."),
        "arn": words("The ARN of the version that is wanted."),
        "version": words("Its number.", pattern=r"^\d+$"),
        "alias": maybe(words("The alias; null for none.")),
        "before": maybe(words("The version that the alias was at; null when nothing moved or it was made.")),
        "weights": table("Version to the part of the alias's traffic that it gets beside the first.", _weight()),
        "changed": flag("False: everything was as wanted."),
    }
    fields = {
        "version": words("The version of lambdapack."),
        "functions": array("One for each function, in the order of the command line.", record("One function.", one)),
    }
    whole = named(plans.DEPLOYMENT, "What is deployed now.", fields)
    return document(plans.DEPLOYMENT, "A deployment", whole)


def _weight() -> Schema:
    return {"description": "A part from 0 to 1.", "type": "number", "minimum": 0, "maximum": 1}
