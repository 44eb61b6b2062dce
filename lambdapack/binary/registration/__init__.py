"""How an addon registers with Node.js, read from its code and data."""
