"""How npm, pnpm, yarn, bun and git say that a registry, a repository, a protocol or a lockfile is refused."""

from lambdapack.explain.facts.nouns import FactKind
from lambdapack.explain.nouns import MessagePattern
from lambdapack.messages import NAME, Rank

_PROTOCOL = r"(?P<{}>workspace|catalog|link|portal|patch|exec|jsr|npm|file)"

PATTERNS: tuple[MessagePattern, ...] = (
    MessagePattern(
        "npm",
        "npm error code E401",
        r"^\W*(?:npm \w+!? )?code (?P<code>E401|E403|ENEEDAUTH|EOTP|EAUTHIP|E404)\b"
        rf"(?=(?:[\s\S]{{0,300}}?'?(?P<module>@[a-z0-9._~-]+/{NAME})(?:@[^'\s]*)?'? (?:is not in this|could not be))?)"
        rf"(?=(?:[\s\S]{{0,300}}?'(?P<module2>{NAME})(?:@[^'\s]*)?' is not in (?:this|the npm) registry)?)",
        ("code",),
        FactKind.REGISTRY_REFUSED,
        Rank.ROOT,
    ),
    MessagePattern(
        "npm",
        "404 Not Found - GET https://registry.example.com/@acme%2futils - Not found\n"
        "A complete log of this run can be found in",
        r"\b(?P<code>401|403|404) (?:Unauthorized|Forbidden|Not Found)(?: -)? (?:-|GET|PUT) [^\n]{0,40}?https?://"
        r"[^\s/]+/(?:[^\s@]*/)?(?P<module>(?:@[\w.-]+(?:/|%2[fF]))?[\w.-]+)",
        (
            "Unauthorized",
            "Forbidden",
            "Not",
        ),
        FactKind.REGISTRY_REFUSED,
    ),
    MessagePattern(
        "npm",
        "Unable to authenticate, your authentication token seems to be invalid.",
        r"your authentication token seems to be invalid|Incorrect or missing password|This command requires you to be "
        r"logged in|[Uu]nable to authenticate, need: |No auth(?:orization)? (?:header|token) (?:was )?(?:set|found)"
        r"[^\n]{0,40}(?:request|registry)?",
        (
            "token",
            "Incorrect",
            "logged",
            "authenticate,",
            "auth",
        ),
        FactKind.REGISTRY_REFUSED,
    ),
    MessagePattern(
        "pnpm",
        "ERR_PNPM_FETCH_401  GET https://registry.example.com/@acme%2Fui: Unauthorized - 401",
        r"\bERR_PNPM_FETCH_(?P<code>401|403|404)\b(?:[^\n]*?GET https?://[^\s/]+/(?:[^\s@:]*/)?"
        r"(?P<module>(?:@[\w.-]+(?:/|%2[fF]))?[\w.-]+):?)?",
        ("ERR_PNPM_FETCH_",),
        FactKind.REGISTRY_REFUSED,
        Rank.ROOT,
    ),
    MessagePattern(
        "Yarn",
        "\u27a4 YN0041: \u2502 @acme/ui@npm:^3.0.0: Invalid authentication (as an unknown user)",
        rf"\bYN0041\b[^\n]*?(?P<module>{NAME})@|Invalid authentication \(as "
        rf"|\bYN0035\b[^\n]*?(?P<module2>{NAME})@[^\n]*(?:[\s\S]{{0,200}}?Response Code\W+(?P<code>401|403|404))?"
        r"|Response Code\W{1,30}(?P<code2>401|403|404)\b[^\n]*(?:Unauthorized|Forbidden|Not Found)",
        (
            "YN0041",
            "Invalid",
            "YN0035",
            "Response",
        ),
        FactKind.REGISTRY_REFUSED,
        Rank.ROOT,
    ),
    MessagePattern(
        "Yarn 1",
        'error An unexpected error occurred: "https://registry.example.com/@acme%2fui: Request failed \\"401 '
        'Unauthorized\\"".\nyarn-error.log',
        r"(?P<url>https?://[^\s\"]+?): (?:Request failed \W*(?P<code>401|403|404)|(?P<code2>Not found))"
        r"|\b(?:GET|PUT) (?P<url2>https?://[^\s\"]+) - (?P<code3>401|403|404)\b"
        r"|(?P<url3>https?://[^\s\"]+?): (?:\w+: )?(?:unauthenticated|authentication required|permission_denied)"
        rf"|Couldn't find package \"(?P<module2>{NAME})\" (?:required by [^\n]+? )?on the \"npm\" registry",
        ("Request", "Not", "Couldn't", "GET", "PUT", "unauthenticated", "authentication", "permission_denied"),
        FactKind.REGISTRY_REFUSED,
        Rank.ROOT,
    ),
    MessagePattern(
        "npm, git",
        "npm ERR! syscall spawn git\nnpm ERR! enoent undefined ls-remote -h -t ssh://git@example.com/a.git",
        r"syscall spawn git\b|\bls-remote\b|[Cc]ouldn't find the binary git|\bgit: (?:command )?not found"
        r"|spawn git ENOENT|\b(?:An unknown git error|A git error) occurred|git --no-replace-objects"
        r"|code (?:128|EGIT\w*)\b[\s\S]{0,80}?git\b"
        r"|ERR_PNPM_(?:GIT_\w+|PREPARE_PKG_FAILURE|FETCH_GIT\w*)"
        r"|Failed (?:cloning the repository|listing refs)|YN0001[^\n]*git\b|\bgit (?:clone|fetch)\b[^\n]*(?:exit|fail)",
        (
            "syscall",
            "ls-remote",
            "binary",
            "git:",
            "spawn",
            "occurred",
            "--no-replace-objects",
            "code",
            "ERR_PNPM_",
            "Failed",
            "YN0001",
            "git",
        ),
        FactKind.GIT_REFUSED,
        Rank.ROOT,
    ),
    MessagePattern(
        "git, ssh",
        "code 128\nHost key verification failed.\nfatal: Could not read from remote repository.",
        r"(?P<said>Host key verification failed|Permission denied \(publickey|could not read Username for|"
        r"Authentication failed for|Repository not found|Could not read from remote repository|"
        r"The authenticity of host|no such identity)",
        (
            "Host",
            "(publickey",
            "Username",
            "Authentication",
            "Repository",
            "remote",
            "authenticity",
            "identity",
        ),
        FactKind.GIT_REFUSED,
    ),
    MessagePattern(
        "npm, yarn, pnpm",
        'error Couldn\'t find any versions for "@acme/shared" that matches "workspace:*"',
        rf"Couldn't find any versions for \"(?P<module>{NAME})\" that matches \"{_PROTOCOL.format('protocol')}:"
        rf"|Couldn't find package \"(?P<module2>{NAME})@{_PROTOCOL.format('protocol2')}:"
        rf"|Invalid (?:tag name|comparator|Version)\W+\"?(?:\S*@)?{_PROTOCOL.format('protocol3')}:"
        rf"|(?P<module4>{NAME})@{_PROTOCOL.format('protocol4')}:[^\n]{{0,200}}? isn't supported by any available "
        rf"resolver"
        rf"|No matching version found for (?P<module5>{NAME})@{_PROTOCOL.format('protocol5')}:"
        r"|ERR_PNPM_SPEC_NOT_SUPPORTED|EINVALIDTAGNAME|exotic protocols",
        (
            "versions",
            "package",
            "Invalid",
            "resolver",
            "matching",
            "ERR_PNPM_SPEC_NOT_SUPPORTED",
            "EINVALIDTAGNAME",
            "exotic",
        ),
        FactKind.PROTOCOL_REFUSED,
        Rank.ROOT,
    ),
    MessagePattern(
        "pnpm, Yarn",
        'ERR_PNPM_WORKSPACE_PKG_NOT_FOUND  In packages/api: "@acme/db@workspace:*" is in the dependencies but no '
        'package named "@acme/db" is present in the workspace',
        rf"no package named \"(?P<module>{NAME})\" is present in the workspace|ERR_PNPM_WORKSPACE_PKG_NOT_FOUND"
        rf"|(?P<module2>{NAME})@workspace:[^\s:]*: (?:Workspace not found|No candidates found)"
        r"|ERR_PNPM_NO_MATCHING_VERSION_INSIDE_WORKSPACE|ERR_PNPM_CATALOG_ENTRY_\w+",
        (
            "named",
            "ERR_PNPM_",
            "workspace:",
        ),
        FactKind.PROTOCOL_REFUSED,
        Rank.ROOT,
    ),
    MessagePattern(
        "corepack, yarn, pnpm",
        'error This project\'s package.json defines "packageManager": "yarn@4.1.0".',
        r"package\.json defines \\?\"packageManager\\?\": \\?\"(?P<wanted>\w+)@|This project is configured to use "
        r"(?P<wanted2>\w+)|ERR_PNPM_(?:OTHER_PM_EXPECTED|BAD_PM_VERSION)",
        (
            "defines",
            "configured",
            "ERR_PNPM_",
        ),
        FactKind.MANAGER_REFUSED,
        Rank.ROOT,
    ),
    MessagePattern(
        "pnpm, yarn, bun",
        'ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile" because pnpm-lock.yaml is not up to date',
        r"\b(?P<code>ERR_PNPM_(?:OUTDATED_LOCKFILE|NO_LOCKFILE|LOCKFILE_\w+|FROZEN_LOCKFILE\w*|BROKEN_LOCKFILE))\b"
        r"|Cannot install with \W?frozen-lockfile|Cannot proceed with the frozen installation"
        r"|(?:lock ?file|pnpm-lock\.yaml|yarn\.lock|package-lock\.json) (?:is|was) (?:not up to date|out of (?:date"
        r"|sync))"
        r"|[Tt]he lockfile would have been (?:modified|created) by this install"
        r"|doesn't seem to be present in your lockfile|lockfile had changes, but lockfile is frozen"
        r"|\b(?P<code2>YN0028)\b|[Ll]ock ?file needs to be updated|Lockfile mismatch|failed to parse lockfile"
        r"|Invalid: lock file's [^\n]+ does not satisfy",
        (
            "ERR_PNPM_",
            "frozen-lockfile",
            "proceed",
            "date",
            "sync",
            "lockfile",
            "seem",
            "YN0028",
            "needs",
            "mismatch",
            "parse",
            "Invalid:",
        ),
        FactKind.LOCK_REFUSED,
        Rank.ROOT,
    ),
)
