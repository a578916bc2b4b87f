"""What the commands show, read from the store: plain values, in one order, money never a number.

Each function takes a transaction and a company and returns what `--json` prints, so that a table
on a screen and a script read the same facts.
"""
