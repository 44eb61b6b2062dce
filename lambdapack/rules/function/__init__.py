"""Rules about the handler's file, its module system and the runtime's dates."""
