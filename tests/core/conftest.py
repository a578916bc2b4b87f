"""What the tests of the host share: a house on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.core.houses import House, make

from encaisse_core.clock import VirtualClock


@pytest.fixture
def house(request: pytest.FixtureRequest, tmp_path: Path, clock: VirtualClock) -> Iterator[House]:
    """Give a house with as many invoices as the module's `INVOICES` says, eight by default."""
    count: int = getattr(request.module, "INVOICES", 8)
    made = make(f"sqlite:///{tmp_path / 'e.db'}", tmp_path, clock, invoices=count)
    yield made
    made.app.close()
