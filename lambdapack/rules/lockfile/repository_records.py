"""The rule records of repositories: workspaces, local packages and other package managers, LP170 to LP189."""

from lambdapack.model import Rule, Severity

LOCAL_DEPENDENCY_UNLOCKED = Rule(
    "LP170",
    "local-dependency-unlocked",
    "a package outside the repository has dependencies that no lockfile pins",
    "npm links a directory outside the project and installs nothing for it; on Lambda its "
    "modules find none of their own dependencies.",
    "Run `npm config set install-links true --location=project && npm install --package-lock-only`, which locks them, "
    "or `npm install --package-lock-only` in that directory, and commit the lockfile.",
    Severity.ERROR,
)
