"""The package book: what is known of npm packages with binaries, as data with source and date."""
