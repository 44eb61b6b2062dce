"""Judgement: facts in, findings out. Touches nothing."""
