"""JSON documents: each is declared once, and both what is printed and its published schema follow from that."""
