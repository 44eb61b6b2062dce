"""Concludes from facts what is wrong: a new phrase for a known fact needs nothing here."""
