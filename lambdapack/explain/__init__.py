"""From an error message to its cause and cure. Pure: text comes in, diagnoses go out, nothing is read or run."""
