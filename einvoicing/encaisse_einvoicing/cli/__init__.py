"""Offer the commands of this package, alone or inside `encaisse`."""
