"""The journal checked offline, and the doctor's checks."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.core.cli.shells import SIREN, Shell

from encaisse_core.clock import VirtualClock
from encaisse_core.daemon import HEARTBEAT
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp


@pytest.fixture
def sealed(connected: Shell) -> Shell:
    """Run one night, which seals the journal."""
    connected.ok("nightly")
    return connected


def test_a_journal_without_a_seal_proves_nothing(connected: Shell) -> None:
    result = connected("journal", "verify")
    assert result.exit_code == 6
    assert "Rien n'est prouvé" in result.stderr


def test_an_export_is_checked_without_the_store(sealed: Shell, tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    sealed.ok("journal", "export", str(file))
    assert sealed.ok("journal", "export") == file.read_text(encoding="utf-8")
    (sealed.home / "encaisse.db").unlink()
    verdict = sealed.json("journal", "verify", str(file))
    assert verdict["ok"] is True
    assert verdict["sealed"] == verdict["events"] > 0
    anchored = sealed.json("journal", "verify", str(file), "--anchor", verdict["head"])
    assert "La tête présentée" in anchored["sentence_fr"]
    stranger = sealed("journal", "verify", str(file), "--anchor", "0" * 64)
    assert stranger.exit_code == 6


def test_one_altered_byte_fails_the_check(sealed: Shell, tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    sealed.ok("journal", "export", str(file))
    file.write_bytes(file.read_bytes().replace(b'"claim_made"', b'"claim_mode"', 1))
    result = sealed("journal", "verify", str(file))
    assert result.exit_code == 6
    assert "Journal altéré : à la ligne" in result.stderr


def test_an_export_that_cannot_be_written_leaves_no_half_file(
    sealed: Shell, tmp_path: Path
) -> None:
    result = sealed("journal", "export", str(tmp_path / ("j" * 260)))
    assert result.exit_code == 5
    assert "n'a pas pu être écrit : son nom est trop long" in result.stderr
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


def test_an_export_into_a_folder_that_does_not_exist_is_a_wrong_call(
    sealed: Shell, tmp_path: Path
) -> None:
    result = sealed("journal", "export", str(tmp_path / "absent" / "journal.jsonl"))
    assert result.exit_code == 2
    assert f"Le dossier {tmp_path / 'absent'} n'existe pas" in result.stderr
    assert not (tmp_path / "absent").exists()
    assert sealed("journal", "export", str(tmp_path)).exit_code == 2


def checks(shell: Shell, *, code: int) -> dict[str, list[tuple[bool, str]]]:
    """Run the doctor; give what each check said, those of other rooms' commands left out."""
    found: dict[str, list[tuple[bool, str]]] = {}
    result = shell("doctor", "--json")
    for check in shell.json("doctor", code=result.exit_code)["checks"]:
        if check["check"] != "command":
            found.setdefault(check["check"], []).append((check["ok"], check["sentence"]))
    assert all(ok for said in found.values() for ok, _ in said) == (code == 0), found
    assert result.exit_code == 6 or code == 0
    return found


def test_a_healthy_house_passes_every_check(sealed: Shell) -> None:
    found = checks(sealed, code=0)
    assert found["integrity"] == [(True, "La base est entière.")]
    assert found["connection"] == [(True, f"folder ({SIREN}) est à jour.")]


def test_a_connection_not_read_for_a_day_fails(sealed: Shell) -> None:
    assert isinstance(sealed.clock, VirtualClock)
    sealed.clock.set(sealed.clock.now() + timedelta(hours=25))
    (ok, said) = checks(sealed, code=6)["connection"][0]
    assert not ok
    assert "depuis 24 heures" in said


def test_a_clock_that_went_back_is_seen_in_the_journal(sealed: Shell) -> None:
    store = sealed.store()
    with store.begin() as tx:
        tx.execute(text("update event set at = '2031-01-01T00:00:00.000000Z' where sequence = 1"))
    store.close()
    assert "l'horloge a reculé" in checks(sealed, code=6)["clock"][0][1]
    assert sealed("journal", "verify").exit_code == 6


def test_a_vault_whose_key_was_lost_says_what_to_reconnect(sealed: Shell, invoices: Path) -> None:
    (sealed.home / "kek").unlink()
    result = sealed("doctor")
    assert result.exit_code == 6
    assert "absente" in result.output


def test_a_store_that_does_not_open_is_one_failed_check(sealed: Shell) -> None:
    store = sealed.store()
    with store.begin() as tx:
        tx.execute(text("update alembic_version set version_num = '9999'"))
    store.close()
    assert "version plus récente" in checks(sealed, code=6)["store"][0][1]


def test_routes_to_a_simulator_are_said_and_refused_beside_a_real_company(
    sealed: Shell, invoices: Path
) -> None:
    sealed.environ["ENCAISSE_ROUTES"] = "api.factomos.com=http://127.0.0.1:9"
    assert "api.factomos.com" in checks(sealed, code=0)["routes"][0][1]
    store = sealed.store()
    with store.begin() as tx:
        tx.execute(schema.company.update().values(environment="live"))
    store.close()
    (ok, said) = checks(sealed, code=6)["routes"][0]
    assert not ok
    assert "en réel" in said


def test_a_daemon_that_fell_silent_is_seen(sealed: Shell) -> None:
    store = sealed.store()
    with store.begin() as tx:
        at = stamp(sealed.clock.now() - timedelta(hours=27))
        tx.execute(schema.heartbeat.insert().values(name=HEARTBEAT, at=at, body="{}"))
    store.close()
    assert "plus signe de vie" in checks(sealed, code=6)["daemon"][0][1]


def test_a_row_that_points_nowhere_is_seen(sealed: Shell) -> None:
    with sqlite3.connect(sealed.home / "encaisse.db") as raw:  # foreign keys are off here
        raw.execute("update sighting set claim_id = 'clm_AUCUNE' where number = 'AC-77'")
    raw.close()
    (ok, said) = checks(sealed, code=6)["integrity"][0]
    assert not ok
    assert "liens rompus" in said
