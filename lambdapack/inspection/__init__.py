"""What a package consists of: bytes by package and category, native files, duplicates, dependents."""
