"""A Lambda and an S3 in memory, and real servers that speak their wire format."""
