"""The rule records of modules that the function loads and node cannot. Contains no check."""

from lambdapack.messages import NAME, Message, Rank, Remedy
from lambdapack.model import Rule, Severity

MODULE_MISSING = Rule(
    "LP340",
    "module-missing",
    "the function loads a module that is not in the package",
    "node prints `Cannot find module 'NAME'` or `Cannot find package 'NAME' imported from FILE`, and Lambda logs "
    "Runtime.ImportModuleError.",
    "Add it to dependencies with `npm install NAME`, then run `lambdapack build`.",
    Severity.ERROR,
    cause="missing-package",
    remedy=Remedy(
        ("npm install {package}", "{build}"),
        "Pack with `lambdapack build`: it follows what the handler loads and refuses a package that lacks some of it.",
    ),
)

SDK_V2_MISSING = Rule(
    "LP341",
    "aws-sdk-v2",
    "the function loads aws-sdk v2, which the runtime no longer has",
    "nodejs16.x was the last runtime with aws-sdk v2; from nodejs18.x on only @aws-sdk/* (v3) is there.",
    "Replace it by the v3 client (`@aws-sdk/client-NAME`, which the runtime has), or run `npm install aws-sdk`.",
    Severity.ERROR,
)

WRONG_LETTER_CASE = Rule(
    "LP342",
    "wrong-letter-case",
    "a module is loaded under a name in other letter case",
    "Lambda's file system is case-sensitive, unlike that of macOS and Windows, and node finds nothing.",
    "Write the name as the file has it.",
    Severity.ERROR,
)

IMPORT_WITHOUT_EXTENSION = Rule(
    "LP343",
    "import-without-extension",
    "an ES module imports a file without its extension",
    "Unlike require(), `import` adds no extension and no index.js: node prints `ERR_MODULE_NOT_FOUND` or "
    "`ERR_UNSUPPORTED_DIR_IMPORT`.",
    "Write the whole file name: `import './lib/db.js'`.",
    Severity.ERROR,
)

REFUSED_MANIFEST = Rule(
    "LP344",
    "refused-manifest",
    "a package.json is not valid JSON",
    "node refuses it wherever it looks a module up: it prints `ERR_INVALID_PACKAGE_CONFIG`.",
    "Correct the file, or install the package again: `rm -rf node_modules && npm ci`.",
    Severity.ERROR,
    messages=(
        Message(
            "node",
            "Error: Invalid package config /var/task/node_modules/a/package.json.",
            r"Invalid package config (?P<file>\S+package\.json)",
            ("Invalid",),
            "{file} is not valid JSON",
            rank=Rank.ROOT,
        ),
    ),
    cause="missing-package",
    remedy=Remedy(
        ("rm -rf node_modules && npm ci", "{build}"),
        "Pack with `lambdapack build`: it reads every package.json that node reads.",
    ),
)

SUBPATH_NOT_EXPORTED = Rule(
    "LP345",
    "subpath-not-exported",
    "the function loads a path that a package does not export",
    "The package's `exports` has no such entry for this kind of import: node prints "
    "`ERR_PACKAGE_PATH_NOT_EXPORTED` or `ERR_PACKAGE_IMPORT_NOT_DEFINED`.",
    "Load a path that the package exports, or install the version that exported it.",
    Severity.ERROR,
    messages=(
        Message(
            "node",
            "Error [ERR_PACKAGE_PATH_NOT_EXPORTED]: Package subpath './lib/x' is not defined by \"exports\" in "
            "/var/task/node_modules/a/package.json",
            rf"(?:Package subpath '(?P<subpath>[^'\n]+)' is not defined by \"exports\"|No \"exports\" main defined)"
            rf" in \S*?/node_modules/(?P<package>{NAME})/package\.json",
            ("exports",),
            "{package} does not export {subpath}",
            rank=Rank.ROOT,
        ),
    ),
    cause="module-system",
    remedy=Remedy(
        ("npm install {package}@latest", "{build}"),
        "Load only what a package's `exports` names.",
    ),
)

REQUIRES_MODULE = Rule(
    "LP346",
    "requires-es-module",
    "require() is given an ES module",
    "This runtime starts node without require(esm): node prints `ERR_REQUIRE_ESM`.",
    "Load it with `await import('NAME')`, make the function an ES module, or use a version of the package that is "
    "CommonJS.",
    Severity.ERROR,
)

ADDON_BUNDLED = Rule(
    "LP347",
    "addon-bundled",
    "a bundle contains the loader of a native addon without the addon",
    "The loader searches beside the bundle, where the package's files are not, and throws when it is loaded.",
    "Mark the package as external (`--external:NAME`), and ship it in node_modules.",
    Severity.ERROR,
)

GRAPH_INCOMPLETE = Rule(
    "LP348",
    "graph-incomplete",
    "the modules that the function loads were not all read",
    "A module that is missing beyond this bound is not reported.",
    "Prove it instead: `lambdapack verify --load` imports the handler in the runtime's image.",
    Severity.WARNING,
)

MODULE_RULES: tuple[Rule, ...] = (
    MODULE_MISSING,
    SDK_V2_MISSING,
    WRONG_LETTER_CASE,
    IMPORT_WITHOUT_EXTENSION,
    REFUSED_MANIFEST,
    SUBPATH_NOT_EXPORTED,
    REQUIRES_MODULE,
    ADDON_BUNDLED,
    GRAPH_INCOMPLETE,
)
"""In code order."""
