"""Loads and invokes the packed bytes in the bare runtime image, as Lambda would."""
