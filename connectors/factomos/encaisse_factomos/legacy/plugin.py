"""Announce the connector of the older dialect."""

from __future__ import annotations

from encaisse_api.hookspecs import Register, hookimpl
from encaisse_factomos.legacy.connector import FactomosLegacyConnector

ENCAISSE_API = "0.4"


@hookimpl
def register_connectors(register: Register) -> None:
    """Register the one connector of this entry point."""
    register(FactomosLegacyConnector)
