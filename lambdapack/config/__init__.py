"""Settings and where each of them came from. Never reads more than the project's own files."""
