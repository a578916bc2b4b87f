"""The whole exam of the contract on the Factomos connector."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from encaisse_api.conformance import ConnectorContract
from encaisse_factomos.connector import FactomosConnector


class TestFactomos(ConnectorContract):
    connector: ClassVar[type] = FactomosConnector
    cassettes: ClassVar[Path] = Path(__file__).parents[1] / "cassettes" / "factomos"
