"""The whole exam, taken by a connector that keeps every rule."""

from __future__ import annotations

from pathlib import Path

from tests.plugin_api.toy import ToyConnector

from encaisse_api.conformance import ConnectorContract


class TestToy(ConnectorContract):
    connector = ToyConnector
    cassettes = Path(__file__).parent / "cassettes"
