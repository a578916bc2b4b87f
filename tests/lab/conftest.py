"""What the tests of the laboratory share."""

from __future__ import annotations

import pytest
import sqlalchemy

from encaisse_core.store import engine


@pytest.fixture
def own_dialects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Share no dialect between engines: the harness chooses the database where one connects."""
    monkeypatch.setattr(engine, "create_engine", sqlalchemy.create_engine)
