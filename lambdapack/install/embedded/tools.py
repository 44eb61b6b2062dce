"""Fills a volume with the tools of a recipe, once for each engine. The sandboxes of scripts mount it read-only."""

from collections.abc import Callable

from lambdapack.engine.interface import CacheVolume, Command, Engine, Limits, Sandbox, SandboxSpec
from lambdapack.engine.transcript import Transcript
from lambdapack.errors.local import TOOL_MISSING
from lambdapack.errors.record import LambdapackError
from lambdapack.events import SILENT, Observer
from lambdapack.install.embedded.wheels import WheelStore
from lambdapack.install.recipe import ImageRequest, PinnedWheel, Recipe, ToolVolume
from lambdapack.install.request import InstallRequest
from lambdapack.tree.archive import ZipTree
from lambdapack.tree.compose import FilteredTree, MemoryTree, TransformedTree
from lambdapack.tree.entry import Entry, EntryKind, Tree

COMPLETE = ".complete"
"""The last file of a volume that is whole."""

TOOL_SECONDS = 600.0
"""How long making the tools may take, the first use of the compiler included."""

UNUSED_DIRECTORIES = (
    "ziglang/lib/libc/mingw",
    "ziglang/lib/libc/darwin",
    "ziglang/lib/libc/wasi",
    "ziglang/lib/libc/freebsd",
    "ziglang/lib/libc/netbsd",
    "ziglang/lib/libc/include/any-windows-any",
    "ziglang/lib/libc/include/any-darwin-any",
    "ziglang/lib/docs",
    "ziglang/doc",
)
"""What a compiler for Linux never reads: half of it."""

OpenWheel = Callable[[PinnedWheel, Observer], "ZipTree"]


def provide_tools(
    tools: ToolVolume, image: ImageRequest, engine: Engine, wheels: WheelStore, observer: Observer
) -> CacheVolume:
    """Return the volume, mounted read-only, made when this engine has not got it. LP138 when it cannot be made."""
    spec = SandboxSpec(
        image=image.reference,
        architecture=image.architecture,
        label="tools",
        limits=Limits(wall_seconds=TOOL_SECONDS, silence_seconds=TOOL_SECONDS),
        network=False,
        volumes=(CacheVolume(tools.name, tools.directory),),
    )
    with engine.open(spec, observer) as sandbox:
        if _run(sandbox, tools, f"test -e {COMPLETE}"):
            with observer.task(f"Making the build tools ({tools.name})"):
                _fill(sandbox, tools, wheels, observer)
    return CacheVolume(tools.name, tools.directory, read_only=True)


def provide_all_tools(
    request: InstallRequest, recipe: Recipe, engine: Engine, observer: Observer
) -> tuple[CacheVolume, ...]:
    """Return the volumes with the tools of a recipe; none where nothing may be fetched."""
    if request.tools is None:
        return ()
    wheels = WheelStore(request.tools, request.environ)
    return tuple(provide_tools(tools, tools.image or recipe.image, engine, wheels, observer) for tools in recipe.tools)


def _fill(sandbox: Sandbox, tools: ToolVolume, wheels: WheelStore, observer: Observer) -> None:
    for wheel in tools.wheels:
        with ZipTree(wheels.obtain(wheel, observer)) as tree:
            sandbox.put(_usable(tree), tools.directory)
    sandbox.put(MemoryTree({path: (content, 0o755) for path, content in tools.files.items()}), tools.directory)
    said = _run(sandbox, tools, f"set -e; {tools.setup}\ntouch {COMPLETE}")
    if said:
        raise LambdapackError(TOOL_MISSING, f"the tools could not be made: {said}")


def _usable(tree: Tree) -> Tree:
    """Return the files of a wheel that are used, readable for everyone; programs are executable."""

    def keep(entry: Entry) -> bool:
        return not any(entry.path == path or entry.path.startswith(f"{path}/") for path in UNUSED_DIRECTORIES)

    def change(entry: Entry) -> Entry:
        program = entry.kind is EntryKind.DIRECTORY or entry.path == "ziglang/zig" or "/scripts/" in entry.path
        return Entry(entry.path, entry.kind, 0o755 if program else 0o644, entry.size, entry.target)

    return TransformedTree(FilteredTree(tree, keep), change)


def _run(sandbox: Sandbox, tools: ToolVolume, script: str) -> str:
    """Run a script in the volume; return "" when it ends well, else what it said."""
    transcript = Transcript(SILENT)
    ended = sandbox.run(Command(("/bin/sh", "-c", script), {"LD_LIBRARY_PATH": ""}, cwd=tools.directory), transcript)
    transcript.close()
    if ended.ok:
        return ""
    return "\n".join(transcript.lines[-8:]).strip() or f"exit code {ended.exit_code}"
