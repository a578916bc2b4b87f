"""Libeo: no interface is public, the whole contract is assumed (see README)."""

from encaisse_simulator.libeo.tool import HOST, Libeo

__all__ = ["HOST", "Libeo"]
