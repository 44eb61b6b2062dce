"""Renders reports for other programs: code scanning, CI annotations, step summaries, Terraform."""
