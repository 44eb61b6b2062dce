"""Facts of native files, judged by nobody. definitions.py alone knows pyelftools."""
