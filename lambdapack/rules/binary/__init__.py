"""Rules about one native file: what the kernel, the loader and Node.js do with it."""
