"""JavaScript as node's loaders see it: which module system a file is written for, and what it exports."""
