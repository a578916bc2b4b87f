"""Announce the Libeo connector."""

from __future__ import annotations

from encaisse_api.hookspecs import Register, hookimpl
from encaisse_libeo.connector import LibeoConnector

ENCAISSE_API = "0.4"


@hookimpl
def register_connectors(register: Register) -> None:
    """Register the one connector of this distribution."""
    register(LibeoConnector)
