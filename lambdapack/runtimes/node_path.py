"""Where the runtimes' node looks for packages besides the node_modules above the asking file. Decides nothing."""

ROOTS = (
    "/opt/nodejs/node{major}/node_modules",
    "/opt/nodejs/node_modules",
    "/var/runtime/node_modules",
    "/var/runtime",
    "/var/task",
)
"""NODE_PATH as the managed runtimes' bootstrap sets it, in order (FACTS.md section 3, read 2026-11)."""

IMPORTS_SINCE = 18
"""From nodejs18.x on `import` finds what NODE_PATH has; node itself never does (AWS blog "Node.js 18.x runtime")."""


def node_path(major: int) -> tuple[str, ...]:
    """Return the directories of NODE_PATH, in order; `major` is node's, the folder of a layer for one runtime."""
    return tuple(each.format(major=major) for each in ROOTS)


def layer_modules(major: int) -> tuple[str, ...]:
    """Return those of them that a layer can fill."""
    return tuple(each for each in node_path(major) if each.startswith("/opt/"))
