"""The messages that are known, by the program that prints them. Data and the meaning of their slots."""
