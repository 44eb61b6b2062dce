"""The closed list of causes, with the failure or rule code of each and the commands that fix it."""

from collections.abc import Mapping

from lambdapack.errors.registry import FAILURES
from lambdapack.rules.registry import RULES

_CLEAN_INSTALL = "rm -rf node_modules && npm ci"
_NEVER_COPY = (
    "Never zip, copy or commit a node_modules of another machine (.gitignore, .dockerignore): `lambdapack build` "
    "installs in the Lambda image, and `lambdapack verify` in CI refuses a package that would not load."
)
_PIN_NODE = (
    "Pin the Node.js major everywhere (.nvmrc, CI, runtime) and put it into the key of every CI cache of "
    "node_modules; `lambdapack build` compiles for the runtime itself."
)
_LOCK = "Commit the lockfile and let CI run `lambdapack build`: its pre-flight names what the lockfile lacks."

REMEDIES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "wrong-cpu": (("{build}", "{npm_ci}", "{docker}"), _NEVER_COPY),
    "not-elf": (("{build}", "{npm_ci}", "{docker}"), _NEVER_COPY),
    "truncated": (
        ("{build}", _CLEAN_INSTALL, "git lfs pull"),
        (
            "Keep binaries out of git-lfs and behind no rewriting proxy; `lambdapack verify` sees a cut file "
            "before Lambda."
        ),
    ),
    "wrong-class": (("{build}", "{npm_ci}"), _NEVER_COPY),
    "bad-elf": (("{build}", "npm rebuild {package} --build-from-source"), _NEVER_COPY),
    "executable": (("{build}", "npm rebuild {package} --build-from-source"), "Start programs with child_process."),
    "musl": (
        ("{build}", "{npm_ci}", "{docker}"),
        "Install in an image with the C library of the place where it runs: Lambda has glibc, Alpine has musl.",
    ),
    "missing-library": (
        ("lambdapack verify .", "{build}", "{libraries}", "{docker}"),
        (
            "Put libraries that Lambda lacks into lib/ of the function or of a layer (both are in "
            "LD_LIBRARY_PATH), or choose a package that brings its own; `lambdapack verify` names every missing "
            "one."
        ),
    ),
    "symbol-version": (
        ("{build}", "{docker}", "npm rebuild {package} --build-from-source"),
        "Build on the runtime's own Amazon Linux, not on a newer system; `lambdapack verify` compares every version.",
    ),
    "undefined-symbol": (("{build}", "npm rebuild {package} --build-from-source"), _PIN_NODE),
    "node-abi": (
        ("{build}", "npm rebuild {package}", _CLEAN_INSTALL, "npm rebuild {package} --build-from-source"),
        _PIN_NODE,
    ),
    "electron-abi": (
        ("{build}", _CLEAN_INSTALL, "npx @electron/rebuild --force --only {package}"),
        (
            "Keep Electron's node_modules and the function's apart: electron-rebuild leaves files that only "
            "Electron loads, and `npm rebuild` leaves files that Electron does not."
        ),
    ),
    "not-an-addon": (("{build}", "npm rebuild {package} --build-from-source", _CLEAN_INSTALL), _PIN_NODE),
    "node-api-level": (
        ("lambdapack build --runtime {newer}{arch}", "npm view {package} versions --json", "lambdapack verify ."),
        "Let `lambdapack verify` compare the declared Node-API with the runtime's: node itself just crashes.",
    ),
    "static-tls": (
        ("{build}", "npm install {package}@latest"),
        "Load the library first (LD_PRELOAD in the function's environment), or use a build without initial-exec TLS.",
    ),
    "relocations": (("{build}", "npm rebuild {package} --build-from-source"), "Build on the runtime's own system."),
    "no-exec-bit": (
        ("{build}", "chmod 755 {path}"),
        "Zip with `lambdapack build` and name such files in `executable = [...]`: zips made on Windows have no modes.",
    ),
    "missing-interpreter": (("{build}", "{docker}"), _NEVER_COPY),
    "cpu-level": (
        ("{build}", "npm rebuild {package} --build-from-source"),
        "Compile without -march=native: Lambda promises x86-64-v3 at most and Graviton2.",
    ),
    "platform-package-missing": (
        (
            "{npm_ci}",
            "{build}",
            "npx npm@11 install --package-lock-only",
            "rm -rf node_modules package-lock.json && npx npm@11 install",
        ),
        _LOCK + " npm before 11.3 drops platform packages of other systems when node_modules is there (npm/cli#4828).",
    ),
    "prebuild-missing": (
        ("{build}", "npm rebuild {package} --build-from-source", "npm view {package} versions"),
        (
            "Let install scripts run in the image where the function will run; where downloads are blocked, "
            "`lambdapack build` compiles there."
        ),
    ),
    "scripts-skipped": (
        (
            "npm pkg set 'allowScripts[{package}]=true' --json && npm ci",
            "{build}",
            "npm rebuild {package} --ignore-scripts=false",
        ),
        (
            "List the packages that need their install script in `allowScripts` (npm 12), `onlyBuiltDependencies` "
            "(pnpm) or `dependenciesMeta` (yarn); `lambdapack build` names them before it installs."
        ),
    ),
    "toolchain-missing": (
        ("{build}", "{docker}", "{tools}"),
        (
            "Build in an image with a toolchain (`lambdapack build` takes one when the lockfile asks for it), or "
            "choose versions with prebuilt binaries."
        ),
    ),
    "compile-error": (
        ("{build}", "npm install {package}@latest", "npm view {package} engines"),
        "Choose versions that have a prebuilt binary for this Node.js; old addons do not compile with new V8 headers.",
    ),
    "emulator": (
        (
            "docker run --privileged --rm tonistiigi/binfmt --install all",
            "{build}",
            "docker buildx build --platform linux/amd64,linux/arm64 .",
        ),
        (
            "Emulate as little as possible: `lambdapack build` runs npm on the own CPU when no package needs a "
            "script, and `[engine.hosts]` names a machine of the other CPU."
        ),
    ),
    "missing-package": (
        ("npm install {package}", "{build}", "{layer}"),
        "Pack with `lambdapack build`: it installs `dependencies` and refuses a package whose dependency is not in it.",
    ),
    "handler": (
        ("{build}", "lambdapack verify . --handler {handler}"),
        (
            "Zip the files themselves, not the directory around them; `lambdapack verify --load` imports the "
            "handler in the runtime's image."
        ),
    ),
    "permissions": (
        ("{build}", "chmod -R u=rwX,go=rX ."),
        "Zip with `lambdapack build`: every file is readable for everybody, whatever the host's umask.",
    ),
    "too-big": (
        (
            "{build}",
            "lambdapack inspect .",
            "npm prune --omit=dev",
            "lambdapack build --layer",
            "du -sh node_modules/* | sort -h | tail",
        ),
        (
            "Ship `dependencies` only, without binaries for other systems: `lambdapack build` prunes them and says "
            "the size; above 50 MB a zip goes through S3, above 250 MB unpacked only a container image is left."
        ),
    ),
    "lock-out-of-step": (("npm install --package-lock-only && git add package-lock.json", "{build}"), _LOCK),
    "api-conflict": (
        ("aws lambda wait function-updated-v2 --function-name {function}",),
        "Wait after each update before the next call, and let one pipeline at a time deploy a function.",
    ),
    "out-of-memory": (
        ("LAMBDAPACK_MEMORY=8g {build}", "JOBS=1 npm ci", "NODE_OPTIONS=--max-old-space-size=4096 npm ci"),
        "Give the build, or the function (`aws lambda update-function-configuration --memory-size`), more memory.",
    ),
}

LOCAL_REMEDIES: Mapping[str, tuple[str, ...]] = {
    "wrong-cpu": ("{native}", _CLEAN_INSTALL, "npm rebuild {package}"),
    "not-elf": (_CLEAN_INSTALL, "npm rebuild {package}"),
    "missing-library": ("{libraries}", "npm rebuild {package}"),
    "platform-package-missing": ("rm -rf node_modules package-lock.json && npx npm@11 install",),
}
"""On somebody's own machine, macOS or Windows, a clean install there is the plain cure; ours makes the package."""

ALPINE_REMEDIES: Mapping[str, tuple[str, ...]] = {
    "musl": (
        "apk add --no-cache python3 make g++ && npm rebuild {package} --build-from-source",
        "apk add --no-cache libc6-compat",
    ),
    "missing-library": (
        "{libraries}",
        "apk add --no-cache python3 make g++ && npm rebuild {package} --build-from-source",
    ),
}
"""Where Alpine itself is the place: compile for musl there, or take an image on Debian."""

REPLACEABLE_CAUSES = frozenset((
    "not-elf", "node-abi", "electron-abi", "undefined-symbol", "not-an-addon", "prebuild-missing", "compile-error",
    "toolchain-missing", "symbol-version", "missing-library",
))  # fmt: skip
"""Causes that another package in its place would end."""


_RECORD_BY_CAUSE: Mapping[str, str] = {
    "not-elf": "not-elf",
    "truncated": "truncated",
    "wrong-class": "wrong-class",
    "wrong-cpu": "wrong-cpu",
    "bad-elf": "bad-elf",
    "executable": "executable",
    "musl": "musl",
    "missing-library": "missing-library",
    "symbol-version": "symbol-version",
    "undefined-symbol": "undefined-symbol",
    "node-abi": "node-abi",
    "electron-abi": "electron-abi",
    "not-an-addon": "not-an-addon",
    "node-api-level": "node-api-level",
    "static-tls": "static-tls",
    "relocations": "relocations",
    "no-exec-bit": "no-exec-bit",
    "missing-interpreter": "missing-interpreter",
    "cpu-level": "cpu-level",
    "platform-package-missing": "platform-package-missing",
    "prebuild-missing": "missing-addon",
    "scripts-skipped": "scripts-skipped",
    "toolchain-missing": "no-toolchain",
    "compile-error": "compile-failed",
    "emulator": "crashed",
    "missing-package": "dependency-missing",
    "handler": "handler-missing",
    "permissions": "not-readable",
    "too-big": "too-big",
    "lock-out-of-step": "lock-out-of-step",
    "api-conflict": "busy",
    "out-of-memory": "out-of-memory",
}

_CODE_BY_RECORD = {
    **{failure.name: failure.code for failure in FAILURES},
    **{rule.name: rule.code for rule in RULES},
}

CAUSE_CODES: Mapping[str, str] = {cause: _CODE_BY_RECORD[name] for cause, name in _RECORD_BY_CAUSE.items()}
"""Name of the cause to the code of its record; the schema lambdapack/diagnosis/1 knows these names and no others."""


def code_of_cause(cause: str, record: str = "") -> str:
    """Return the code of the record about a cause; `record` names one that says more. KeyError for neither."""
    return _CODE_BY_RECORD[record] if record else CAUSE_CODES[cause]
