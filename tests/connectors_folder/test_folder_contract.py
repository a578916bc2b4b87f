"""The whole exam of the contract on the folder connector."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from encaisse_api.conformance import ConnectorContract
from encaisse_folder.connector import FolderConnector


class TestFolder(ConnectorContract):
    connector: ClassVar[type] = FolderConnector
    cassettes: ClassVar[Path] = Path(__file__).parents[1] / "cassettes" / "folder"
