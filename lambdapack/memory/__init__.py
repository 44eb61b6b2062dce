"""What earlier runs found out, on this host's disk. Losing it costs time and never a verdict."""
