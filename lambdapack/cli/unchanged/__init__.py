"""A run of which nothing has changed since the last one: its output again, before anything heavy is imported."""
