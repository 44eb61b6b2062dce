"""The commands that findings and diagnoses name alike. Light to import."""

from lambdapack.model import Architecture


def npm_ci_command(architecture: Architecture) -> str:
    """Return the npm command that installs the platform packages of a target."""
    return f"npm ci --os=linux --cpu={architecture.node} --libc=glibc"


def build_command(arch: str, runtime: str | None = None, *, layer: bool = False) -> str:
    """Return our command that installs in the target's own image; `arch` may be "all"."""
    options = [" --layer" if layer else "", f" --runtime {runtime}" if runtime else "", f" --arch {arch}"]
    return "lambdapack build" + "".join(options)


PRODUCTION_INSTALLS = {
    "pnpm": "pnpm install --prod",
    "yarn": "yarn workspaces focus --all --production",
    "yarn-classic": "yarn install --production",
    "bun": "bun install --production",
}
"""How each manager but npm installs without devDependencies; by the names of packages/tree_locks.py."""
