"""Entries and their bytes over a directory, a zip or a tar spool. The only place that reads them."""
