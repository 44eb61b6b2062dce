"""What each Lambda runtime provides: shipped data with sources, tightened by measuring an image."""
