"""What is seen of a running daemon from outside: its log, its health, its figures, its heartbeat.

Nothing in here ever names a person, a customer, an account or an amount: counts, states, durations
and ids of our own only. Nothing in here can fail a night.
"""
