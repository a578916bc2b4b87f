"""The whole exam of the contract on the Libeo connector."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from encaisse_api.conformance import ConnectorContract
from encaisse_libeo.connector import LibeoConnector


class TestLibeo(ConnectorContract):
    connector: ClassVar[type] = LibeoConnector
    cassettes: ClassVar[Path] = Path(__file__).parents[1] / "cassettes" / "libeo"
