"""The whole exam of the contract on both Factomos connectors."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from encaisse_api.conformance import ConnectorContract
from encaisse_factomos.connector import FactomosConnector
from encaisse_factomos.legacy.connector import FactomosLegacyConnector


class TestFactomos(ConnectorContract):
    connector: ClassVar[type] = FactomosConnector
    cassettes: ClassVar[Path] = Path(__file__).parents[1] / "cassettes" / "factomos"


@pytest.mark.slow  # the exam again, for the older dialect
class TestFactomosLegacy(ConnectorContract):
    connector: ClassVar[type] = FactomosLegacyConnector
    cassettes: ClassVar[Path] = Path(__file__).parents[1] / "cassettes" / "factomos_legacy"
