"""Shipped data as JSON, each file with its sources and the day they were read. Never code."""
