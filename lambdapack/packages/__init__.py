"""Installed packages as node sees them: which file a specifier means, and what the handler reaches."""
