"""The exam of the contract, on recordings made against the simulator."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from encaisse_api.conformance import ConnectorContract
from encaisse_myunisoft.connector import MyUnisoftConnector


class TestMyUnisoft(ConnectorContract):
    connector: ClassVar[type] = MyUnisoftConnector
    cassettes: ClassVar[Path] = Path(__file__).parents[1] / "cassettes" / "myunisoft"
