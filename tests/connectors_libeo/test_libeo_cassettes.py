"""The recordings are those the simulator gives today, and hold nothing of anybody."""

from __future__ import annotations

import json
from pathlib import Path

from encaisse_api.conformance.cassette import read_cassette
from encaisse_lab import record_libeo
from encaisse_libeo.statuses import STATUSES

CASSETTES = Path(__file__).parents[1] / "cassettes" / "libeo"


def test_recording_again_gives_the_same_bytes(tmp_path: Path) -> None:
    record_libeo.main(tmp_path)
    fresh = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_bytes() for path in CASSETTES.iterdir()}
    assert fresh == kept, "record again: python -m encaisse_lab.record_libeo FOLDER"


def test_no_recording_holds_the_key() -> None:
    for path in CASSETTES.iterdir():
        assert record_libeo.API_KEY.encode() not in path.read_bytes(), path.name


def test_every_status_stands_in_the_recordings_in_both_directions() -> None:
    pages = [json.loads(each.body) for each in read_cassette(CASSETTES / "pull_invoices.yaml")]
    told = {(row["direction"], row["status"]) for page in pages for row in page["items"]}
    assert len(pages) > 1
    assert told == {(side, word) for side in ("receivable", "payable") for word in STATUSES}
