"""What each command does: settings in, pipeline called, output printed, exit code returned."""
