"""Where results go: stdout, stderr, progress bars, files."""
