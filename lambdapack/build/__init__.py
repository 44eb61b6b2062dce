"""From a project to its dependency tree, by npm in a sandbox. docker.py alone knows the engine's SDK."""
