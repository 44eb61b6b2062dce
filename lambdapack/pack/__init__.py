"""Source selection and zip writing. A zip's bytes depend on names, modes and contents alone."""
