"""Every partner as a local server: seeded, with a clock and faults."""
