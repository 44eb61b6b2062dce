"""Reads a text into facts: where it is from, who speaks, what was asked for. Concludes nothing."""
