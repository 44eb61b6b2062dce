"""The command that cures a finding, filled with the target and the package. Never a second sentence."""

from lambdapack.model import LAYER_ROOT
from lambdapack.project.installed import PackageManifest
from lambdapack.rules.defect import Defect
from lambdapack.rules.tokens import tags
from lambdapack.runtimes.runtime import Runtime

WRONG_PLATFORM = frozenset({"wrong-cpu", "not-elf", "musl", "wrong-class"})
"""Causes that another install cures, because the package has a build for the target somewhere."""

REBUILT = frozenset({*WRONG_PLATFORM, "node-abi", "electron-abi", "undefined-symbol"})


def install_for(runtime: Runtime) -> str:
    """Return the npm command that installs the platform packages of a target."""
    return f"Run `npm ci --os=linux --cpu={runtime.target.architecture.node} --libc=glibc`."


def build_for(runtime: Runtime, *, layer: bool = False) -> str:
    """Return our command that installs in the target's own image."""
    what = "build --layer" if layer else "build"
    return f"Run `lambdapack {what} --runtime {runtime.target.runtime} --arch {runtime.target.architecture}`."


def fix_for(defect: Defect, owner: PackageManifest, runtime: Runtime) -> str:
    """Return the sharpest command for a defect of a package's file, "" for the rule's own."""
    if defect.fix:
        return defect.fix
    layer = f"{owner.directory}/".startswith(f"{LAYER_ROOT}/")
    if not layer and defect.word in WRONG_PLATFORM and (owner.os or owner.cpu or tags(owner.name).names_platform):
        return install_for(runtime)
    if defect.evidence and dict(defect.evidence).get("format") == "lfs-pointer":
        return "Run `git lfs pull`, then install or build again."
    return build_for(runtime, layer=layer) if defect.word in REBUILT else ""
