"""Reads where a text is from: system, CPU, Node.js, who speaks, which commands ran, for whom the cure is."""

import re

from lambdapack.explain.facts.nouns import RanCommand, Reader, TextFacts
from lambdapack.explain.text import shorten_runs
from lambdapack.model import Architecture
from lambdapack.runtimes.versions import electron_majors, node_major_of_abi

_LAMBDA_MENTION = r"/var/task|/var/runtime|/opt/nodejs|\bRequestId:|\bRuntime\.[A-Z]\w+|LAMBDA_|AWS::Lambda|:lambda:"
_RUNS_ON_LAMBDA = (
    r"/var/runtime|\bRequestId:|\bRuntime\.[A-Z]\w+|(?:at|-|imported from|Error:) [^\n]*(?:file://)?/var/task/|"
    r"[\"']?errorType[\"']?:"
)
_SYSTEM_PATTERNS = (
    ("win32", r"\b[A-Za-z]:\\|Win32 application|win32[-_]x64|Windows_NT|find VS\b|is not recognized as an internal"),
    ("darwin", r"/Users/|\bdlopen\([/~]|mach-o|\bDarwin \d|/opt/homebrew|zsh: |xcrun: "),
    ("alpine", r"[Aa]lpine|\bapk add\b|Error (?:loading shared library|relocating)"),
    ("rhel", r"\b(?:yum|dnf|microdnf) install\b|/home/ec2-user|amazonlinux|[Aa]mazon Linux"),
    ("debian", r"\bapt(?:-get)? install\b|[Uu]buntu|[Dd]ebian|bookworm|bullseye"),
)
_NODE_VERSION_PATTERNS = (
    r"\bnodejs(\d{2})\.x\b",
    r"\bNode\.js v(\d{1,2})\.\d+\.\d+",
    r"\bnode(?:@| -v v|=| v|/v)(\d{1,2})\.\d+\.\d+",
    r"\bnode v(\d{1,2})\.\d+",
    r"\bsam/build-nodejs(\d{2})\.x\b",
    r"\blambda/nodejs:(\d{2})\b",
)
_CPU_MENTION = (
    r"\barch=(arm64|x64)\b|\blinux[-/ ](arm64|x64|amd64|aarch64|x86_64)\b|--(?:cpu|arch)[= ](arm64|x64|x86_64)\b"
    r"|Architectures?\W{1,6}(arm64|x86_64)|--platform[= ]linux/(arm64|amd64)|\bLinux \S+ \S+ .*\b(aarch64|x86_64)\b"
)
_WORD = r"[^\s'\"`()]+"
_BINARY_MARK = re.compile(r"node_modules[/\\]|\.node\b")
"""What a path to a binary has: the CPU in it is what the file was made for, not the one that it met."""
_ARCHITECTURE_BY_NAME = {"arm64": Architecture.ARM64, "aarch64": Architecture.ARM64}

_SPEAKER_PATTERNS = (
    ("pnpm", r"\bERR_PNPM_|\bpnpm\b|node_modules/\.pnpm/"),
    ("yarn", r"\bYN\d{4}\b|\.pnp\.[cm]?js|\.yarn/(?:cache|unplugged|berry|releases)|yarn[/@ ]v?[234]\.|--immutable"),
    (
        "yarn-classic",
        (
            r"\byarn (?:install )?v1\.|\byarn run v1|yarnpkg\.com/en/docs|yarn-error\.log|An unexpected error occurred:"
            r" \"http"
        ),
    ),
    ("yarn-classic", r"with `--frozen-lockfile`"),
    ("bun", r"\bbun (?:install|pm|add)\b|bun\.lockb?\b"),
    (
        "npm",
        r"\bnpm (?:ERR!|error|warn|WARN|ci|install|i|run|notice)\b|\bcode E[A-Z0-9]+\b|package-lock\.json|\bNpmCI\b",
    ),
    ("npm", r"^code \d+$|A complete log of this run|npm-cache/_logs|git --no-replace-objects|^command failed$"),
    ("yarn-classic", r"\byarn\b"),
    ("Python", r"No module named|Traceback \(most recent call|File \"[^\"\n]+\.py\""),
    ("Node.js", r"\bnode:internal|\bchild_process\b|\bCommand failed: |\bgenericNodeError|\bspawnargs\b"),
    ("esbuild", r"\[ERROR\]|\besbuild\b"),
    ("webpack", r"\bwebpack\b|Module not found: Error|Module parse failed|^ERROR in "),
    ("rollup", r"\b[Rr]ollup\b|\bvite\b"),
    ("ncc", r"\bncc\b"),
    ("SAM", r"\bsam (?:build|local|deploy)\b|\bNodejsNpm\w*Builder|Error: Build Failed|\.aws-sam\b"),
    ("CDK", r"\bcdk\b|cdk\.out|aws-cdk"),
    ("Serverless", r"\b[Ss]erverless\b|\bsls\b|\.serverless/"),
    ("SST", r"\bsst (?:deploy|dev|build)\b|\.sst/"),
    ("Terraform", r"\b[Tt]erraform\b|aws_lambda_function|operation error Lambda"),
    ("CloudFormation", r"AWS::Lambda::|HandlerErrorCode|CREATE_FAILED|UPDATE_FAILED"),
    ("Docker", r"\bDockerfile\b|\bdocker\b|#\d+ \d+\.\d+|did not complete successfully"),
    ("Prisma", r"\b[Pp]risma\b"),
    ("Electron", r"\b[Ee]lectron\b|app\.asar"),
)
_CI_MENTION = (
    r"##\[|::error|GITHUB_|/home/runner/|/builds/|/codebuild/|CODEBUILD|CI=true|/opt/atlassian|/home/circleci|"
    r"\bJenkins\b|/vercel/path0|\b[Gg]it[Ll]ab-runner|\bRun (?:npm|yarn|pnpm) "
)
_CONTAINER_MENTION = r"did not complete successfully|/bin/sh -c |^\s*(?:\[\d+/\d+\] )?RUN |buildx|docker build"
_MACHINE_MENTION = r"/Users/|/home/(?!runner|circleci|ec2-user|sbx_)\w|\b[A-Za-z]:\\"
_PATH_ROOTS = r"/var/task|/var/runtime|/opt/nodejs|/opt/\w+|/asset-input|/asset-output|cdk\.out|\.aws-sam|\.serverless|"
_PATH_ROOTS += r"node_modules/\.pnpm|\.yarn|\.pnp\.[cm]?js|app\.asar|/repo\b|/builds/"
_ERROR_CODE = (
    r"\b(?:Runtime\.[A-Z]\w+|ERR_[A-Z_]+|YN\d{4}|(?<=code )E[A-Z0-9_]{2,}|E(?:NOENT|ACCES|PERM|NOEXEC|ROFS|NOMEM|401"
    r"|403|404))\b"
)
_VERSION = r"\b(npm|pnpm|yarn|node|esbuild|webpack|node-gyp|prisma|sharp|electron)[@/ ]v?(\d+\.\d+(?:\.\d+)?)\b"

_COMMANDS = (
    r"(?:npm|pnpm|yarn|bun) (?:ci|install|i|add|rebuild|run|exec|update|workspaces|dlx|build|deploy)\b"
    r"|yarn(?=\s*$)|npx \S|lambdapack \w|sam (?:build|deploy|local)|cdk \w|sls \w|serverless \w|terraform \w|node \S"
)
_RAN_COMMAND = (
    rf"^(?:[^\n]{{0,80}}?[$#%>\u276f] ?|\+ |Run |(?:\[[^\]\n]+\] )?RUN (?:--\S+ )*|\W{{0,4}})"
    rf"(?P<command>(?:{_COMMANDS})[^\n`\"'|;]*)"
    rf"|/bin/sh -c (?P<shell>(?:{_COMMANDS})[^\n`\"']*?)(?=['\"\u201d`]|\n|$)"
)
_IMPLIED_COMMANDS = (
    (r"`npm ci` can only install|\bnpm ci can only install|:NpmCI\b|command can only install with", "npm ci"),
    (r":NpmInstall\b", "npm install"),
    (r"yarn was run with `--frozen-lockfile`", "yarn install --frozen-lockfile"),
    (r"\bYN0028\b|would have been modified by this install", "yarn install --immutable"),
    (r"Cannot install with [\"']?frozen-lockfile|ERR_PNPM_OUTDATED_LOCKFILE", "pnpm install --frozen-lockfile"),
    (r"\berror\[LP1[0-4]\d\]|\bLP1[0-4]\d: ", "lambdapack build"),
    (r"\berror\[LP(?:41[2-9]|42\d|430)\]", "lambdapack deploy"),
)
"""What a text shows by its words to have run, without showing the command."""


def read_facts(text: str, raw: str = "") -> TextFacts:
    """Return what a text tells about its place; nothing is guessed. `raw`: the same with its log markup."""
    shown, text = text, f"{shorten_runs(raw)}\n{text}" if raw and raw != text else text
    on_lambda = re.search(_LAMBDA_MENTION, text) is not None
    runs_on_lambda = re.search(_RUNS_ON_LAMBDA, text) is not None
    found = "" if runs_on_lambda else next((name for name, pattern in _SYSTEM_PATTERNS if re.search(pattern, text)), "")
    speakers = _read_speakers(text)
    managers = [name for name in speakers if name in {"npm", "pnpm", "yarn", "yarn-classic", "bun"}]
    named = re.search(_CPU_MENTION, re.sub(_WORD, _leave_out_binary, text))
    cpu = named[named.lastindex] if named and named.lastindex else ""
    system = "" if on_lambda and found in {"rhel", "debian"} else found
    return TextFacts(
        on_lambda=on_lambda,
        system=system,
        architecture=_ARCHITECTURE_BY_NAME.get(cpu, Architecture.X86_64) if cpu else None,
        node_major=_read_node_major(text),
        reader=_read_reader(text, speakers, runs_on_lambda=runs_on_lambda),
        manager=managers[0] if managers else "",
        speakers=speakers,
        codes=tuple(dict.fromkeys(re.findall(_ERROR_CODE, text)))[:6],
        versions=tuple(dict.fromkeys(f"{name} {number}" for name, number in re.findall(_VERSION, text)))[:6],
        paths=tuple(dict.fromkeys(re.findall(_PATH_ROOTS, text)))[:6],
        commands=_read_commands(shown),
        git_host=_read_git_host(text),
        is_manager_run=re.search(r"\bcode E[A-Z0-9]+\b|\bERR_PNPM_|\bYN\d{4}\b|\bELIFECYCLE\b", text) is not None,
    )


def _leave_out_binary(word: re.Match[str]) -> str:
    return "" if _BINARY_MARK.search(word[0]) else word[0]


def _read_speakers(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name, pattern in _SPEAKER_PATTERNS if re.search(pattern, text, re.MULTILINE)))


def _read_reader(text: str, speakers: tuple[str, ...], *, runs_on_lambda: bool) -> Reader:
    if "Electron" in speakers or _wants_electron(text):
        return Reader.ELECTRON
    if runs_on_lambda:
        return Reader.LAMBDA
    if re.search(_CI_MENTION, text):
        return Reader.CI
    if re.search(_CONTAINER_MENTION, text, re.MULTILINE):
        return Reader.CONTAINER
    return Reader.MACHINE if re.search(_MACHINE_MENTION, text) else Reader.UNKNOWN


def _wants_electron(text: str) -> bool:
    """Tell whether the program that complains is Electron: its own ABI number is the one that is required."""
    wanted = re.search(r"requires\s+NODE_MODULE_VERSION\s+(\d{1,6})\b", text)
    return wanted is not None and bool(electron_majors(int(wanted[1])))


def _read_node_major(text: str) -> int | None:
    wanted = re.search(r"requires\s+NODE_MODULE_VERSION\s+(\d{1,6})\b", text)
    if wanted and (major := node_major_of_abi(int(wanted[1]))):
        return major
    return next((int(found[1]) for pattern in _NODE_VERSION_PATTERNS if (found := re.search(pattern, text))), None)


def _read_git_host(text: str) -> str:
    found = re.search(
        r"(?:(?:git\+)?(?:ssh|https?|git)://(?:[\w.-]+@)?|\bgit@)(?P<host>[\w-]+(?:\.[\w-]+)+)[:/]\S*?\.git\b", text
    )
    found = found or re.search(
        r"(?:ssh|git\+ssh)://(?:[\w.-]+@)?(?P<host>[\w-]+(?:\.[\w-]+)+)|git@(?P<host2>[\w.-]+):", text
    )
    return next((host for host in found.groups() if host), "") if found else ""


def _read_commands(text: str) -> tuple[RanCommand, ...]:
    shown = [
        RanCommand(" ".join((found["command"] or found["shell"]).split()), found.start())
        for found in re.finditer(_RAN_COMMAND, text, re.MULTILINE)
    ]
    implied = [
        RanCommand(command, found.start())
        for pattern, command in _IMPLIED_COMMANDS
        if (found := re.search(pattern, text))
        and not any(ran.command.split()[0] == command.split()[0] for ran in shown)
    ]
    return tuple(sorted((*shown, *implied), key=lambda ran: ran.at))


def render_facts(facts: TextFacts) -> tuple[str, ...]:
    """Return the facts that were read, as short phrases for people."""
    speakers = [name for name in facts.speakers if name != facts.manager]
    parts = (
        f"from {facts.reader.value}" if facts.reader.value else "",
        f"package manager: {facts.manager}" if facts.manager else "",
        f"tools: {', '.join(speakers)}" if speakers else "",
        f"error codes: {', '.join(facts.codes)}" if facts.codes else "",
        f"system: {facts.system}" if facts.system else "",
        f"CPU: {facts.architecture.aws}" if facts.architecture else "",
        f"Node.js {facts.node_major}" if facts.node_major else "",
        f"versions: {', '.join(facts.versions)}" if facts.versions else "",
        f"paths: {', '.join(facts.paths)}" if facts.paths else "",
        f"command: {facts.commands[-1].command}" if facts.commands else "",
    )
    return tuple(part for part in parts if part)
