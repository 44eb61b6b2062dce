"""Results of earlier runs on disk. Losing them costs time and never changes a result."""
