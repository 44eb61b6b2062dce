"""Glue for the tools that call lambdapack: what `lambdapack init` writes."""
