"""What an engine said before, and the requests that show whether it still holds."""
