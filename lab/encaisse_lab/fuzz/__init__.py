"""Mutate documents from a seed, and hold what reading promises of whatever it is given."""
