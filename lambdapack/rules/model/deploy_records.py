"""The rule records of the checks before a deployment, LP450 to LP479. Contains no check."""

from lambdapack.model import Rule, Severity

ARCHITECTURE_DIFFERS = Rule(
    "LP450",
    "architecture-differs",
    "the package is made for another architecture than the function's",
    "Lambda switches the CPU or keeps it without a word; an addon for the other one then fails to load (wrong-cpu).",
    "Build for the function's CPU with `--arch`, or switch the function with `--allow-arch-change`.",
    Severity.ERROR,
)
RUNTIME_DIFFERS = Rule(
    "LP451",
    "runtime-differs",
    "the package is made for another runtime than the function's",
    "Addons that were compiled for another Node.js then fail to load (node-abi).",
    "Build for the function's runtime with `--runtime`, or switch the function with `--allow-runtime-change`.",
    Severity.ERROR,
)
BUCKET_MISSING = Rule(
    "LP452",
    "bucket-missing",
    "the zip is too large to be sent without a bucket",
    "AWS takes 50 MB in a request (needs-bucket). Through S3 there is no such limit.",
    "Name a bucket in the function's region with `--bucket NAME`.",
    Severity.ERROR,
)
LAYER_ARCHITECTURE = Rule(
    "LP453",
    "layer-architecture",
    "a layer is not declared compatible with the function's architecture",
    "Lambda attaches it all the same; what is native in it then fails to load.",
    "Attach a version for this CPU with `--layer ARN`.",
    Severity.WARNING,
)
LAYER_UNSEEN = Rule(
    "LP454",
    "layer-unseen",
    "a layer of the function cannot be read",
    "Its files count against the size limit and may hold libraries that addons need; the verdict is without them.",
    "Ask its owner for lambda:GetLayerVersion.",
    Severity.WARNING,
)
LATEST_CONSUMER = Rule(
    "LP455",
    "latest-consumer",
    "something calls the function without an alias",
    "It gets $LATEST, and with it new code as soon as it is there, before a version is published or tested.",
    "Let it call an alias: its ARN is FUNCTION_ARN:ALIAS.",
    Severity.NOTE,
)
CONSUMERS_UNSEEN = Rule(
    "LP456",
    "consumers-unseen",
    "callers that use the function without an alias cannot be listed",
    "A permission to look is missing; whoever calls $LATEST gets new code as soon as it is there.",
    "Allow lambda:GetPolicy, lambda:GetFunctionUrlConfig and lambda:ListEventSourceMappings.",
    Severity.NOTE,
)

VARIABLES_UNREADABLE = Rule(
    "LP457",
    "variables-unreadable",
    "AWS does not show the function's variables",
    "AWS replaces all variables at once, so setting one of them without knowing the others would delete the others.",
    "Allow kms:Decrypt on the function's key, or deploy without `--env`, `--env-file` and `--remove-env`.",
    Severity.ERROR,
)
VALUE_REFUSED = Rule(
    "LP458",
    "value-refused",
    "AWS would refuse a setting",
    "The value breaks a limit of AWS's API, which AWS would report only after the code was replaced.",
    "Correct the value.",
    Severity.ERROR,
)
LAYER_MISSING = Rule(
    "LP459",
    "layer-missing",
    "a layer version to attach does not exist",
    "AWS refuses a layer version that was deleted or never published.",
    "Run `aws lambda list-layer-versions --layer-name NAME` and name one of its versions.",
    Severity.ERROR,
)
BUCKET_UNUSABLE = Rule(
    "LP460",
    "bucket-unusable",
    "the bucket cannot be used",
    "Lambda takes code only out of a bucket that exists in the function's own region.",
    "Create it with `aws s3 mb s3://NAME --region REGION`, or name another with `--bucket`.",
    Severity.ERROR,
)
CONCURRENCY_ZERO = Rule(
    "LP461",
    "concurrency-zero",
    "the function is switched off, so it cannot answer the test event",
    "Lambda runs no version of a function whose reserved concurrency is 0.",
    "Run `aws lambda delete-function-concurrency --function-name NAME`, or deploy without `--smoke`.",
    Severity.ERROR,
)
CANARY_UNSHARED = Rule(
    "LP462",
    "canary-unshared",
    "the new version gets all of the traffic",
    "A new alias has no earlier version that could keep a share.",
    "Deploy without `--canary` the first time.",
    Severity.WARNING,
)
OWNED_ELSEWHERE = Rule(
    "LP463",
    "owned-elsewhere",
    "another tool manages this function",
    "That tool does not know of this change: its next run reports drift, or puts the old state back.",
    "Deploy with that tool, or let it ignore the code and the alias's version.",
    Severity.WARNING,
)

DEPLOY_RULES: tuple[Rule, ...] = (
    ARCHITECTURE_DIFFERS,
    RUNTIME_DIFFERS,
    BUCKET_MISSING,
    LAYER_ARCHITECTURE,
    LAYER_UNSEEN,
    LATEST_CONSUMER,
    CONSUMERS_UNSEEN,
    VARIABLES_UNREADABLE,
    VALUE_REFUSED,
    LAYER_MISSING,
    BUCKET_UNUSABLE,
    CONCURRENCY_ZERO,
    CANARY_UNSHARED,
    OWNED_ELSEWHERE,
)
"""In code order."""
