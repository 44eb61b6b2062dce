"""Runs what was packed, in the bare runtime image, as Lambda would."""
