"""Measure the host against what its databases can do bare, and against a loader of the trade."""
