"""Lend the tests of the folder connector invoices to write and a connector to read them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from tests.connectors_folder.papers import CII, NOW, USUAL
from tests.lent import lent

from encaisse_folder.connector import FolderConnector


@pytest.fixture
def written() -> Callable[..., bytes]:
    """Write a CII invoice of 1,200 euros; keywords change what it says."""

    def write(number: str = "FA-2026-001", **said: str) -> bytes:
        return CII.format(number=number, **{**USUAL, **said}).encode()

    return write


@pytest.fixture
def connect() -> Callable[[Path], FolderConnector]:
    """Build a connector on a file, a folder or an archive."""

    def build(path: Path) -> FolderConnector:
        return FolderConnector(
            lent(httpx.Client(transport=httpx.MockTransport(_nobody)), NOW, {"path": str(path)})
        )

    return build


def _nobody(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"a folder asks nobody: {request.url}")
