"""Programs that packages start: scripts by their first line, who names them, and binaries that nothing names."""
