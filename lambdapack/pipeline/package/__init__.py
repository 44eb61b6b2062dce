"""Builds a package: plans, installs, verifies and writes it."""
