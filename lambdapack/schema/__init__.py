"""JSON schemas of everything that lambdapack prints or reads as JSON or TOML, derived from the records."""
