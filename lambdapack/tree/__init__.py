"""A tree: an index of entries over the bytes of a directory, a zip or a tar file. Only this room reads them."""
