"""What the local engine and the cross compiler run: Node.js and npm from the npm registry, zig and make from PyPI."""
