"""Announce the Factomos connector."""

from __future__ import annotations

from encaisse_api.hookspecs import Register, hookimpl
from encaisse_factomos.connector import FactomosConnector

ENCAISSE_API = "0.4"


@hookimpl
def register_connectors(register: Register) -> None:
    """Register the one connector of this distribution."""
    register(FactomosConnector)
