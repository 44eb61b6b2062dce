"""The rule records of modules that the function loads and node cannot. Contains no check."""

from lambdapack.messages import Remedy
from lambdapack.model import Rule, Severity

MODULE_MISSING = Rule(
    "LP340",
    "module-missing",
    "the function loads a module that is not in the package",
    "node finds it nowhere when the function starts, and Lambda logs Runtime.ImportModuleError.",
    "Add it to dependencies with `npm install NAME`, then run `lambdapack build`.",
    Severity.ERROR,
    cause="missing-package",
)

SDK_V2_MISSING = Rule(
    "LP341",
    "aws-sdk-v2",
    "the function loads aws-sdk v2, which the runtime no longer has",
    "nodejs16.x was the last runtime with aws-sdk v2; from nodejs18.x on only @aws-sdk/* (v3) is there.",
    "Replace it by the v3 client (`@aws-sdk/client-NAME`, which the runtime has), or run `npm install aws-sdk`.",
    Severity.ERROR,
    cause="missing-package",
)

WRONG_LETTER_CASE = Rule(
    "LP342",
    "wrong-letter-case",
    "a module is loaded under a name in other letter case",
    "Lambda's file system is case-sensitive, unlike that of macOS and Windows, and node finds nothing.",
    "Write the name as the file has it.",
    Severity.ERROR,
    cause="missing-package",
)

IMPORT_WITHOUT_EXTENSION = Rule(
    "LP343",
    "import-without-extension",
    "an ES module imports a file without its extension",
    "Unlike require(), an import adds no extension and no index.js, and node finds no such module.",
    "Write the whole file name: `import './lib/db.js'`.",
    Severity.ERROR,
    cause="module-system",
)

REFUSED_MANIFEST = Rule(
    "LP344",
    "refused-manifest",
    "a package.json is not valid JSON",
    "node reads it wherever it looks a module up, and throws when it cannot be parsed.",
    "Correct the file, or install the package again: `rm -rf node_modules && npm ci`.",
    Severity.ERROR,
)

SUBPATH_NOT_EXPORTED = Rule(
    "LP345",
    "subpath-not-exported",
    "the function loads a path that a package does not export",
    "The exports of its package.json have no such entry for this kind of import, and node refuses every other path.",
    "Load a path that the package exports, or install the version that exported it.",
    Severity.ERROR,
    cause="module-system",
)

REQUIRES_MODULE = Rule(
    "LP346",
    "requires-es-module",
    "require() is given an ES module",
    "This runtime starts node without require(esm), and node refuses to load it that way.",
    "Load it with `await import('NAME')`, make the function an ES module, or use a version of the package that is "
    "CommonJS.",
    Severity.ERROR,
    cause="module-system",
    remedy=Remedy(
        ("npm pkg set type=module", "{build}"),
        'Keep to one module system: `import` throughout with "type": "module", or `require()` and packages that are '
        "CommonJS; `lambdapack verify` reports what the runtime's Node.js refuses.",
    ),
)

ADDON_BUNDLED = Rule(
    "LP347",
    "addon-bundled",
    "a bundle contains the loader of a native addon without the addon",
    "The loader searches beside the bundle, where the package's files are not, and throws when it is loaded.",
    "Mark the package as external (`--external:NAME`), and ship it in node_modules.",
    Severity.ERROR,
    cause="bundled-addon",
    remedy=Remedy(
        ("{build}", "{verify}"),
        "Name packages with addons as external to the bundler (`--external:NAME`, `externals`, `nodeModules` of CDK's "
        "bundling) and ship them in node_modules or a layer; `lambdapack verify` finds a loader without its addon.",
    ),
)

GRAPH_INCOMPLETE = Rule(
    "LP348",
    "graph-incomplete",
    "the modules that the function loads were not all read",
    "A module that is missing beyond this bound is not reported.",
    "Prove it instead: `lambdapack verify --load` imports the handler in the runtime's image.",
    Severity.WARNING,
)

OPTIONAL_MODULE_MISSING = Rule(
    "LP349",
    "optional-module-missing",
    "modules that are loaded only in some cases are not in the package",
    "A failure to load them is caught, or a branch or a call inside a package has to be entered first.",
    "Install them if the function needs these cases: `npm install NAME`.",
    Severity.NOTE,
    cause="missing-package",
)

MISSING_MODULE_RULES: tuple[Rule, ...] = (
    MODULE_MISSING,
    SDK_V2_MISSING,
    WRONG_LETTER_CASE,
    IMPORT_WITHOUT_EXTENSION,
    REFUSED_MANIFEST,
    SUBPATH_NOT_EXPORTED,
    REQUIRES_MODULE,
    GRAPH_INCOMPLETE,
    OPTIONAL_MODULE_MISSING,
)
"""Those of the graph alone, in code order."""
