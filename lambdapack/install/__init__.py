"""From a project to its dependency tree: the package manager runs in a sandbox, never on the host."""
