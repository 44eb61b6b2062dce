"""argv in, exit code out. The only place that knows typer, tqdm, stdout and stderr."""
