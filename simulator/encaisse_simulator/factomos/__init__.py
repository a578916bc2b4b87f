"""Factomos REST v1: partly documented, partly assumed (see README)."""

from encaisse_simulator.factomos.tool import HOST, Factomos

__all__ = ["HOST", "Factomos"]
