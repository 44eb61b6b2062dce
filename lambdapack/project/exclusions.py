"""Names of directories and files that never ship and are no input of an install. Data only."""

from lambdapack.model import NODE_MODULES

OUTPUT_DIRECTORY = ".lambdapack"
"""In the project; a project's own dist/ is never touched, and this one is never packed."""

VERSION_CONTROL_DIRECTORIES = (".git", ".hg", ".svn", ".bzr", ".jj", "_darcs", "CVS")

TOOL_DIRECTORIES = (OUTPUT_DIRECTORY, ".aws-sam", ".serverless", "cdk.out", ".terraform", ".venv")
"""What packers, deployers and virtual environments leave in a project, at any depth."""

EXCLUDED_DIRECTORIES = frozenset((NODE_MODULES, *VERSION_CONTROL_DIRECTORIES, *TOOL_DIRECTORIES))

CREDENTIAL_FILES = (".npmrc", ".yarnrc.yml", ".netrc")
"""Files of package managers that may hold tokens."""

ENVIRONMENT_FILE_PREFIX = ".env"
