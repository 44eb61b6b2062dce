"""Failures of AWS calls: LP4."""

from lambdapack.errors.record import ExitCode, Failure
from lambdapack.messages import Message, Remedy

ONE_AT_A_TIME = "Wait after each update before the next call, and let one pipeline at a time deploy a function."

NO_CREDENTIALS = Failure(
    "LP401",
    "no-credentials",
    "there are no AWS credentials",
    "They are looked for where the AWS CLI looks: variables, ~/.aws, SSO, the container's or instance's role.",
    "Run `aws configure` or `aws sso login`, or name a profile with `--profile`.",
    ExitCode.ENVIRONMENT,
)
CREDENTIALS_EXPIRED = Failure(
    "LP402",
    "credentials-expired",
    "the AWS credentials are expired or not valid",
    "Temporary credentials end after some hours; AWS then refuses every call.",
    "Run `aws sso login` (or whatever gave you the credentials) and repeat the command.",
    ExitCode.ENVIRONMENT,
)
NO_REGION = Failure(
    "LP403",
    "no-region",
    "no AWS region is set",
    "Functions, layers and buckets belong to a region; there is none that could be assumed.",
    "Pass `--region eu-central-1`, or set AWS_REGION.",
    ExitCode.ENVIRONMENT,
)
BAD_PROFILE = Failure(
    "LP404",
    "bad-profile",
    "the AWS configuration cannot be used",
    "The profile is named by --profile or AWS_PROFILE, and is looked for in ~/.aws/config and ~/.aws/credentials.",
    "Run `aws configure list-profiles` to see which there are.",
    ExitCode.ENVIRONMENT,
)
UNREACHABLE = Failure(
    "LP405",
    "unreachable",
    "AWS could not be reached",
    "The connection was refused, broke or timed out. Calls that are safe to repeat were repeated.",
    "Check the network, HTTPS_PROXY and `--endpoint-url`, and repeat the command: it goes on where it stopped.",
    ExitCode.ENVIRONMENT,
)
ACCESS_DENIED = Failure(
    "LP410",
    "access-denied",
    "AWS does not allow this call",
    "The credentials are good, but no policy allows the action, or one forbids it.",
    "Ask for the action named above; docs/deploying.md has the minimal IAM policy that lambdapack needs.",
    ExitCode.CLOUD,
)
THROTTLED = Failure(
    "LP411",
    "throttled",
    "AWS throttled the request",
    "The account's rate of calls is used up. Calls that are safe to repeat were repeated with growing pauses.",
    "Wait a minute and repeat the command: it goes on where it stopped.",
    ExitCode.CLOUD,
)
BUSY = Failure(
    "LP412",
    "busy",
    "another update of the function is still in progress",
    "AWS answers `The operation cannot be performed at this time. An update is in progress for resource`.",
    "Wait until it has ended (`aws lambda wait function-updated-v2 --function-name NAME`) and repeat the command.",
    ExitCode.CLOUD,
    messages=(
        Message(
            "the Lambda API",
            "The operation cannot be performed at this time. An update is in progress for resource: arn:aws:lambda:x",
            r"An update is in progress for resource(?:: \S*?:function:(?P<function>[\w-]+))?"
            r"|(?<!Bucket)ResourceConflictException[^\n]{0,200}(?:cannot be performed"
            r"|in the following state|Pending|in progress)(?:[^\n]{0,80}?:function:(?P<function2>[\w-]+))?|The "
            r"function is currently in the following state: Pending",
            ("progress", "ResourceConflictException", "currently"),
            "AWS is still at work on another update of the function",
        ),
    ),
    cause="api-conflict",
    remedy=Remedy(
        ("aws lambda wait function-updated-v2 --function-name {function}",),
        ONE_AT_A_TIME,
    ),
)
CHANGED = Failure(
    "LP413",
    "changed-meanwhile",
    "somebody else changed it at the same time",
    "Every change names the state it was planned for, and AWS refuses it when that is not the state any more.",
    "Repeat the command: it plans anew from what is there now.",
    ExitCode.CLOUD,
    messages=(
        Message(
            "the Lambda API",
            "PreconditionFailedException: The Revision Id provided does not match the latest Revision Id.",
            r"The Revision ?Id provided does not match|[Tt]he resource you requested has been modified"
            r"|PreconditionFailedException",
            ("Revision", "requested", "PreconditionFailedException"),
            "somebody else changed the function between the look at it and this call",
        ),
    ),
    cause="api-conflict",
    remedy=Remedy(
        ("lambdapack deploy --function {function}",),
        ONE_AT_A_TIME,
    ),
)
EXISTS = Failure(
    "LP414",
    "exists",
    "AWS has something of this name already",
    "Names are unique in a region.",
    "Repeat the command: it goes on from what is there now.",
    ExitCode.CLOUD,
)
NO_FUNCTION = Failure(
    "LP415",
    "no-function",
    "there is no such function",
    "It was looked for in the account and region named above.",
    "Check the name and `--region`, or create it with `--create --role ARN`.",
    ExitCode.CLOUD,
)
NOT_THERE = Failure(
    "LP416",
    "not-there",
    "the AWS resource does not exist",
    "A version, alias, layer or role that is referred to does not exist in this account and region.",
    "Check the name and `--region`.",
    ExitCode.CLOUD,
)
TOO_LARGE = Failure(
    "LP417",
    "too-large",
    "AWS refuses the package for its size",
    "Lambda's limits are 50 MB for a direct upload and 250 MB unzipped with layers, and each account has a total.",
    "Pass `--bucket`, or delete old versions (`aws lambda list-versions-by-function --function-name NAME`).",
    ExitCode.CLOUD,
    messages=(
        Message(
            "the Lambda API",
            "CodeStorageExceededException: Code storage limit exceeded.",
            r"\bCodeStorageExceeded(?:Exception)?\b|Code storage limit exceeded",
            ("CodeStorageExceeded", "exceeded"),
            "the versions of all functions and layers together fill what the account may store",
        ),
    ),
    cause="too-big",
    remedy=Remedy(
        ("aws lambda list-versions-by-function --function-name {function}", "lambdapack inspect ."),
        "Delete versions that nothing uses: each keeps its own copy of the code. `lambdapack publish-layer "
        "--keep N` does it for layers.",
    ),
)
KMS = Failure(
    "LP418",
    "kms",
    "the function's encryption key cannot be used",
    "Lambda encrypts variables and code with the key of the function's settings.",
    "Check the key with `aws kms describe-key --key-id ARN`, and that the role may use it.",
    ExitCode.CLOUD,
)
VPC = Failure(
    "LP419",
    "vpc",
    "the function's network cannot be set up",
    "Lambda makes network interfaces in the subnets and security groups of the function's settings.",
    "Check them with `aws lambda get-function-configuration --function-name NAME --query VpcConfig`.",
    ExitCode.CLOUD,
)
CODE_SIGNING = Failure(
    "LP420",
    "code-signing",
    "the function takes signed code only",
    "Its code signing configuration refuses packages without a valid signature of a trusted profile.",
    "Sign the zip with `aws signer start-signing-job` and deploy the result.",
    ExitCode.CLOUD,
)
BUCKET = Failure(
    "LP421",
    "bucket",
    "the bucket or the object in it cannot be used",
    "Lambda takes code only out of a bucket in the function's own region.",
    "Check it with `aws s3api head-bucket --bucket NAME`, and pass one with `--bucket`.",
    ExitCode.CLOUD,
)
ROLE = Failure(
    "LP422",
    "role",
    "the function's role cannot be used",
    "Lambda must be able to assume it: its trust policy names lambda.amazonaws.com.",
    "Check it with `aws iam get-role --role-name NAME`, and pass its ARN with `--role`.",
    ExitCode.CLOUD,
)
UPDATE_FAILED = Failure(
    "LP423",
    "update-failed",
    "AWS accepted the update, but it failed",
    "Lambda prepares a function after it has accepted a change, and that failed.",
    "Correct what AWS names above and repeat the command.",
    ExitCode.CLOUD,
)
NOT_SETTLED = Failure(
    "LP424",
    "not-settled",
    "the function did not become ready in time",
    "After a change a function is Pending or InProgress, normally for seconds.",
    "Look at it with `aws lambda get-function-configuration --function-name NAME`, and repeat the command.",
    ExitCode.CLOUD,
)
SMOKE_FAILED = Failure(
    "LP425",
    "smoke-failed",
    "the new version did not answer the test event as it should",
    "The event of --smoke was sent to the new version before any alias pointed at it.",
    "Read the function's answer and log above; `lambdapack invoke ZIP --event FILE` runs it here.",
    ExitCode.JUDGEMENT,
)
REFUSED = Failure(
    "LP426",
    "refused",
    "AWS refused the request",
    "AWS found a value in it that it does not take.",
    "Correct what AWS names above.",
    ExitCode.CLOUD,
)
OTHER_CODE = Failure(
    "LP427",
    "other-code",
    "the code in AWS does not match the uploaded zip",
    "The code digest that AWS computed is not the one of the zip: the object was exchanged, or somebody else deployed.",
    "Repeat the command, and let only one deployment run at a time.",
    ExitCode.CLOUD,
)
SERVICE = Failure(
    "LP428",
    "service",
    "AWS returned an internal error",
    "The fault is on AWS's side. Calls that are safe to repeat were repeated with growing pauses.",
    "Look at https://health.aws.amazon.com and repeat the command: it goes on where it stopped.",
    ExitCode.CLOUD,
)
NO_WAY_BACK = Failure(
    "LP429",
    "no-way-back",
    "there is no version to go back to",
    "A rollback without --to goes to the version that lambdapack recorded in the alias's description.",
    "Pass `--to VERSION`; `aws lambda list-versions-by-function --function-name NAME` lists the versions.",
    ExitCode.CLOUD,
)
IMAGE_FUNCTION = Failure(
    "LP430",
    "image-function",
    "the function is a container image",
    "AWS takes no zip for a function whose package type is Image.",
    "Deploy to a function that is made for zips, or make one with `--create --role ARN`.",
    ExitCode.CLOUD,
)
BAD_REPLY = Failure(
    "LP431",
    "bad-reply",
    "the reply is not from AWS",
    "A proxy, a captive portal or a wrong endpoint answered in the place of AWS, or the reply was cut short.",
    "Check HTTPS_PROXY, AWS_ENDPOINT_URL and `--endpoint-url`, and test them with `aws sts get-caller-identity`.",
    ExitCode.ENVIRONMENT,
)
NO_CONCURRENCY = Failure(
    "LP432",
    "no-concurrency",
    "the function's reserved concurrency is 0",
    "Lambda runs no version of a function with a reserved concurrency of 0, so the test event cannot be sent.",
    "Run `aws lambda delete-function-concurrency --function-name NAME`, or deploy without `--smoke`.",
    ExitCode.CLOUD,
)
OTHER_ARCHITECTURE = Failure(
    "LP433",
    "other-architecture",
    "the function has a different architecture than the update asked for",
    "AWS accepted the update and did not change the architecture, so the package's native code cannot load.",
    "Check it with `aws lambda get-function-configuration --function-name NAME --query Architectures`.",
    ExitCode.CLOUD,
)
PROVISIONED_FAILED = Failure(
    "LP434",
    "provisioned-failed",
    "the provisioned concurrency of the alias is not ready on the new version",
    "AWS could not prepare the environments; the alias serves the new version without them.",
    "Look at it with `aws lambda get-provisioned-concurrency-config --function-name NAME --qualifier ALIAS`.",
    ExitCode.CLOUD,
)
NOT_A_LAYER = Failure(
    "LP440",
    "not-a-layer",
    "the zip is not in layer form",
    "Lambda unpacks a layer at /opt and looks into /opt/nodejs, /opt/lib, /opt/bin and /opt/extensions alone.",
    "Make one with `lambdapack build --layer`, or name the project: `lambdapack publish-layer DIR --name NAME`.",
    ExitCode.USAGE,
)

CLOUD_FAILURES: tuple[Failure, ...] = (
    NO_CREDENTIALS,
    CREDENTIALS_EXPIRED,
    NO_REGION,
    BAD_PROFILE,
    UNREACHABLE,
    ACCESS_DENIED,
    THROTTLED,
    BUSY,
    CHANGED,
    EXISTS,
    NO_FUNCTION,
    NOT_THERE,
    TOO_LARGE,
    KMS,
    VPC,
    CODE_SIGNING,
    BUCKET,
    ROLE,
    UPDATE_FAILED,
    NOT_SETTLED,
    SMOKE_FAILED,
    REFUSED,
    OTHER_CODE,
    SERVICE,
    NO_WAY_BACK,
    IMAGE_FUNCTION,
    BAD_REPLY,
    NO_CONCURRENCY,
    OTHER_ARCHITECTURE,
    PROVISIONED_FAILED,
    NOT_A_LAYER,
)
"""In code order."""

AMBIGUOUS_FAILURES = (UNREACHABLE, SERVICE, BAD_REPLY)
"""Failures of a call that AWS may have executed nevertheless: its answer was lost or cannot be read."""
