"""Signatures and help of the commands. Importing one imports typer and nothing that does the work."""
