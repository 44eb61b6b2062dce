"""The only place that composes stages."""
