"""Installs for another CPU without running anything of it: the package manager chooses the target's packages."""

from lambdapack.engine.interface import CacheVolume, Engine
from lambdapack.errors.build import NO_IMAGE, WRONG_IMAGE
from lambdapack.install.recipe import NO_IMAGES, ImageRequest, Recipe
from lambdapack.install.request import InstallRequest
from lambdapack.managers.interface import CACHE_DIRECTORY


class CrossPrebuilt:
    """For dependencies of which nothing has to run: the engine's own image, packages for the target."""

    name = "cross-prebuilt"
    version = 1

    def refusal(self, request: InstallRequest, engine: Engine) -> str | None:
        """Refuse where the engine has the CPU anyway, and where scripts run."""
        if not engine.kind.has_images:
            return NO_IMAGES
        if engine.architecture is request.target.architecture:
            return f"this engine's CPU is {engine.architecture}"
        return None if request.scripts.nothing else request.scripts.reason

    def recipe(self, request: InstallRequest, engine: Engine) -> Recipe:
        """Return the engine's own image. An image that is not there, or whose package manager is too old, ends it."""
        host, target = engine.architecture, request.target.architecture
        return Recipe(
            strategy=self.name,
            why=f"{request.scripts.reason}, so {request.manager.name} runs on this engine's {host} "
            f"and chooses packages for {target}: no emulation",
            image=ImageRequest(request.image(host), host),
            volumes=(CacheVolume(request.cache, CACHE_DIRECTORY),),
            oldest_manager=request.manager.cross_install_version,
            give_up_on=frozenset((NO_IMAGE, WRONG_IMAGE)),
            key_parts={"strategy": f"{self.name}/{self.version}"},
        )
