"""What the command line is given: options, targets, events, settings."""
