"""Commands that talk to AWS."""
