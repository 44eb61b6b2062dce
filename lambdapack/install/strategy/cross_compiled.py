"""Installs in the target's own image, emulated, with a compiler that is not: what takes the time runs natively."""

from lambdapack.engine.interface import CacheVolume, Engine
from lambdapack.errors.install import COMPILE_FAILED
from lambdapack.errors.local import TOOL_MISSING
from lambdapack.install.embedded.cross import cross_environment, cross_tools
from lambdapack.install.embedded.releases import ZIG_VERSION
from lambdapack.install.recipe import NO_IMAGES, ImageRequest, Recipe
from lambdapack.install.request import InstallRequest
from lambdapack.managers.interface import CACHE_DIRECTORY


class CrossCompiled:
    """For dependencies whose scripts run: the target's image, with the engine's own CPU compiling for it."""

    name = "cross-compiled"
    version = 1

    def refusal(self, request: InstallRequest, engine: Engine) -> str | None:
        """Refuse where the engine has the CPU anyway, and where its tools may not be fetched."""
        if not engine.kind.has_images:
            return NO_IMAGES
        if engine.architecture is request.target.architecture:
            return f"this engine's CPU is {engine.architecture}"
        if request.tools is None:
            return "nothing may be fetched for this build, and its compiler is"
        return "no package runs an install script" if request.scripts.nothing else None

    def recipe(self, request: InstallRequest, engine: Engine) -> Recipe:
        """Return the target's own image and the tools. What cannot be built so is built by emulation alone."""
        host, target = engine.architecture, request.target.architecture
        return Recipe(
            strategy=self.name,
            why=f"{request.scripts.reason}, so the {target} image runs emulated on {host}, "
            "and a native compiler compiles in it",
            image=ImageRequest(request.image(target), target),
            emulated=True,
            tools=(cross_tools(ImageRequest(request.images(host).bare, host)),),
            volumes=(CacheVolume(request.cache, CACHE_DIRECTORY),),
            script_environment=cross_environment(target),
            compiler=f"zig {ZIG_VERSION} on the image's own headers and libraries",
            give_up_on=frozenset((COMPILE_FAILED, TOOL_MISSING)),
            key_parts={"strategy": f"{self.name}/{self.version}"},
        )
