"""Settings and the origin of each value. Reads only the project's own files."""
