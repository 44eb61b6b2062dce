"""Package managers, one folder each: their lockfiles, settings, commands and failures."""
