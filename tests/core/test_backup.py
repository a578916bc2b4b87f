"""Backups: one moment, either database, nothing altered unseen, nothing overwritten."""

from __future__ import annotations

import random
import shutil
import threading
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.conftest import fresh_postgres
from tests.core.houses import House, approve_and_sign, line_of, payments

from encaisse_core import backup, nightly, restored
from encaisse_core.app import open_app
from encaisse_core.backup import Restored
from encaisse_core.clock import SeededIds
from encaisse_core.errors import StoreError
from encaisse_core.store import open_store, schema

INVOICES = 3


def back_up(house: House, file: Path) -> backup.Dumped:
    host = house.host
    return backup.dump(host.store, host.blobs, file, at=house.clock.now(), version="essai")


def restore(house: House, file: Path, home: Path, url: str | None = None) -> Restored:
    """Lose the house's store; go on from the backup in another folder, with the key."""
    home.mkdir()
    shutil.copy2(house.app.folder / "kek", home / "kek")
    house.app.close()
    house.clock.on_advance.clear()
    url = url or f"sqlite:///{home / 'e.db'}"
    ids = SeededIds(77, house.clock)
    done = backup.restore(
        backup.open_archive(file), url, home / "documents", ids, at=house.clock.now()
    )
    house.app = open_app(
        {"ENCAISSE_DATABASE_URL": url},
        folder=home,
        clock=house.clock,
        ids=ids,
        connectors=house.shelf,
    ).of(house.company)
    house.host = house.app.host
    return done


def content(house: House) -> dict[str, list[tuple[Any, ...]]]:
    """Read every table a backup brings back, but for what a restoration adds."""
    skipped = {"heartbeat", "rate_bucket", "refresh_lease", "virtual_clock", "restoration", "event"}
    found: dict[str, list[tuple[Any, ...]]] = {}
    with house.host.store.begin() as tx:
        for table in schema.metadata.sorted_tables:
            if table.name not in skipped:
                query = select(table).order_by(*table.primary_key.columns)
                found[table.name] = [tuple(row) for row in tx.execute(query)]
    return found


@pytest.fixture
def lived(house: House) -> House:
    """Live until procedures are open, one payment collected and one document kept."""
    opened = house.open_everything()
    house.paper.collect("p1", opened[0], line_of(house, opened), 40_00, date(2026, 2, 5))
    house.host.blobs.put(b"%PDF facture")
    with house.host.store.begin() as tx:
        claim = tx.execute(select(schema.claim.c.id).limit(1)).scalar_one()
        tx.execute(
            schema.document.insert().values(
                company_id=house.company,
                sha256=house.host.blobs.put(b"%PDF facture"),
                claim_id=claim,
                **_document(),
            )
        )
    house.night()
    return house


def _document() -> dict[str, Any]:
    fill: dict[str, Any] = {}
    for column in schema.document.columns:
        if column.name not in ("company_id", "sha256", "claim_id") and not column.nullable:
            fill[column.name] = 1 if column.type.python_type is int else "x"
    return fill


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_what_is_restored_is_what_was_backed_up(
    lived: House, tmp_path: Path, into: str, request: pytest.FixtureRequest
) -> None:
    file = tmp_path / "s.zip"
    made = back_up(lived, file)
    assert (file.stat().st_mode & 0o077, made.missing, made.documents) == (0, (), 1)
    before = content(lived)
    url = fresh_postgres(request) if into == "postgresql" else None
    done = restore(lived, file, tmp_path / "new", url)
    assert (done.companies, done.rows, done.in_doubt) == (1, made.rows, 0)
    assert content(lived) == before
    assert lived.host.blobs.get(lived.host.blobs.put(b"%PDF facture")) == b"%PDF facture"


def test_secrets_stay_encrypted_and_the_key_is_not_in_the_file(
    house: House, tmp_path: Path
) -> None:
    with house.host.store.begin() as tx:
        from encaisse_core import grants

        grants.create_grant(
            tx,
            house.app.vault,
            house.host.ids,
            at=house.clock.now(),
            organisation_id=tx.execute(select(schema.organisation.c.id).limit(1)).scalar_one(),
            connector="papertool",
            environment="test",
            secrets={"token": "mot-de-passe-tres-secret"},
        )
    file = tmp_path / "s.zip"
    made = back_up(house, file)
    key = (house.app.folder / "kek").read_text().split()[0]
    assert made.kek_ids == (house.app.vault.kek_id,)
    with zipfile.ZipFile(file) as held:
        for name in held.namelist():
            raw = held.read(name)
            assert b"tres-secret" not in raw
            assert key.encode() not in raw


def test_a_backup_shows_one_moment_while_others_write(lived: House, tmp_path: Path) -> None:
    """Each write moves two tables together; no backup shows one without the other."""
    stop = threading.Event()
    store = lived.host.store

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with store.begin() as tx:
                for table in (schema.organisation, schema.heartbeat):
                    values: dict[str, Any] = (
                        {"id": f"org_{number}", "name": "x", "kind": "company", "created_at": "x"}
                        if table is schema.organisation
                        else {"name": f"org_{number}", "at": "x"}
                    )
                    tx.execute(table.insert().values(**values))
                tx.execute(
                    schema.access.insert().values(
                        organisation_id=f"org_{number}",
                        company_id=lived.company,
                        role="prepare",
                        basis="essai",
                        starts_on="2026-02-02",
                    )
                )

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(4):
            file = tmp_path / f"{number}.zip"
            back_up(lived, file)
            archive = backup.open_archive(file)
            made = {row["id"] for row in archive.rows("organisation") if row["name"] == "x"}
            given = {
                row["organisation_id"] for row in archive.rows("access") if row["basis"] == "essai"
            }
            assert made == given
    finally:
        stop.set()
        writer.join()


def test_no_altered_byte_is_restored(lived: House, tmp_path: Path) -> None:
    file, bad = tmp_path / "s.zip", tmp_path / "bad.zip"
    back_up(lived, file)
    raw = file.read_bytes()
    good = backup.open_archive(file)
    rows = {name: list(good.rows(name)) for name in good.tables}
    rng = random.Random(1)
    refused = 0
    for place in [*rng.sample(range(len(raw)), 60), *range(len(raw) - 40, len(raw))]:
        bad.write_bytes(
            raw[:place] + bytes([raw[place] ^ (1 << rng.randrange(8))]) + raw[place + 1 :]
        )
        try:
            read = backup.open_archive(bad)
        except StoreError as error:
            assert "sauvegarde" in error.message
            refused += 1
        else:  # a byte of the wrapping that says nothing: what is read must be the same
            assert {name: list(read.rows(name)) for name in read.tables} == rows
    assert refused > 60
    for cut in (0, 1, 100, len(raw) // 2, len(raw) - 1):
        bad.write_bytes(raw[:cut])
        with pytest.raises(StoreError, match="abîmée"):
            backup.open_archive(bad)
    with pytest.raises(StoreError, match="n'existe pas"):
        backup.open_archive(tmp_path / "none.zip")


def test_a_store_that_holds_anything_is_left_as_it_is(lived: House, tmp_path: Path) -> None:
    file = tmp_path / "s.zip"
    back_up(lived, file)
    before = content(lived)
    url = str(lived.host.store.engine.url)
    with pytest.raises(StoreError, match="contient déjà"):
        backup.restore(
            backup.open_archive(file), url, tmp_path / "d", lived.host.ids, at=lived.clock.now()
        )
    assert content(lived) == before


def test_a_backup_of_a_newer_version_is_refused(lived: House, tmp_path: Path) -> None:
    file = tmp_path / "s.zip"
    back_up(lived, file)
    archive = backup.open_archive(file)
    newer = backup.Archive(file, {**archive.manifest, "revision": "9999"}, archive.digest)
    target = tmp_path / "t.db"
    with pytest.raises(StoreError, match="plus récente"):
        backup.restore(
            newer, f"sqlite:///{target}", tmp_path / "d", lived.host.ids, at=lived.clock.now()
        )
    assert not target.exists()


def test_a_backup_of_an_older_version_is_brought_up(
    lived: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first version had no table of restorations; its backup is restored into this one."""
    file = tmp_path / "s.zip"
    with monkeypatch.context() as patch:
        before = {"restoration", "delivery"} | {
            "heartbeat",
            "rate_bucket",
            "refresh_lease",
            "virtual_clock",
        }
        patch.setattr("encaisse_core.backup.dumping.SHARED_ONLY", frozenset(before))
        patch.setattr("encaisse_core.backup.dumping.head", lambda: "0001")
        made = back_up(lived, file)
    held = content(lived)
    done = restore(lived, file, tmp_path / "new")
    assert (done.migrated_from, done.rows) == ("0001", made.rows)
    assert content(lived) == held
    with lived.host.store.begin() as tx:
        assert restored.open_of(tx, lived.company) is not None


def test_a_journal_that_does_not_hold_is_not_restored(lived: House, tmp_path: Path) -> None:
    e = schema.event.c
    with lived.host.store.begin() as tx:
        row = tx.execute(select(e.sequence, e.body).where(e.kind == "payment_seen")).one()
        altered = row.body.replace("4000", "4001")
        assert altered != row.body
        tx.execute(schema.event.update().where(e.sequence == row.sequence).values(body=altered))
    file = tmp_path / "s.zip"
    back_up(lived, file)
    target = f"sqlite:///{tmp_path / 't.db'}"
    with pytest.raises(StoreError, match="ne tient pas"):
        backup.restore(
            backup.open_archive(file), target, tmp_path / "d", lived.host.ids, at=lived.clock.now()
        )
    store = open_store(target)
    with store.begin() as tx:
        assert tx.execute(select(schema.company.c.id)).first() is None
    store.close()


def test_what_left_between_backup_and_restoration_is_found_not_sent(
    house: House, tmp_path: Path
) -> None:
    """Openings, an entry, a declaration: all were made by nights the restored store never lived."""
    approve_and_sign(house)
    back_up(house, tmp_path / "s.zip")
    house.night()
    opened = list(house.paper.procedures)
    house.paper.collect("p1", opened[0], line_of(house, opened), 40_00, date(2026, 2, 5))
    house.night()
    house.paper.pay("F-2", 30_00)
    house.night()
    written, stops = list(house.paper.written), list(house.paper.stops)
    assert (len(written), len(stops)) == (1, 1)
    restore(house, tmp_path / "s.zip", tmp_path / "new")
    for _ in range(2):
        house.night()
    assert list(house.paper.procedures) == opened
    assert house.paper.written == written
    assert house.paper.stops == stops
    assert payments(house, "F-1") == [("collector", 40_00)]
    assert payments(house, "F-2") == [("source", 30_00)]
    assert house.claim("F-1")["hold"] is None
    with house.host.store.begin() as tx:
        assert restored.open_of(tx, house.company) is None, "nothing is in doubt any more"


def test_nothing_opens_beside_a_procedure_the_store_forgot(house: House, tmp_path: Path) -> None:
    """Proposed, approved, signed and opened after the backup: a person says what it is."""

    from tests.core import handing

    from encaisse_api import ProcedureState
    from encaisse_core import adopting, proposals, runner

    house.night()
    back_up(house, tmp_path / "s.zip")
    house.clock.sleep(3600)
    handing.approve_and_sign(house.app, house.company, house.paper)
    house.night()
    (opened,) = house.paper.procedures
    house.paper.states[opened] = ProcedureState(
        remote_id=opened, reference=opened, state="active", updated_at=house.clock.now()
    )
    house.paper.collect("p1", opened, line_of(house, [opened]), 40_00, date(2026, 2, 5))
    house.night()
    (mandate,) = house.paper.mandates
    written = list(house.paper.written)
    restore(house, tmp_path / "s.zip", tmp_path / "new")
    house.night()
    assert "unknown_procedure" in house.tasks()
    found = proposals.propose(house.host, house.company)
    proposals.approve(house.host, house.company, found, by="essai")
    runner.drain(house.host, house.company, nightly.OPENINGS, patience=timedelta(0))
    assert list(house.paper.mandates) == [mandate], "nobody is asked to sign it again"
    house.night()
    assert list(house.paper.procedures) == [opened]
    with house.host.store.begin() as tx:
        for proposal in found:
            proposals.drop(house.host, tx, house.company, proposal, "essai")
    adopting.adopt(house.host, house.company, opened, mandate, by="essai")
    for _ in range(2):
        house.night()
    assert list(house.paper.procedures) == [opened]
    assert house.paper.written == written
    assert payments(house, "F-1") == [("collector", 40_00)]
    with house.host.store.begin() as tx:
        assert restored.open_of(tx, house.company) is None


def test_where_nothing_can_be_looked_up_a_person_is_asked(house: House, tmp_path: Path) -> None:
    from encaisse_api import Write

    opened = house.open_everything()
    back_up(house, tmp_path / "s.zip")
    house.paper.collect("p1", opened[0], line_of(house, opened), 40_00, date(2026, 2, 5))
    house.night()
    assert len(house.paper.written) == 1
    tool = house.shelf.known["papertool"]
    blind = {name: Write(guarantee="none") for name in tool.manifest.writes}
    tool.manifest = tool.manifest.model_copy(update={"writes": blind})
    restore(house, tmp_path / "s.zip", tmp_path / "new")
    house.night()
    assert len(house.paper.written) == 1
    assert house.effect_states("record_payment") == ["parked"]
    assert "uncertain" in house.tasks()
