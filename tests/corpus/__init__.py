"""The static verdict against what the loader did, file by file and image by image."""
