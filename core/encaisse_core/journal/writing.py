"""Append events and seal heads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection, Text, bindparam, select

from encaisse_core.errors import CheckFailed, StoreError
from encaisse_core.journal.form import FIRST, JSON, canonical, event_hash, head_message
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
from encaisse_core.store.said import Said
from encaisse_core.store.upsert import FEW, insert_many

EVENT = ("company_id", "sequence", "at", "kind", "subject", "body", "previous", "hash")


class Signs(Protocol):
    """Sign bytes; the same bytes give the same signature (Ed25519, RFC 8032)."""

    @property
    def public_key(self) -> str:
        """Give the raw public key, 64 hexadecimal digits."""
        ...

    def sign(self, message: bytes) -> str:
        """Give the signature, 128 hexadecimal digits."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold one event before it has its place in the chain."""

    at: datetime
    kind: str
    subject: str
    body: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Head:
    """Hold a signed head: the chain up to `sequence` ends in `hash`."""

    sequence: int
    hash: str
    signature: str
    public_key: str
    sealed_at: str


def append(
    connection: Connection,
    company_id: str,
    at: datetime,
    kind: str,
    subject: str,
    body: Mapping[str, JSON],
) -> int:
    """Append one event to the company's chain and give its sequence, counted from 1."""
    return append_all(connection, company_id, [Entry(at, kind, subject, body)])


def append_all(connection: Connection, company_id: str, entries: Iterable[Entry]) -> int:
    """Append events in the order given; give the sequence of the last (0 in an empty chain).

    The company is locked first, so a second writer waits instead of failing on the unique key
    (company, sequence), which stays the guarantee. Raises `ValueError` for a body that has no
    canonical form, before anything is written.
    """
    sequence, previous = _turn(connection, company_id)
    rows: list[tuple[object, ...]] = []
    for entry in entries:
        sequence += 1
        at, body = stamp(entry.at), canonical(dict(entry.body))
        hash_ = event_hash(
            previous,
            company_id=company_id,
            sequence=sequence,
            at=at,
            kind=entry.kind,
            subject=entry.subject,
            body=body,
        )
        rows.append((company_id, sequence, at, entry.kind, entry.subject, body, previous, hash_))
        previous = hash_
    if len(rows) <= FEW:
        if rows:
            _ONE.run_each(connection, [dict(zip(EVENT, row, strict=True)) for row in rows])
    else:
        insert_many(connection, schema.event, EVENT, rows)
    return sequence


def seal(connection: Connection, company_id: str, at: datetime, signer: Signs) -> Head | None:
    """Sign the chain's last event; None where nothing has happened yet.

    A head that stands is given back, not signed twice. The events since the last head are read
    again first: signing a chain that was changed meanwhile would vouch for the change. Raises
    `CheckFailed` then.
    """
    siren, environment = _lock(connection, company_id)
    sequence, hash_ = _last_event(connection, company_id)
    if sequence == 0:
        return None
    h = schema.journal_head.c
    last = connection.execute(
        select(h.sequence, h.hash, h.signature, h.public_key, h.sealed_at)
        .where(h.company_id == company_id)
        .order_by(h.sequence.desc())
        .limit(1)
    ).first()
    before = Head(*last) if last is not None else None
    _check_since(connection, company_id, before)
    if before is not None and before.sequence == sequence:
        return before
    sealed_at = stamp(at)
    message = head_message(
        company_id=company_id,
        siren=siren,
        environment=environment,
        sequence=sequence,
        hash_=hash_,
        previous_head=before.hash if before else FIRST,
        sealed_at=sealed_at,
    )
    head = Head(sequence, hash_, signer.sign(message), signer.public_key, sealed_at)
    connection.execute(
        schema.journal_head.insert().values(
            company_id=company_id,
            sequence=head.sequence,
            hash=head.hash,
            signature=head.signature,
            public_key=head.public_key,
            sealed_at=head.sealed_at,
        )
    )
    return head


def _check_since(connection: Connection, company_id: str, before: Head | None) -> None:
    """Read the chain again from the last signed head on."""
    e = schema.event.c
    start = before.sequence if before else 1
    previous = None if before else FIRST
    expected = start
    events = connection.execute(
        select(e.sequence, e.at, e.kind, e.subject, e.body, e.previous, e.hash)
        .where(e.company_id == company_id, e.sequence >= start)
        .order_by(e.sequence)
    )
    for sequence, at, kind, subject, body, stored_previous, stored in events:
        computed = event_hash(
            stored_previous,
            company_id=company_id,
            sequence=sequence,
            at=at,
            kind=kind,
            subject=subject,
            body=body,
        )
        whole = sequence == expected and computed == stored
        if previous is not None:
            whole = whole and stored_previous == previous
        if before is not None and sequence == before.sequence:
            whole = whole and stored == before.hash
        if not whole:
            raise CheckFailed(
                f"Le journal de la société {company_id} ne tient plus à l'événement {expected} : "
                "il a été modifié depuis son écriture. Rien n'a été scellé. Exportez-le, "
                "comparez-le à une sauvegarde et à la dernière tête imprimée."
            )
        previous, expected = stored, expected + 1
    if before is not None and expected == start:
        raise CheckFailed(
            f"Le journal de la société {company_id} a perdu des événements déjà scellés "
            f"(dernière tête : événement {start}). Restaurez une sauvegarde."
        )


def _turn(connection: Connection, company_id: str) -> tuple[int, str]:
    """Take the company's turn to write; give the sequence and the hash of its last event.

    SQLite has one writer, so nothing is locked there, and a chain that has an event has a company:
    one that has none is asked for it.
    """
    if connection.dialect.name == "sqlite":
        row = _LAST.run(connection, {"of_company": company_id}).fetchone()
        if row is not None:
            return row[0], row[1]
    _lock(connection, company_id)
    return _last_event(connection, company_id)


def _lock(connection: Connection, company_id: str) -> tuple[str, str]:
    """Take the company's turn to write; give its SIREN and environment.

    FOR NO KEY UPDATE on PostgreSQL: it keeps other writers of this journal out, but not the rows
    of other tables that refer to the company. SQLite has one writer anyway.
    """
    row = _COMPANY.run(connection, {"of_company": company_id}).fetchone()
    if row is None:
        raise StoreError(f"La société {company_id} n'existe pas : rien n'a été écrit au journal.")
    return row[0], row[1]


def _last_event(connection: Connection, company_id: str) -> tuple[int, str]:
    row = _LAST.run(connection, {"of_company": company_id}).fetchone()
    return (row[0], row[1]) if row is not None else (0, FIRST)


_OF = bindparam("of_company", type_=Text)
_COMPANY = Said(
    select(schema.company.c.siren, schema.company.c.environment)
    .where(schema.company.c.id == _OF)
    .with_for_update(key_share=True)
)
_LAST = Said(
    select(schema.event.c.sequence, schema.event.c.hash)
    .where(schema.event.c.company_id == _OF)
    .order_by(schema.event.c.sequence.desc())
    .limit(1)
)
_ONE = Said(schema.event.insert().values({name: bindparam(name) for name in EVENT}))
"""Made once: they stand in every page that brought news, and in every effect."""
