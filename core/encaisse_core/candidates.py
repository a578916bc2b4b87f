"""Find what a sighting may be the same as, in the store, and choose; the thinking is in `join.py`.

The strong rungs come first; rung 5 is only read as far as it can still say something. One amount
billed a thousand times to a customer would otherwise be read a thousand times over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from encaisse_api import SourceInvoice
from encaisse_core.doubts import LOOK_ALIKES
from encaisse_core.faces import Face, Key, keys
from encaisse_core.host import Host, Link
from encaisse_core.join import Candidate, Choice, Doubtful, Joined, choose, verify
from encaisse_core.sightings import record_of
from encaisse_core.store import schema
from encaisse_core.store.engine import rows


def face_of(link: Link, row: Mapping[str, Any], invoice: SourceInvoice, *, issued: bool) -> Face:
    """Reduce a record to what identifies the claim it shows."""
    lineage = invoice.lineage
    return Face(
        sighting_id=row["id"],
        connection_id=link.id,
        kind=invoice.kind,
        seller_siren=invoice.seller.siren,
        number=invoice.number,
        issue_date=invoice.issue_date,
        currency=invoice.currency,
        total=invoice.total.minor,
        due_dates=tuple(i.due_date for i in invoice.instalments if i.due_date is not None),
        debtor_key=invoice.debtor.siren,
        document_sha256=invoice.document_sha256,
        lineage=None if lineage is None else (lineage.tool, lineage.ref, lineage.claim_ref),
        own_refs=((link.connector, invoice.ref),),
        issued=issued,
        direction=invoice.direction,
        seller_vat=invoice.seller.vat_id,
    )


def chosen(host: Host, tx: Connection, company_id: str, face: Face) -> Choice:
    """Choose the claim of a face among those already placed.

    While a person is asked about all that look alike, only the claim asked about is read; a claim
    joined that is among them already has nothing more to be asked.
    """
    wanted = keys(face)
    strong = _found(host, tx, company_id, face, [key for key in wanted if key.rung != 5])
    first = choose(face, strong)
    weak = [key for key in wanted if key.rung == 5 and _stands(tx, company_id, key)]
    if isinstance(first, Joined):
        weak = [key for key in weak if not _stands(tx, company_id, key, first.claim_id)]
    if not weak:
        return first
    if not isinstance(first, Doubtful) and not (isinstance(first, Joined) and first.also):
        asked = [_asked(host, tx, company_id, face, key) for key in weak]
        if all(asked):
            return choose(face, [*strong, *(each for group in asked for each in group)])
    return choose(face, [*strong, *_found(host, tx, company_id, face, weak)])


def _stands(tx: Connection, company_id: str, key: Key, claim_id: str | None = None) -> bool:
    """Tell whether anything, or this claim, stands under a key."""
    k = schema.claim_key.c
    query = select(k.claim_id).where(
        k.company_id == company_id, k.rung == key.rung, k.value == key.value
    )
    if claim_id is not None:
        query = query.where(k.claim_id == claim_id)
    return tx.execute(query.limit(1)).first() is not None


def _asked(host: Host, tx: Connection, company_id: str, face: Face, key: Key) -> list[Candidate]:
    """Give the claims a person is being asked about for all that look alike under a key."""
    k, t = schema.claim_key.c, schema.task.c
    asked = select(t.subject).where(
        t.company_id == company_id, t.kind == LOOK_ALIKES, t.done_at.is_(None)
    )
    found = _found(host, tx, company_id, face, [key], k.claim_id.in_(asked))
    return [replace(each, asked=True) for each in found if verify(face, each) != "different"]


def _found(
    host: Host,
    tx: Connection,
    company_id: str,
    face: Face,
    wanted: Sequence[Key],
    only: ColumnElement[bool] | None = None,
) -> list[Candidate]:
    """Find the sightings that share a key."""
    k, s, c = schema.claim_key.c, schema.sighting.c, schema.connection.c
    if not wanted:
        return []
    stated = face.lineage[2] if face.lineage else None  # our own claim, named by the tool
    under = and_(
        k.rung.in_(sorted({key.rung for key in wanted})),
        k.value.in_(sorted({key.value for key in wanted})),
        or_(*(and_(k.rung == key.rung, k.value == key.value) for key in wanted)),
    )  # the lists first: of alternatives alone, SQLite reads every key of the company
    named = or_(under, k.claim_id == stated)
    query = (
        select(k.rung.label("key_rung"), schema.sighting, c.connector, c.account, c.sequence)
        .join(schema.sighting, (s.company_id == k.company_id) & (s.id == k.sighting_id))
        .join(schema.connection, (c.company_id == s.company_id) & (c.id == s.connection_id))
        .where(k.company_id == company_id, under if stated is None else named)
        .order_by(k.rung, k.claim_id, k.sighting_id)
    )
    if only is not None:
        query = query.where(only)
    found: list[Candidate] = []
    for row in rows(tx.execute(query)):
        link = Link(
            id=row["connection_id"],
            company_id=company_id,
            siren="",
            environment="",
            connector=row["connector"],
            grant_id="",
            account=row["account"],
            state="",
            settings={},
            sequence=row["sequence"],
            referrer_id=None,
        )
        found.append(
            Candidate(
                claim_id=row["claim_id"],
                rung=3 if row["claim_id"] == stated else row["key_rung"],
                face=face_of(
                    link, row, record_of(row["record"]), issued=not host.follows_money(link)
                ),
                live=row["presence"] == "live",
            )
        )
    return found
