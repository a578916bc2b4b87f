"""The recordings are those the simulator gives today, and hold nothing of anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from encaisse_lab import record_factomos
from encaisse_lab.record import NotForPublication, Recorder, connector_named
from encaisse_simulator.world import World

CASSETTES = Path(__file__).parents[1] / "cassettes"
DIALECTS = ("factomos", "factomos_legacy")


def test_recording_again_gives_the_same_bytes(tmp_path: Path) -> None:
    record_factomos.main(tmp_path / "factomos")
    for dialect in DIALECTS:
        fresh = {path.name: path.read_bytes() for path in (tmp_path / dialect).iterdir()}
        kept = {path.name: path.read_bytes() for path in (CASSETTES / dialect).iterdir()}
        assert fresh == kept, "record again: python -m encaisse_lab.record_factomos FOLDER"


def test_no_recording_holds_a_secret() -> None:
    secrets = (
        record_factomos.TOKEN,
        record_factomos.LEGACY_TOKEN,
        record_factomos.LEGACY_SECRET,
        "crequest",
    )
    for path in (one for dialect in DIALECTS for one in (CASSETTES / dialect).iterdir()):
        for secret in secrets:
            assert secret.encode() not in path.read_bytes(), path.name


def test_an_address_outside_the_example_domain_is_not_recorded(tmp_path: Path) -> None:
    world = World(1, record_factomos.NOW)
    world.factomos.add_company("tok", record_factomos.SIREN, "Atelier Exemple SARL")
    customer = world.factomos.add_contact("tok", "Client", email="jean@client.test")
    world.factomos.add_invoice("F-1", customer, record_factomos.NOW.date(), None, 100)
    recorder = Recorder(
        folder=tmp_path,
        connector=connector_named("factomos"),
        world=world,
        recorded_against="nothing",
        headers={"Authorization": "Bearer tok"},
    )
    with pytest.raises(NotForPublication):
        recorder.record("pull_invoices", {"since": None})
    assert not (tmp_path / "pull_invoices.yaml").exists()
