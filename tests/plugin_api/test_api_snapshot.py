"""The contract changes only on purpose."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

import encaisse_api
from encaisse_api.conformance import snapshot

KEPT = Path(__file__).with_name("api_snapshot.txt")


def test_the_contract_is_the_one_written_down() -> None:
    kept, now = KEPT.read_text("utf-8").splitlines(), snapshot.text().splitlines()
    changed = list(difflib.unified_diff(kept, now, "api_snapshot.txt", "encaisse_api", n=0))
    assert not changed, (
        "the contract for connectors has changed: raise API_VERSION in encaisse_api/hookspecs.py "
        "(major where a connector would break, else minor; below 1.0 always minor), then run "
        "`python -m encaisse_api.conformance.snapshot > tests/plugin_api/api_snapshot.txt`\n"
        + "\n".join(changed)
    )


def test_every_public_name_is_written_down() -> None:
    text = KEPT.read_text("utf-8")
    assert [name for name in encaisse_api.__all__ if name not in text] == []


def test_a_changed_signature_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    def roles_of(connector: type, strict: bool) -> tuple[str, ...]:
        return ()

    monkeypatch.setattr(encaisse_api, "roles_of", roles_of)
    assert "roles_of(connector: type, strict: bool) -> tuple[str, ...]" in snapshot.text()


def test_a_new_field_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    class Absent(encaisse_api.Absent):
        note: str = "none"

    monkeypatch.setattr(encaisse_api, "Absent", Absent)
    assert "    note: str = 'none'" in snapshot.text()
