"""Spread nights over several machines: procrastinate on PostgreSQL, an optional extra.

What is run is what the daemon runs, one company's night. Nothing here keeps a promise: fences,
slots and leases of the store do, whoever calls. An engine only has to call at least once.
"""
