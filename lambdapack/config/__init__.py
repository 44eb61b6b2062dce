"""Settings and where each of them came from. Never reads more than the project's own files."""

from lambdapack.config.kinds import Ignored
from lambdapack.config.settings import OPTIONS, Option, Setting, Settings
from lambdapack.config.sources import load_settings

__all__ = ["OPTIONS", "Ignored", "Option", "Setting", "Settings", "load_settings"]
