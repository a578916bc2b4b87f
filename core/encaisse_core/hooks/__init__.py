"""Hear partners by day: a verified delivery is a reason to look at once, never a fact.

What it says is forgotten; what is true is read by the same stream as every night. So a delivery may
be lost, doubled, late or out of order, and costs at most a look too many or a wait until tonight.
"""
