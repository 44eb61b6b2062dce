"""Rules about the modules that a function loads: what is missing, refused, or not known."""
