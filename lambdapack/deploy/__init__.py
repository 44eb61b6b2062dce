"""From an archive to a function that serves it: observe, plan, apply. Knows AWS only as the protocol in cloud.py."""
