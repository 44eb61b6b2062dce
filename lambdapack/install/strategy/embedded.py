"""Installs without a container: the runtime's node from the npm registry runs on this host, for either CPU."""

from lambdapack.engine.interface import CacheVolume, Engine
from lambdapack.engine.local.engine import LOCAL_REFERENCE
from lambdapack.install.embedded.compiler import compiler_environment, compiler_tools
from lambdapack.install.embedded.releases import ZIG_VERSION
from lambdapack.install.recipe import ImageRequest, Recipe
from lambdapack.install.request import InstallRequest
from lambdapack.managers.interface import CACHE_DIRECTORY
from lambdapack.runtimes.runtime import runtime_node_major, shipped_runtime


class Embedded:
    """The only strategy of the local engine."""

    name = "embedded"
    version = 1

    def refusal(self, request: InstallRequest, engine: Engine) -> str | None:  # noqa: ARG002  # every strategy's
        """Refuse on an engine that runs images."""
        return "this engine runs container images" if engine.kind.has_images else None

    def recipe(self, request: InstallRequest, engine: Engine) -> Recipe:
        """Return the node of the runtime's line, for the host's CPU, and a compiler for the target's glibc."""
        reference = LOCAL_REFERENCE.format(node=runtime_node_major(request.target.runtime))
        glibc = shipped_runtime(request.target).floor["GLIBC"]
        return Recipe(
            strategy=self.name,
            why=f"no container: {request.manager.name} runs on this host and chooses packages for "
            f"{request.target.architecture}",
            image=ImageRequest(reference, engine.architecture),
            volumes=(CacheVolume(request.cache, CACHE_DIRECTORY),),
            tools=(compiler_tools(engine.architecture),),
            script_environment=compiler_environment(engine.architecture, request.target.architecture, glibc),
            compiler=f"zig {ZIG_VERSION} for glibc {glibc}",
            oldest_manager=request.manager.cross_install_version,
            key_parts={"strategy": f"{self.name}/{self.version}"},
        )
