"""Installs in the target's own image under an emulator: slow, and good for everything."""

from lambdapack.engine.interface import CacheVolume, Engine
from lambdapack.install.recipe import NO_IMAGES, ImageRequest, Recipe
from lambdapack.install.request import AUTOMATIC, InstallRequest
from lambdapack.managers.interface import CACHE_DIRECTORY


class Emulated:
    """The last resort on an engine of another CPU."""

    name = "emulated"
    version = 1

    def refusal(self, request: InstallRequest, engine: Engine) -> str | None:
        """Refuse where nothing needs an emulator."""
        if not engine.kind.has_images:
            return NO_IMAGES
        if engine.architecture is request.target.architecture:
            return f"this engine's CPU is {engine.architecture}"
        return None

    def recipe(self, request: InstallRequest, engine: Engine) -> Recipe:
        """Return the target's own image."""
        target = request.target.architecture
        cause = request.scripts.reason if request.strategy == AUTOMATIC else "emulation was asked for"
        return Recipe(
            strategy=self.name,
            why=f"{cause}, so the {target} image runs emulated on {engine.architecture}",
            image=ImageRequest(request.image(target), target),
            emulated=True,
            volumes=(CacheVolume(request.cache, CACHE_DIRECTORY),),
            key_parts={"strategy": f"{self.name}/{self.version}"},
        )
