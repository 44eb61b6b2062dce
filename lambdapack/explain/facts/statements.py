"""How programs say that a module is absent, in the wrong module system, bundled away or not accessible."""

from lambdapack.explain.facts.nouns import FactKind
from lambdapack.explain.nouns import MessagePattern
from lambdapack.messages import NAME, QUOTED, Rank

_QUOTE = r"['\"`\u2018\u2019\u201c\u201d]"
_SPECIFIER = r"(?P<module>[^'\"`\u2018\u2019\u201c\u201d\n]{1,200})"
_STACK = r"(?:[^\n]*\n?\s*,?\"?\s*Require stack:(?P<stack>(?:\s*[\",]*\s*- [^\n]+){1,40}))?"
_PLACE = r"[^\s'\"()]+"

PATTERNS: tuple[MessagePattern, ...] = (
    MessagePattern(
        "node",
        "Cannot find module 'x'\nRequire stack:\n- /var/task/index.js",
        rf"Cannot find (?:module|package) ['\"`]{_SPECIFIER}['\"`]"
        r"(?! or its corresponding| imported| from)"
        rf"{_STACK}",
        ("Cannot",),
        FactKind.MODULE_ABSENT,
        Rank.SYMPTOM,
    ),
    MessagePattern(
        "node",
        "Cannot find package 'x' imported from /var/task/index.mjs",
        rf"Cannot find (?:package|module) {QUOTED.format('module')} imported from (?P<by>[^\s\"']+)"
        r"(?P<hint>[\s\S]{0,40}?Did you mean to import [^\n]+)?",
        ("imported",),
        FactKind.MODULE_ABSENT,
    ),
    MessagePattern(
        "Bun, Deno, Jest",
        'error: Cannot find package "x" from "/app/index.ts"',
        rf"Cannot find (?:package|module) {QUOTED.format('module')} from {QUOTED.format('by')}",
        ("from",),
        FactKind.MODULE_ABSENT,
    ),
    MessagePattern(
        "esbuild",
        '\u2718 [ERROR] Could not resolve "x"\n\n    src/index.ts:3:21:',
        rf"Could not resolve {QUOTED.format('module')}(?:(?: from {QUOTED.format('by')})"
        r"|\W{1,12}(?P<by2>[\w@./\\-]+\.[cm]?[jt]sx?):\d+)?",
        ("resolve",),
        FactKind.MODULE_ABSENT,
    ),
    MessagePattern(
        "webpack",
        "Module not found: Error: Can't resolve 'x' in '/app/src'",
        rf"(?:ERROR in (?P<by>\S+)[^\n]*\n)?\W*Module not found: (?:Error: )?(?:Can't|Cannot) resolve (?:module "
        rf")?{QUOTED.format('module')}"
        rf"(?: in {QUOTED.format('directory')})?",
        ("resolve",),
        FactKind.MODULE_ABSENT,
    ),
    MessagePattern(
        "rollup, vite, parcel",
        '[vite]: Rollup failed to resolve import "x" from "/app/src/index.ts".',
        rf"[Ff]ailed to resolve (?:import |entry for package )?{QUOTED.format('module')}"
        rf"(?: from {QUOTED.format('by')})?"
        rf"|{QUOTED.format('module2')} is imported by \W?(?P<by2>[^\s,'\"]+)\W?, but could not be resolved"
        rf"|[Uu]nable to resolve (?:module |dependency )?{QUOTED.format('module3')}",
        ("resolve",),
        FactKind.MODULE_ABSENT,
    ),
    MessagePattern(
        "a framework",
        "Error: Please install pg package manually",
        rf"has not been found installed\. [^\n]{{0,40}}?npm install (?P<module4>{NAME})"
        rf"|Please install (?P<module>{NAME}) (?:package|module|driver)? ?manually"
        rf"|(?:the|The) (?:package|module|dependency) {QUOTED.format('module2')} (?:is|was) not (?:found|installed)"
        rf"|[Cc]ould not (?:find|load) (?:the )?(?:module|package|dependency) {QUOTED.format('module3')}",
        ("install", "not"),
        FactKind.MODULE_ABSENT,
    ),
    MessagePattern(
        "Lambda's runtime",
        "Runtime.ImportModuleError",
        r"\b(?P<code>Runtime\.ImportModuleError)\b",
        ("Runtime.ImportModuleError",),
        FactKind.MODULE_ABSENT,
        Rank.SYMPTOM,
    ),
    MessagePattern(
        "Yarn",
        "Your application tried to access x, but it isn't declared in your dependencies; this makes the require call "
        "ambiguous and unsound.",
        rf"(?:(?P<by>{NAME}|Your application)(?:@\S+)? tried to access (?P<module>{NAME})[^\n]{{0,60}}?,? but it isn't "
        r"(?:declared in (?:your|its) dependencies|provided by)"
        r"|[Qq]ualified path resolution failed|[Uu]nqualified path resolution failed"
        rf"|Required package: (?P<module2>{NAME})|The Yarn Plug'n'Play manifest forbids importing "
        rf"{QUOTED.format('module4')}"
        r"|The remote archive doesn't contain|UNDECLARED_DEPENDENCY|BUILTIN_NODE_RESOLUTION_FAILED)"
        r"(?:[\s\S]{0,200}?Required by: (?P<by2>[^\n]+))?",
        (
            "access",
            "resolution",
            "Required",
            "manifest",
            "archive",
            "UNDECLARED_DEPENDENCY",
            "BUILTIN_NODE_RESOLUTION_FAILED",
        ),
        FactKind.PLUG_N_PLAY,
        Rank.ROOT,
    ),
    MessagePattern(
        "node",
        "Error [ERR_REQUIRE_ESM]: require() of ES Module /app/node_modules/x/index.js from /app/a.js not supported.",
        rf"(?:\[?(?P<code>ERR_REQUIRE_ESM)\]?:? ?)?(?:require\(\) of ES Module|Must use import to load ES Module:) "
        rf"(?P<file>{_PLACE})(?: from (?P<by>{_PLACE}))?",
        ("require()", "Must"),
        FactKind.MODULE_FORMAT,
        Rank.ROOT,
    ),
    MessagePattern(
        "node",
        "Named export 'x' not found. The requested module 'y' is a CommonJS module, which may not support all "
        "module.exports as named exports.",
        rf"(?:Named export {QUOTED.format('name')} not found\. )?The requested module {QUOTED.format('module')} "
        rf"(?P<said>is a CommonJS module|does not provide an export named {QUOTED.format('name2')})",
        ("requested",),
        FactKind.MODULE_FORMAT,
    ),
    MessagePattern(
        "node",
        "SyntaxError: Cannot use import statement outside a module",
        r"Cannot use import statement outside a module|Cannot use 'import\.meta' outside a module"
        r"|SyntaxError: Unexpected (?:token|reserved word) '?(?:export|import)'?(?! in JSON)",
        ("outside", "Unexpected"),
        FactKind.MODULE_FORMAT,
    ),
    MessagePattern(
        "node",
        "ReferenceError: require is not defined in ES module scope, you can use import instead",
        r"(?P<name>require|exports|module|__dirname|__filename) is not defined in ES module scope"
        r"|ReferenceError: (?P<name2>require|exports|module) is not defined(?=[\s\S]{0,600}?\.mjs)",
        ("scope", "defined"),
        FactKind.MODULE_FORMAT,
        Rank.ROOT,
    ),
    MessagePattern(
        "node",
        'Error [ERR_PACKAGE_PATH_NOT_EXPORTED]: No "exports" main defined in /app/node_modules/x/package.json',
        rf"No \\?\"exports\\?\" main defined in (?P<file>{_PLACE})|Package subpath {QUOTED.format('subpath')} is not "
        rf"defined by \\?\"exports\\?\" in (?P<file2>{_PLACE})|\bERR_PACKAGE_PATH_NOT_EXPORTED\b"
        rf"|{QUOTED.format('subpath2')} is not exported under the conditions? [^\n]{{1,120}}? from package "
        rf"(?P<file3>{_PLACE})",
        (
            "defined",
            "subpath",
            "ERR_PACKAGE_PATH_NOT_EXPORTED",
            "exported",
        ),
        FactKind.MODULE_FORMAT,
    ),
    MessagePattern(
        "node",
        "Error [ERR_UNSUPPORTED_DIR_IMPORT]: Directory import '/app/lib' is not supported resolving ES modules "
        "imported from /app/a.js",
        rf"Directory import {QUOTED.format('module')} is not supported resolving ES modules(?: imported from "
        rf"(?P<by>{_PLACE}))?",
        ("Directory",),
        FactKind.MODULE_FORMAT,
    ),
    MessagePattern(
        "node",
        "require() cannot be used on an ESM graph with top-level await. Use import() instead.",
        r"require\(\) cannot be used on an ESM graph|\bERR_REQUIRE_(?:ESM|ASYNC_MODULE|CYCLE_MODULE)\b"
        r"|Cannot require\(\) ES Module (?P<file>\S+) in a cycle"
        r"|To load an ES module, set \\?\"type\\?\": \\?\"module\\?\""
        r"|ERR_UNKNOWN_FILE_EXTENSION\W+Unknown file extension \W?(?P<extension>\.\w+)\W? for (?P<file2>\S+)"
        r"|ERR_IMPORT_A(?:TTRIBUTE|SSERTION)\w*|needs an import (?:attribute|assertion) of",
        ("require()", "ERR_REQUIRE_", "load", "ERR_UNKNOWN_FILE_EXTENSION", "ERR_IMPORT_A", "import"),
        FactKind.MODULE_FORMAT,
        Rank.SYMPTOM,
    ),
    MessagePattern(
        "esbuild",
        'Error: Dynamic require of "fs" is not supported',
        rf"Dynamic require of \\?{QUOTED.format('module').replace('+)', '+?)', 1)}? is not supported",
        ("Dynamic",),
        FactKind.MODULE_FORMAT,
        Rank.ROOT,
    ),
    MessagePattern(
        "esbuild",
        'No loader is configured for ".node" files: node_modules/a/build/Release/a.node',
        r"No loader is configured for \\?[\"'](?P<extension>\.(?:node|wasm|dll|so))\\?[\"'] files: "
        rf"(?P<file>{_PLACE})",
        ("loader",),
        FactKind.ADDON_BUNDLED,
        Rank.ROOT,
    ),
    MessagePattern(
        "webpack",
        "Module parse failed: Unexpected character\n@ ./node_modules/a/build/Release/a.node",
        r"(?:Module parse failed: Unexpected character|You may need an (?:appropriate|additional) loader to handle"
        r"|Unexpected character '[^'\n]{1,8}'|Error parsing|[Uu]nexpected token in [^\n]*)(?:(?!Module parse failed)"
        rf"[\s\S]){{0,400}}?(?P<file>{_PLACE}\.node)\b"
        rf"|(?P<file2>{_PLACE}\.node)\b[^\n]{{0,40}}\n?(?:\s*)?(?:Module parse failed|Unexpected character)",
        (".node",),
        FactKind.ADDON_BUNDLED,
        Rank.ROOT,
    ),
    MessagePattern(
        "node-gyp-build",
        "No native build was found for platform=linux arch=x64 runtime=node abi=127 uv=1 libc=glibc node=22.1.0\n"
        "    loaded from: /var/task",
        r"No native build was found for [^\n]*\s+loaded from: (?P<file>(?:file://)?/(?:var/task|opt/nodejs)"
        r"(?!\S*node_modules)\S*)",
        ("native",),
        FactKind.ADDON_BUNDLED,
        Rank.ROOT,
    ),
    MessagePattern(
        "bindings",
        "Could not locate the bindings file. Tried:\n -> /var/task/build/a.node",
        r"Could not locate the bindings file[.\s]*Tried:\s*(?:\u2192|->) (?P<file>/(?:var/task|opt/nodejs)"
        r"(?!\S*node_modules)\S*\.node)",
        ("bindings",),
        FactKind.ADDON_BUNDLED,
        Rank.ROOT,
    ),
    MessagePattern(
        "node",
        "ENOENT: no such file or directory, open '/var/task/a.wasm'",
        r"(?P<code>ENOENT|EACCES|EROFS|EPERM)(?:: |, )(?:no such file or directory|permission denied|read-only file "
        r"system|operation not permitted)[,:]? ?(?:(?P<call>\w+) )?['\"](?P<file>[^'\"\n]+)"
        r"|OSError: \[Errno (?P<errno>30|13|2)\] [\w\x20-]+: ['\"](?P<file2>[^'\"\n]+)",
        ("NOENT", "ACCES", "ROFS", "PERM", "OSError:"),
        FactKind.FILE_REFUSED,
    ),
)
