"""What is in a package and why: bytes by package and kind, native files, copies, and what pruning would save."""
