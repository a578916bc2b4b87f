"""Bring a backup back into an empty store: all of it, checked, in one transaction.

What a restored store does not know is what was sent since the backup was made. So in the very
transaction that brings the rows back, every effect that is not closed becomes `uncertain`, and each
company is marked: until its partners were read again and asked, what is planned is looked up before
it is sent (`restored.py`, `recovering.py`).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, Table, func, select

from encaisse_core import journal
from encaisse_core.backup.archive import SHARED_ONLY, Archive, Row, damaged
from encaisse_core.blobs import Blobs
from encaisse_core.clock import Ids
from encaisse_core.errors import StoreError
from encaisse_core.restored import mark
from encaisse_core.store import Store, open_store, schema
from encaisse_core.store.apart import owner_column, within
from encaisse_core.store.engine import plain_engine
from encaisse_core.store.versions import head, is_known, make_tables

ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Restored:
    """Tell what was brought back. `in_doubt` counts effects to be looked up before any new one."""

    rows: int
    documents: int
    missing: tuple[str, ...]
    companies: int
    taken_at: str
    digest: str
    migrated_from: str | None
    in_doubt: int
    kek_ids: tuple[str, ...]


def restore(archive: Archive, url: str, folder: Path, ids: Ids, *, at: datetime) -> Restored:
    """Restore into the empty database at `url` and the documents' folder.

    Raises `StoreError` for a backup of a newer version, a store that holds anything, a journal that
    does not hold: the store is then as it was.
    """
    if not is_known(archive.revision):
        raise StoreError(
            f"Cette sauvegarde a été faite par une version plus récente d'encaisse (révision "
            f"{archive.revision}). Rien n'a été restauré : mettez encaisse à jour, puis relancez."
        )
    old = archive.revision if archive.revision != head() else None
    store = open_store(url)
    try:
        with store.overseeing().begin() as tx:
            _refuse_unless_empty(tx, url)
        blobs = Blobs(folder)
        for digest in archive.documents:
            if blobs.put(archive.document(digest)) != digest:
                damaged(archive.path, "un document n'a pas sa somme")
        if old is None:
            return _load(store, archive, archive.rows, archive.tables, ids, at, old)
        with _brought_up(archive) as older, older.engine.connect() as read:
            names = [t.name for t in schema.metadata.sorted_tables if t.name not in SHARED_ONLY]

            def rows(name: str) -> Iterator[Row]:
                table = schema.metadata.tables[name]
                for row in read.execute(select(table)).mappings():
                    yield dict(row)

            return _load(store, archive, rows, names, ids, at, old)
    finally:
        store.close()


def _refuse_unless_empty(tx: Connection, url: str) -> None:
    """Let nothing be overwritten: a store with any fact in it stays as it is."""
    for table in schema.metadata.sorted_tables:
        if table.name in SHARED_ONLY or table is schema.signing_key:
            continue  # made by the first command that opens an empty store
        if tx.execute(select(func.count()).select_from(table)).scalar_one():
            where = "La base" if "sqlite" not in url else "Le dossier de données"
            raise StoreError(
                f"{where} contient déjà des données : rien n'a été restauré. Restaurez dans un "
                "dossier neuf (ENCAISSE_HOME) ou une base vide (ENCAISSE_DATABASE_URL)."
            )


class _brought_up:
    """Load an older backup into a database of its own, and bring that to the code's version."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __enter__(self) -> Store:
        self._folder = tempfile.TemporaryDirectory(prefix="encaisse-restore-")
        path = Path(self._folder.name) / "older.db"
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        url = f"sqlite:///{path}"
        engine = plain_engine(url)
        try:
            make_tables(engine, self._archive.revision)
            _insert_as_it_was(engine, self._archive)
        finally:
            engine.dispose()
        self._store = open_store(url)  # brings it to the code's version
        return self._store

    def __exit__(self, *_: object) -> None:
        self._store.close()
        self._folder.cleanup()


def _insert_as_it_was(engine: Engine, archive: Archive) -> None:
    known = MetaData()
    with engine.begin() as tx:
        known.reflect(tx)
        _insert(tx, archive, known.tables, archive.rows, archive.tables)


def _load(
    store: Store,
    archive: Archive,
    rows: Any,
    names: Iterable[str],
    ids: Ids,
    at: datetime,
    old: str | None,
) -> Restored:
    with store.overseeing().begin() as tx:
        _refuse_unless_empty(tx, str(store.engine.url))
        tx.execute(schema.signing_key.delete())
        written = _insert(tx, archive, schema.metadata.tables, rows, names)
        companies = [str(one) for one in tx.execute(select(schema.company.c.id)).scalars()]
        in_doubt = 0
        for company_id in companies:
            within(tx, company_id)
            _check_journal(tx, archive, company_id)
            in_doubt += mark(tx, company_id, ids.new("rst"), archive.taken_at, archive.digest, at)
    return Restored(
        rows=written,
        documents=len(archive.documents),
        missing=tuple(archive.manifest["missing_documents"]),
        companies=len(companies),
        taken_at=archive.taken_at,
        digest=archive.digest,
        migrated_from=old,
        in_doubt=in_doubt,
        kek_ids=tuple(archive.manifest["kek_ids"]),
    )


def _insert(
    tx: Connection,
    archive: Archive,
    known: Mapping[str, Table],
    rows: Any,
    names: Iterable[str],
) -> int:
    """Insert every row, a table after those it refers to, a row after the one it refers to.

    Each company's rows are inserted as that company's.
    """
    if tx.dialect.name == "sqlite":
        tx.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    wanted = set(names)
    if strange := wanted - set(known):
        damaged(archive.path, f"table inconnue : {sorted(strange)[0]}")
    written = 0
    for table in _in_order(known):
        if table.name not in wanted:
            continue
        batch: list[Row] = []
        owned, owner = owner_column(table), None
        for row in _parents_first(table, rows(table.name)):
            if set(row) - set(table.columns.keys()):
                damaged(archive.path, f"colonne inconnue dans {table.name}")
            if owned is not None and row.get(owned) != owner:
                if batch:
                    tx.execute(table.insert(), batch)
                    batch = []
                owner = row.get(owned)
                within(tx, str(owner))
            batch.append(row)
            if len(batch) == ROWS_AT_ONCE:
                tx.execute(table.insert(), batch)
                batch = []
            written += 1
        if batch:
            tx.execute(table.insert(), batch)
    return written


def _in_order(known: Mapping[str, Table]) -> list[Table]:
    any_table = next(iter(known.values()))
    return list(any_table.metadata.sorted_tables)


def _parents_first(table: Table, rows: Iterable[Row]) -> Iterable[Row]:
    """Put rows after those of the same table they refer to, which PostgreSQL asks for at once."""
    up = [
        [(element.parent.name, element.column.name) for element in constraint.elements]
        for constraint in table.foreign_key_constraints
        if constraint.referred_table is table
    ]
    if not up:
        return rows
    waiting = list(rows)
    placed: list[Row] = []
    done: list[set[tuple[Any, ...]]] = [set() for _ in up]
    while waiting:
        later: list[Row] = []
        for row in waiting:
            needs = [tuple(row[own] for own, _ in pairs) for pairs in up]
            if all(None in need or need in done[n] for n, need in enumerate(needs)):
                placed.append(row)
                for n, pairs in enumerate(up):
                    done[n].add(tuple(row[theirs] for _, theirs in pairs))
            else:
                later.append(row)
        if len(later) == len(waiting):
            return [*placed, *later]  # a circle: the database says which reference is broken
        waiting = later
    return placed


def _check_journal(tx: Connection, archive: Archive, company_id: str) -> None:
    """Check each company's chain, and that it ends where it did when the backup was made."""
    e = schema.event.c
    last = tx.execute(
        select(e.sequence, e.hash)
        .where(e.company_id == company_id)
        .order_by(e.sequence.desc())
        .limit(1)
    ).first()
    due = archive.manifest["journal"].get(company_id)
    if (None if last is None else [last.sequence, last.hash]) != due:
        damaged(archive.path, "le journal ne finit pas où il finissait")
    verdict = journal.verify(journal.export(tx, company_id))
    if verdict.broken_at is not None:
        raise StoreError(
            f"Le journal de cette sauvegarde ne tient pas. {verdict.sentence_fr} Rien n'a été "
            "restauré : prenez une sauvegarde plus ancienne."
        )
