"""Rules about a package as a whole: size, links, layers, missing parts, stale trees."""
