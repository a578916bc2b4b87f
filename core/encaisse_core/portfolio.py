"""Bring sightings of one claim together, and keep each claim's state true to them.

The thinking is in `join.py`; here is what it reads and writes. A sighting that joins nothing makes
a claim of its own; one that might be another's stays apart and a person is asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from encaisse_api import Debtor, SourceInvoice
from encaisse_core import bridges, candidates, doubts, journal, succession
from encaisse_core.claim_states import refresh
from encaisse_core.faces import keys
from encaisse_core.holds import hold
from encaisse_core.host import Host, Link, links
from encaisse_core.join import Joined
from encaisse_core.naming import first_free
from encaisse_core.sightings import record_of
from encaisse_core.store import schema
from encaisse_core.store.engine import rows, stamp
from encaisse_core.store.schema import owed
from encaisse_core.store.schema.base import holding
from encaisse_core.store.upsert import among


def join(host: Host, company_id: str) -> int:
    """Give every new sighting its claim; return how many joined a claim that stood."""
    joined = 0
    s = schema.sighting.c
    with host.store.begin() as tx:
        by_id = {
            link.id: link for link in links(tx, company_id, states=("active", "paused", "ended"))
        }
        waiting = rows(
            tx.execute(
                select(schema.sighting)
                .where(s.company_id == company_id, s.claim_id.is_(None))
                .order_by(s.remote_ref)
            )
        )
    waiting.sort(key=lambda row: (by_id[row["connection_id"]].sequence, row["remote_ref"]))
    for row in waiting:
        with host.store.begin("join.place") as tx:
            host.store.one_at_a_time(tx, company_id)
            if (waits := _still_waits(tx, row)) is not None:
                joined += _place(host, tx, by_id[row["connection_id"]], waits)
    return joined


def _still_waits(tx: Connection, row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Read a sighting again under the company's lock; None where another worker gave it a claim."""
    s = schema.sighting.c
    query = select(schema.sighting).where(
        s.company_id == row["company_id"], s.id == row["id"], s.claim_id.is_(None)
    )
    found = rows(tx.execute(query))
    return found[0] if found else None


def _place(host: Host, tx: Connection, link: Link, row: Mapping[str, Any]) -> bool:
    invoice = record_of(row["record"])
    face = candidates.face_of(link, row, invoice, issued=not host.follows_money(link))
    decision = candidates.chosen(host, tx, link.company_id, face)
    if isinstance(decision, Joined):
        claim_id, rung = decision.claim_id, decision.rung
        explained = succession.explained(tx, link, claim_id, row)
    else:
        explained = {}
        claim_id, rung = new_claim(host, tx, link, invoice), 0
    s = schema.sighting.c
    tx.execute(
        schema.sighting.update()
        .where(s.company_id == link.company_id, s.id == row["id"])
        .values(claim_id=claim_id, rung=rung, **explained)
    )
    for source_id in bridges.feeding(tx, link.company_id, link.id):
        bridges.catch_up(host, tx, link.company_id, source_id, link.id, claim_id)
    for key in keys(face):
        tx.execute(
            schema.claim_key.insert().values(
                company_id=link.company_id,
                rung=key.rung,
                value=key.value,
                claim_id=claim_id,
                sighting_id=row["id"],
            )
        )
    now = host.clock.now()
    journal.append(
        tx,
        link.company_id,
        now,
        "sighting_joined" if isinstance(decision, Joined) else "claim_made",
        claim_id,
        {"sighting": row["id"], "rung": rung, "connection": link.id},
    )
    doubts.keep(host, tx, link.company_id, claim_id, invoice.number, decision)
    return isinstance(decision, Joined)


def new_claim(host: Host, tx: Connection, link: Link, invoice: SourceInvoice) -> str:
    """Make a claim of a record that is the first to show it; give its id."""
    now = host.clock.now()
    claim_id = first_free(tx, schema.claim, link.company_id, "clm", link.id, invoice.ref)
    tx.execute(
        schema.claim.insert().values(
            company_id=link.company_id,
            id=claim_id,
            number=invoice.number,
            kind=invoice.kind,
            issue_date=invoice.issue_date.isoformat(),
            currency=invoice.currency,
            total=invoice.total.minor,
            open=invoice.open.minor,
            state="settled" if invoice.open.minor == 0 else "open",
            debtor_id=_debtor(host, tx, link, invoice.debtor),
            created_at=stamp(now),
        )
    )
    for instalment in invoice.instalments:
        tx.execute(
            schema.echeance.insert().values(
                company_id=link.company_id,
                id=host.ids.new("ech"),
                claim_id=claim_id,
                ref=instalment.ref,
                due_date=instalment.due_date and instalment.due_date.isoformat(),
                due_estimated=int(instalment.due_estimated),
                amount=instalment.amount.minor,
                open=instalment.open.minor,
            )
        )
    return claim_id


def follow_records(host: Host, tx: Connection, company_id: str) -> int:
    """Bring claims up to what their first record says now of the debtor and the due dates.

    A person who adds a SIREN or a due date in the tool does so because a rule asked for it. A claim
    already handed over keeps the debtor it was handed over with. Only records that say something
    else than when they were last followed are read; one that could not be followed whole (its claim
    is handed over, a person is asked about its total) is read again the next time.
    """
    by_id = {link.id: link for link in links(tx, company_id, states=("active", "paused"))}
    debtors: dict[str, str] = {}
    latest: dict[str, tuple[Link, Debtor]] = {}
    changed = 0
    for part in _unfollowed(tx, company_id, list(by_id)):
        dated = _dated(tx, company_id, [row["id"] for row in part])
        whole: list[str] = []
        for row in part:
            link = by_id[row["connection_id"]]
            invoice = record_of(row["record"])
            moved = _due_dates(tx, company_id, row["id"], invoice, dated)
            settled = row["procedure_id"] is None or _same_debtor(tx, link, row, invoice.debtor)
            if row["total"] != row["claimed"]:
                corrected = _corrected(host, tx, company_id, row, invoice)
                moved, settled = corrected or moved, corrected and settled
            debtor_id = row["debtor_id"]
            if row["procedure_id"] is None:
                debtor_id = _debtor(host, tx, link, invoice.debtor, debtors)
                latest[debtor_id] = (link, invoice.debtor)
            if debtor_id != row["debtor_id"]:
                c = schema.claim.c
                tx.execute(
                    schema.claim.update()
                    .where(c.company_id == company_id, c.id == row["id"])
                    .values(debtor_id=debtor_id)
                )
                moved = True
            if settled:
                whole.append(row["sighting_id"])
            if moved:
                changed += 1
                body: dict[str, journal.JSON] = {"debtor": debtor_id}
                journal.append(tx, company_id, host.clock.now(), "claim_followed", row["id"], body)
        _followed(tx, company_id, whole)
    for debtor_id, (link, debtor) in latest.items():
        _describe(tx, link, debtor_id, debtor)
    return changed


FOLLOWED_AT_ONCE = 1000


def _unfollowed(
    tx: Connection, company_id: str, connections: Sequence[str]
) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Read the records whose claims are to be brought up to them, the latest change last."""
    s, c, r = schema.sighting.c, schema.claim.c, schema.reservation.c
    found = tx.execute(
        select(s.id)
        .where(
            s.company_id == company_id,
            holding(owed.UNFOLLOWED),
            s.presence == "live",
            s.connection_id.in_(connections),
        )
        .order_by(s.changed_at, s.claim_id)
    ).scalars()
    ids = found.all()
    query = (
        select(
            s.id.label("sighting_id"),
            s.record,
            s.connection_id,
            s.total,
            c.id,
            c.number,
            c.total.label("claimed"),
            c.debtor_id,
            r.procedure_id,
            r.claim_id.label("reserved"),
        )
        .join(schema.claim, (c.company_id == s.company_id) & (c.id == s.claim_id))
        .outerjoin(
            schema.reservation,
            (r.company_id == c.company_id) & (r.claim_id == c.id) & r.released_at.is_(None),
        )
        .order_by(s.changed_at, c.id)
    )
    for first in range(0, len(ids), FOLLOWED_AT_ONCE):
        part = among(tx, s.id, ids[first : first + FOLLOWED_AT_ONCE])
        yield rows(tx.execute(query.where(s.company_id == company_id, part)))


def _followed(tx: Connection, company_id: str, sighting_ids: Sequence[str]) -> None:
    """Note that claims say what these records say."""
    s = schema.sighting.c
    if sighting_ids:
        tx.execute(
            schema.sighting.update()
            .where(s.company_id == company_id, among(tx, s.id, sighting_ids))
            .values(followed=s.fingerprint)
        )


def _corrected(
    host: Host, tx: Connection, company_id: str, row: Mapping[str, Any], invoice: SourceInvoice
) -> bool:
    """Take over a total the tool corrected; one that was handed over or paid is for a person."""
    c, e = schema.claim.c, schema.echeance.c
    known = {
        found.ref: found
        for found in tx.execute(
            select(e.id, e.ref, e.amount, e.open).where(
                e.company_id == company_id, e.claim_id == row["id"]
            )
        )
    }
    moves = {
        known[i.ref].id: (i.amount.minor, known[i.ref].open + i.amount.minor - known[i.ref].amount)
        for i in invoice.instalments
        if i.ref in known
    }
    same_parts = len(moves) == len(known) == len(invoice.instalments)
    sound = all((open_ < 0) == (amount < 0) for amount, open_ in moves.values() if open_)
    if row["reserved"] is not None or not same_parts or not sound:
        hold(
            host,
            tx,
            company_id,
            row["id"],
            "total_changed",
            f"Le total de la facture {row['number']} a changé dans l'outil alors qu'elle est "
            "confiée ou en partie payée. Rien d'automatique ne se fait avant votre réponse.",
        )
        return False
    for echeance_id, (amount, open_) in moves.items():
        tx.execute(
            schema.echeance.update()
            .where(e.company_id == company_id, e.id == echeance_id)
            .values(amount=amount, open=open_)
        )
    tx.execute(
        schema.claim.update()
        .where(c.company_id == company_id, c.id == row["id"])
        .values(total=invoice.total.minor)
    )
    refresh(host, tx, company_id, row["id"])
    return True


def _describe(tx: Connection, link: Link, debtor_id: str, debtor: Debtor) -> None:
    """Keep a debtor as its own source last described it."""
    d = schema.debtor.c
    detail = debtor.model_dump_json()
    tx.execute(
        schema.debtor.update()
        .where(
            d.company_id == link.company_id,
            d.id == debtor_id,
            d.source_id == link.id,
            d.detail != detail,
        )
        .values(siren=debtor.siren, kind=debtor.kind, name=debtor.name or "", detail=detail)
    )


Dated = tuple[str | None, int]
"""A due date as stored, and whether it is estimated."""


def _dated(
    tx: Connection, company_id: str, claim_ids: Sequence[str]
) -> dict[tuple[str, str], Dated]:
    """Read the due dates of some claims at once: most nights, none of them moves."""
    e = schema.echeance.c
    query = select(e.claim_id, e.ref, e.due_date, e.due_estimated).where(
        e.company_id == company_id, among(tx, e.claim_id, claim_ids)
    )
    return {(row.claim_id, row.ref): (row.due_date, row.due_estimated) for row in tx.execute(query)}


def _due_dates(
    tx: Connection,
    company_id: str,
    claim_id: str,
    invoice: SourceInvoice,
    dated: Mapping[tuple[str, str], Dated],
) -> bool:
    """Move the due dates of the échéances the record still names; `dated` is what they are."""
    e = schema.echeance.c
    moved = False
    for instalment in invoice.instalments:
        due = instalment.due_date and instalment.due_date.isoformat()
        told = (due, int(instalment.due_estimated))
        if dated.get((claim_id, instalment.ref), told) == told:
            continue
        tx.execute(
            schema.echeance.update()
            .where(e.company_id == company_id, e.claim_id == claim_id, e.ref == instalment.ref)
            .values(due_date=told[0], due_estimated=told[1])
        )
        moved = True
    return moved


def _debtor(
    host: Host, tx: Connection, link: Link, debtor: Debtor, known: dict[str, str] | None = None
) -> str:
    """Find or make the debtor: merged by a SIREN the tool states, else the tool's own customer.

    `known` are debtors found before in this transaction, by key.
    """
    key = _debtor_key(link, debtor)
    known = {} if known is None else known
    if key not in known:
        known[key] = _kept_debtor(host, tx, link, debtor, key)
    return known[key]


def _debtor_key(link: Link, debtor: Debtor) -> str:
    if debtor.siren is not None and not debtor.siren_derived:
        return f"siren:{debtor.siren}"
    own = debtor.ref or hashlib.sha256((debtor.name or "").encode()).hexdigest()
    return f"{link.id}:{own}"


def _same_debtor(tx: Connection, link: Link, row: Mapping[str, Any], debtor: Debtor) -> bool:
    """Tell whether a record of a claim handed over says nothing new of who owes it."""
    d = schema.debtor.c
    known = tx.execute(
        select(d.key, d.detail, d.source_id).where(
            d.company_id == link.company_id, d.id == row["debtor_id"]
        )
    ).first()
    if known is None or known.key != _debtor_key(link, debtor):
        return False
    return bool(known.source_id != link.id or known.detail == debtor.model_dump_json())


def _kept_debtor(host: Host, tx: Connection, link: Link, debtor: Debtor, key: str) -> str:
    d = schema.debtor.c
    standing = tx.execute(
        select(d.id).where(d.company_id == link.company_id, d.key == key)
    ).scalar_one_or_none()
    if standing is not None:
        return str(standing)
    debtor_id = host.ids.new("dbt")
    tx.execute(
        schema.debtor.insert().values(
            company_id=link.company_id,
            id=debtor_id,
            key=key,
            siren=debtor.siren,
            kind=debtor.kind,
            name=debtor.name or "",
            detail=debtor.model_dump_json(),
            source_id=link.id,
            created_at=stamp(host.clock.now()),
        )
    )
    return debtor_id
