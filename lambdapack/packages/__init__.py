"""The npm packages that are installed in a tree: manifests, native parts, what their JavaScript loads."""
