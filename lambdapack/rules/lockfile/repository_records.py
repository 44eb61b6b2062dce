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

TWO_LOCKS = Rule(
    "LP171",
    "two-locks",
    "there are lockfiles of two package managers",
    "They pin different versions, and nothing says which of them was tested.",
    'Remove the one that is not used, or name the manager: `npm pkg set packageManager="pnpm@10.34.9"`.',
    Severity.ERROR,
)
LOCK_OF_ANOTHER = Rule(
    "LP172",
    "lock-of-another-manager",
    "the lockfile is not of the package manager that package.json names",
    "The named manager does not read it, and would choose versions anew.",
    "Run the named manager's `install` and commit its lockfile, or correct `packageManager` in package.json.",
    Severity.ERROR,
)
