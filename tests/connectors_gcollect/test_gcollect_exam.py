"""The contract's exam, on cassettes recorded against the simulator."""

from __future__ import annotations

from pathlib import Path

from encaisse_api.conformance import ConnectorContract
from encaisse_gcollect import GCollectConnector
from encaisse_lab import record_gcollect

CASSETTES = Path(__file__).parents[1] / "cassettes" / "gcollect"


class TestGCollect(ConnectorContract):
    connector = GCollectConnector
    cassettes = CASSETTES


def test_every_cassette_says_that_no_real_partner_was_heard() -> None:
    said = (CASSETTES / "context.json").read_text("utf-8")
    assert "simulator" in said and "assumed contract" in said


def test_recording_again_gives_the_same_bytes(tmp_path: Path) -> None:
    record_gcollect.main(tmp_path)
    fresh = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_bytes() for path in CASSETTES.iterdir()}
    assert fresh == kept, "record again: python -m encaisse_lab.record_gcollect FOLDER"


def test_no_cassette_holds_the_access() -> None:
    secrets = (*record_gcollect.CLIENT, "access_token", "uthorization")
    for path in CASSETTES.iterdir():
        text = path.read_text("utf-8")
        assert not [secret for secret in secrets[1:] if secret in text], path.name
