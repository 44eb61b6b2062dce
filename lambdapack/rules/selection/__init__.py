"""Which native file a package loads on a target."""
