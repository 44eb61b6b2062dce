"""The local engine: sandboxes are directories and processes of this host, confined by bubblewrap where it can be."""
