"""The door the host enters by: the entry point `encaisse.connectors` names this module."""

from __future__ import annotations

from encaisse_api import hookimpl
from encaisse_api.hookspecs import Register
from encaisse_gcollect.connector import GCollectConnector

ENCAISSE_API = "0.4"
"""Version of the contract this connector was written for."""


@hookimpl
def register_connectors(register: Register) -> None:
    """Announce the GCollect connector."""
    register(GCollectConnector)
