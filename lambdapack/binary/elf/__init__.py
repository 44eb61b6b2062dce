"""The parts of an ELF file. definitions.py alone imports pyelftools."""
