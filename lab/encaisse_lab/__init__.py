"""What needs both the host and the simulator: demo, proofs, cassette recording."""
