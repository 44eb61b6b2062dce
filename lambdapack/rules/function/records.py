"""The rule records of the handler, with the sentences of the Lambda runtime. Contains no check."""

from lambdapack.messages import Certainty, Message, Rank, Remedy
from lambdapack.model import Rule, Severity

_CHECK_HANDLER = (
    "Zip the files themselves, not the directory around them; `lambdapack verify --load` imports the handler in the "
    "runtime's image."
)

HANDLER_MISSING = Rule(
    "LP301",
    "handler-missing",
    "the handler's file is not in the package",
    "Lambda logs `Runtime.ImportModuleError: Error: Cannot find module 'index'` or `Runtime.MalformedHandlerName`.",
    "Set the handler to FILE.EXPORT, with FILE as it is called from the package's root: `--handler src/app.handler`.",
    Severity.ERROR,
    messages=(
        Message(
            "Lambda's runtime",
            "Runtime.MalformedHandlerName: Bad handler",
            r"Runtime\.MalformedHandlerName|^\W*(?:Error: )?Bad handler\b|is not a valid handler name",
            ("Runtime.MalformedHandlerName", "handler"),
            "the handler's name is not FILE.EXPORT",
        ),
        Message(
            "Lambda's runtime",
            "entrypoint requires the handler name to be the first argument",
            r"entrypoint requires the handler name to be the first argument",
            ("entrypoint",),
            "the image was started without the handler's name",
        ),
        Message(
            "Lambda's runtime",
            "Unable to import module 'index'",
            r"Unable to import module '(?P<module>[^'\n]+)'(?!: No module named)",
            ("Unable",),
            "the handler's file {module} could not be imported",
            certainty=Certainty.LIKELY,
            rank=Rank.SYMPTOM,
        ),
    ),
    cause="handler",
    remedy=Remedy(
        ("{verify} --handler {handler}", "{build}"),
        _CHECK_HANDLER,
    ),
)

HANDLER_SHADOWED = Rule(
    "LP309",
    "handler-shadowed",
    "a directory has the handler's name and hides its file",
    "The runtime's client tries the bare name first, and node prints `Directory import "
    "'/var/task/index' is not supported resolving ES modules imported from /var/runtime/index.mjs`.",
    "Rename the file or the directory, and set the handler to the new name.",
    Severity.WARNING,
    messages=(
        Message(
            "node",
            "Directory import '/var/task/index' is not supported resolving ES modules imported from "
            "/var/runtime/index.mjs",
            r"Directory import '(?P<module>/var/task/[^'\n]+)' is not supported resolving ES modules imported from "
            r"/var/runtime/",
            ("Directory",),
            "the handler's name {module} is also the name of a directory, which hides the handler's file",
            rank=Rank.ROOT,
        ),
    ),
    cause="handler",
    remedy=Remedy(
        ("{verify} --handler {handler}", "{build}"),
        _CHECK_HANDLER,
    ),
)

NOT_EXPORTED = Rule(
    "LP323",
    "handler-not-exported",
    "the handler's file does not export the handler",
    "Lambda logs `Runtime.HandlerNotFound: index.NAME is undefined or not exported`.",
    "Export it (`exports.NAME = ...`, `export const NAME = ...`), or set the handler: `--handler FILE.EXPORT`.",
    Severity.WARNING,
    messages=(
        Message(
            "Lambda's runtime",
            "Runtime.HandlerNotFound: index.handler is undefined or not exported",
            r"(?P<handler>[\w./-]+\.\w+) is (?:undefined or not exported|not a function)"
            r"(?=[\s\S]{0,400}HandlerNotFound)"
            r"|HandlerNotFound\W+(?P<handler2>[\w./-]+\.\w+) is (?:undefined or not exported|not a function)",
            ("undefined", "function", "HandlerNotFound"),
            "the file is there, and does not export what {handler} names",
        ),
        Message(
            "Lambda's runtime",
            "index.handler is undefined or not exported",
            r"(?P<handler>[\w./-]+\.\w+) is undefined or not exported",
            ("undefined",),
            "the file is there, and does not export what {handler} names",
        ),
        Message(
            "Lambda's runtime",
            "Handler 'handler' missing on module 'index'",
            r"Handler '(?P<handler>[^'\n]+)' missing on module '(?P<module>[^'\n]+)'|\bRuntime\.HandlerNotFound\b",
            ("Handler",),
            "the module does not export {handler}",
        ),
    ),
    cause="handler",
    remedy=Remedy(
        ("{verify} --handler {handler}", "{build}"),
        _CHECK_HANDLER,
    ),
)

MODULE_AS_COMMONJS = Rule(
    "LP324",
    "module-as-commonjs",
    "the handler is an ES module that node loads as CommonJS",
    "Lambda logs `Runtime.UserCodeSyntaxError`, and node gives the reason above.",
    "Run `npm pkg set type=module`, or give the file the ending .mjs, and ship package.json.",
    Severity.ERROR,
    messages=(
        Message(
            "Lambda's runtime",
            '"errorType": "Runtime.UserCodeSyntaxError", "errorMessage": "SyntaxError: Unexpected token export"',
            r"Runtime\.UserCodeSyntaxError(?=[\s\S]{0,200}(?P<said>Cannot use import statement outside a module|"
            r"Unexpected token '?(?:export|import)'?|await is only valid[^\n\"]*))?",
            ("Runtime.UserCodeSyntaxError",),
            "node could not read the handler's file as a module: {said}",
            certainty=Certainty.LIKELY,
        ),
    ),
    cause="module-system",
    remedy=Remedy(
        ("npm pkg set type=module", "{build}"),
        _CHECK_HANDLER,
    ),
)

REQUIRED_FILE_MISSING = Rule(
    "LP326",
    "required-file-missing",
    "a file that the handler loads is not in the package",
    "node prints `Cannot find module './NAME'` and Lambda logs Runtime.ImportModuleError, or the call "
    "that needs the file fails.",
    "Put it into the package: `lambdapack build -v` says what is left out and why; a bundler has to copy .node files.",
    Severity.ERROR,
    cause="missing-package",
    remedy=Remedy(
        ("{build}", "{verify}"),
        "Read in `lambdapack build -v` which files are left out and why; a bundler has to copy what is not JavaScript.",
    ),
)

HANDLER_RULES: tuple[Rule, ...] = (
    HANDLER_MISSING,
    HANDLER_SHADOWED,
    NOT_EXPORTED,
    MODULE_AS_COMMONJS,
    REQUIRED_FILE_MISSING,
)
"""In code order."""
