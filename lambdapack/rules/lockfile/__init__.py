"""Rules about the lockfile, checked before any container starts."""
