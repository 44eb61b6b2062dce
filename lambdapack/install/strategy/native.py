"""Installs in the target's own image on an engine of the target's CPU."""

from lambdapack.engine.interface import CacheVolume, Engine
from lambdapack.install.recipe import NO_IMAGES, ImageRequest, Recipe
from lambdapack.install.request import InstallRequest
from lambdapack.managers.interface import CACHE_DIRECTORY


class Native:
    """Nothing is emulated, nothing is crossed: the best there is, where the engine has the CPU."""

    name = "native"
    version = 1

    def refusal(self, request: InstallRequest, engine: Engine) -> str | None:
        """Refuse on an engine of another CPU."""
        if not engine.kind.has_images:
            return NO_IMAGES
        if engine.architecture is request.target.architecture:
            return None
        return f"this engine's CPU is {engine.architecture}"

    def recipe(self, request: InstallRequest, engine: Engine) -> Recipe:
        """Return the target's own image."""
        architecture = engine.architecture
        return Recipe(
            strategy=self.name,
            why=f"this engine's CPU is {architecture}",
            image=ImageRequest(request.image(architecture), architecture),
            volumes=(CacheVolume(request.cache, CACHE_DIRECTORY),),
            key_parts={"strategy": f"{self.name}/{self.version}"},
        )
