"""Renderers: a report in, text out. Touches nothing."""
