"""From trees to a zip whose bytes depend on names, modes and contents alone."""
