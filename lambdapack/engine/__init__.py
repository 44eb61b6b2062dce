"""Container engines: images, sandboxes, and the state of the emulator. docker.py alone imports the Docker SDK."""
