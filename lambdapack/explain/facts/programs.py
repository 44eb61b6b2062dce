"""How node, shells and the kernel say that a program could not be started."""

from lambdapack.explain.facts.nouns import FactKind
from lambdapack.explain.nouns import MessagePattern
from lambdapack.messages import NAME, Rank

_PROGRAM = r"(?:[A-Za-z]:)?[^\s'\"`:,]{1,200}"
_WORD = r"[A-Za-z0-9_./@+-]{1,200}"

PATTERNS: tuple[MessagePattern, ...] = (
    MessagePattern(
        "node",
        "Error: spawn gm ENOENT",
        rf"\bspawn(?:Sync)? (?P<program>{_PROGRAM}) (?P<code>E[A-Z]+|UNKNOWN)\b"
        rf"|\bspawn(?:Sync)?(?: (?P<program2>{_PROGRAM}))? Unknown system error (?P<code2>-86|-8)",
        ("spawn",),
        FactKind.PROGRAM_REFUSED,
        Rank.ROOT,
    ),
    MessagePattern(
        "node",
        "Error: spawn ENOEXEC",
        r"\bspawn (?P<code>ENOEXEC|EBADARCH|E2BIG)\b|\bspawn Unknown system error (?P<code2>-86|-8)\b"
        r"|(?P<code3>EBADARCH)\b|Bad CPU type in executable|[Bb]ad CPU type in executable",
        ("spawn", "EBADARCH", "CPU"),
        FactKind.PROGRAM_REFUSED,
    ),
    MessagePattern(
        "node",
        "{ errno: -2, code: 'ENOENT', syscall: 'spawn gm', path: 'gm' }",
        rf"(?:code: ?['\"](?P<code>E[A-Z]+)['\"][\s\S]{{0,60}}?)?syscall['\"]?: ?['\"]spawn(?:Sync)? "
        rf"(?P<program>{_PROGRAM})['\"]",
        ("syscall",),
        FactKind.PROGRAM_REFUSED,
        Rank.SYMPTOM,
    ),
    MessagePattern(
        "sh",
        "/bin/sh: line 1: ffmpeg: command not found",
        rf"(?:^|[\s'\"])(?:/\S*/)?(?:(?:ba|da|a|z|k)?|[\w-]+\.)sh: (?:(?:line )?\d+: )?(?:exec: "
        rf")?(?P<program>{_WORD}): "
        r"(?P<said>(?:command )?not found|No such file or directory|[Pp]ermission denied|cannot execute[^\n]*)"
        rf"|zsh:(?:\d+:)? command not found: (?P<program2>{_WORD})"
        rf"|(?:^|\n)\W{{0,4}}(?P<program3>{_WORD}): (?P<said3>command not found)",
        (
            "sh:",
            "command",
        ),
        FactKind.PROGRAM_REFUSED,
    ),
    MessagePattern(
        "cmd.exe",
        "'gm' is not recognized as an internal or external command",
        r"['\"\u2018]?(?P<program>[\w./\\+-]{1,80}?)['\"\u2019]? is not recognized as (?:an internal or external "
        r"command|the name of a cmdlet)",
        ("recognized",),
        FactKind.PROGRAM_REFUSED,
    ),
    MessagePattern(
        "env",
        "/usr/bin/env: 'python3': No such file or directory",
        r"FileNotFoundError: \[Errno 2\] No such file or directory: '(?P<program>[\w.-]+)'"
        r"|\benv: ['\"\u2018]?(?P<interpreter>[^'\"\u2019\n:]{1,80})['\"\u2019]?: No such file or directory"
        rf"|(?P<file>{_WORD}): (?P<interpreter2>/\S+): bad interpreter: (?P<said>No such file|Permission denied)",
        ("env:", "interpreter:", "FileNotFoundError:"),
        FactKind.PROGRAM_REFUSED,
        Rank.ROOT,
    ),
    MessagePattern(
        "Lambda, docker, Go",
        "fork/exec /opt/extensions/agent: exec format error",
        r"(?:fork/exec|exec:?) \"?(?P<program>[^\s\":]{1,200})\"?: (?P<said>exec format error|permission denied|no "
        r"such "
        r"file or directory|executable file not found in \$PATH)",
        ("exec",),
        FactKind.PROGRAM_REFUSED,
        Rank.ROOT,
    ),
    MessagePattern(
        "a wrapper",
        "Could not execute GraphicsMagick/ImageMagick: this most likely means the gm/convert binaries can't be found",
        r"[Cc]ould not execute (?P<program>GraphicsMagick/ImageMagick)[\s\S]{0,400}?can't be found"
        r"|(?P<program2>[Ff]fmpeg|[Ff]fprobe|[Yy]t-dlp|[Yy]outube-dl|[Ee]xif[Tt]ool|[Gg]hostscript|[Ii]mage[Mm]agick"
        r"|[Gg]raphics[Mm]agick|LibreOffice|soffice|[Cc]hrom(?:e|ium)|pdftotext|pdfinfo|pdftoppm|pandoc|git|docker"
        r"|esbuild|java|Docker)(?: binary| executable| path)? (?:is |was |could )?not (?:be )?(?:found|installed"
        r"|located)"
        r"|(?:[Cc]annot|[Cc]an't|[Cc]ould ?n[o']t|[Uu]nable to) (?:find|locate) (?:the )?(?:program |binary "
        r"|executable )?"
        r"(?P<program3>ffmpeg|ffprobe|yt-dlp|exiftool|gs|gm|esbuild|docker|git|java|soffice|chromium|pandoc)\b"
        r"(?!/)|(?P<program4>esbuild|Docker) must be installed",
        (
            "ImageMagick",
            "not",
            "find",
            "locate",
            "must",
        ),
        FactKind.PROGRAM_REFUSED,
    ),
    MessagePattern(
        "yarn, pnpm, CDK",
        'error Command "esbuild" not found.',
        r"[Cc]ommand ['\"](?P<program>esbuild|tsc|tsup|rollup|vite|webpack|husky|patch-package|prisma|ncc|nx|turbo"
        r"|lerna"
        r"|ts-node|tsx|rimraf|cross-env|nest|next|sst|cdk|serverless|sls|swc|babel|electron-builder|electron-rebuild"
        r"|node-gyp|prebuild-install|zip|docker)['\"] (?P<said>not found)"
        r"|\b(?P<program2>[\w./-]{1,80}) exited with (?:status|code) (?P<status>126|127)\b",
        ("not", "exited"),
        FactKind.PROGRAM_REFUSED,
    ),
    MessagePattern(
        "puppeteer, playwright",
        "Error: Could not find Chrome (ver. 121.0.6167.85).",
        r"Could not find (?P<program>Chrome|Chromium|Firefox)(?: \(ver|\. )|Executable doesn't exist at (?P<file>\S+)"
        r"|Browser was not found at the configured executablePath \((?P<file2>[^)\n]+)\)"
        r"|The input directory \W?(?P<file3>\S*?@sparticuz/chromium\S*?)\W? does not exist",
        (
            "Could",
            "Executable",
            "Browser",
            "directory",
        ),
        FactKind.PROGRAM_REFUSED,
        Rank.ROOT,
    ),
    MessagePattern(
        "the kernel",
        "cannot execute binary file: Exec format error",
        r"(?:(?P<program>[^\s:'\"]+): )?cannot execute(?: binary file)?: (?P<said>[Ee]xec format error)"
        r"|(?P<program2>[^\s:'\"]+): (?P<said2>Exec format error)|^(?P<said3>exec format error)"
        r"|(?P<image>standard_init_linux|exec user process caused|OCI runtime)[^\n]*(?P<said4>exec format error)"
        r"|OSError: \[Errno 8\] (?P<said5>Exec format error)(?:: '(?P<program3>[^'\n]+)')?",
        ("format",),
        FactKind.PROGRAM_REFUSED,
    ),
    MessagePattern(
        "npm",
        "> backend@2.2.0 prepare\n> husky install\n\nsh: 1: husky: not found",
        rf"^\W*(?:npm notice run )?(?P<package>{NAME})@\S+ (?P<script>(?:pre|post)?(?:install|prepare|prepublish\w*"
        r"|build|deploy))\b"
        r"[^\n]*\n(?:\W*\n)?(?!\W*\S*(?:node-gyp|prebuild|node-pre-gyp|cmake-js)\b)[^\n]{1,300}\n"
        rf"(?:(?![^\n]*@\d)[^\n]*\n){{0,6}}?[^\n]*?(?:sh: (?:(?:line )?\d+: )?(?P<program>{_WORD}): (?:command )?not "
        r"found|['\"](?P<program2>[\w.-]+)['\"] is not recognized)",
        ("found", "recognized"),
        FactKind.ROOT_SCRIPT,
        Rank.ROOT,
    ),
    MessagePattern(
        "npm",
        "code 127\npath /app\ncommand failed\ncommand sh -c husky install",
        r"code (?P<status>126|127)\s+(?:npm \w+!? )?path (?P<path>\S+)\s+(?:npm \w+!? )?command failed\s+"
        r"(?:npm \w+!? )?command (?:/bin/)?(?:sh|bash|cmd) -c (?P<program>[^\s/]+)",
        ("command",),
        FactKind.ROOT_SCRIPT,
    ),
    MessagePattern(
        "pnpm, yarn",
        ". prepare$ husky install\n. prepare: sh: 1: husky: not found",
        rf"(?:^|\s)\S* ?(?P<script>(?:pre|post)?(?:install|prepare|build)): (?:sh|/bin/sh): (?:(?:line )?\d+: )?"
        rf"(?P<program>{_WORD}): (?:command )?not found"
        rf"|YN0000: [^\n]*? STDERR [^\n]*?command not found: (?P<program2>{_WORD})"
        rf"|command not found: (?P<program3>{_WORD})(?=[\s\S]{{0,200}}YN0009)",
        ("found",),
        FactKind.ROOT_SCRIPT,
        Rank.ROOT,
    ),
)
