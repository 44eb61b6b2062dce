"""What earlier runs computed, on disk. Losing it costs time and never a result."""
