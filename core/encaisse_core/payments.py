"""Record money that moved once: a payment, where it went, and its going back.

Money one tool showed is news the other tools of the claim have not told yet: their `untold` says
how much, so that the same money seen there later is recognised and not counted again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from encaisse_core import claim_states, journal, tasks
from encaisse_core.allocate import allocate
from encaisse_core.allocations import allocate_to, open_echeances
from encaisse_core.cents import euros
from encaisse_core.host import Host, Link
from encaisse_core.naming import first_free, named
from encaisse_core.store import schema
from encaisse_core.store.engine import rows, stamp
from encaisse_core.store.schema.money import ALLOCATED

TOLD = ("echo", "same", "bridged")
"""Roles of a sighting of a payment in a tool that knows of it, or will without our doing."""

USED = "affecté à la facture"
JOINED = "réunie à une autre créance"
"""How a question answers itself without anybody's answer."""


def add_payment(
    host: Host,
    tx: Connection,
    company_id: str,
    claim_id: str,
    amount: int,
    currency: str,
    paid_on: str,
    origin: str,
    *,
    shown_by: str | None = None,
    settlement_id: str | None = None,
) -> str:
    """Record money once and allocate it to the oldest échéances; what is too much is a refund.

    `shown_by` is the sighting whose tool showed it: the claim's other tools have yet to tell it.
    `settlement_id` is what the collector reported it by.
    """
    now = host.clock.now()
    told_by = settlement_id or shown_by or claim_id
    payment_id = first_free(tx, schema.payment, company_id, "pay", origin, told_by, amount)
    lines = allocate(amount, open_echeances(tx, company_id, claim_id))
    tx.execute(
        schema.payment.insert().values(
            company_id=company_id,
            id=payment_id,
            claim_id=claim_id,
            amount=amount,
            currency=currency,
            paid_on=paid_on,
            origin=origin,
            reverses=None,
            settlement_id=settlement_id,
            shown_by=shown_by,
            unallocated=lines.unallocated,
            created_at=stamp(now),
        )
    )
    for line in lines.lines:
        allocate_to(tx, company_id, payment_id, claim_id, line.id, line.cents, stamp(now))
    if shown_by is not None:
        untold_elsewhere(tx, company_id, claim_id, shown_by, amount)
    journal.append(
        tx,
        company_id,
        now,
        "payment_seen",
        payment_id,
        {"claim": claim_id, "origin": origin, "amount": amount, "unallocated": lines.unallocated},
    )
    if origin != "credit":
        ask_refund(host, tx, company_id, claim_id, payment_id, lines.unallocated, currency)
    claim_states.refresh(host, tx, company_id, claim_id)
    return payment_id


def undo_payment(
    host: Host,
    tx: Connection,
    company_id: str,
    payment_id: str,
    on: str,
    *,
    shown_by: str | None = None,
) -> str:
    """Record that money went back: an entry of its own, mirroring each allocation."""
    now = host.clock.now()
    p, a = schema.payment.c, schema.allocation.c
    row = (
        tx.execute(select(schema.payment).where(p.company_id == company_id, p.id == payment_id))
        .mappings()
        .one()
    )
    undo_id = named("pay", company_id, "undo", payment_id)
    tx.execute(
        schema.payment.insert().values(
            company_id=company_id,
            id=undo_id,
            claim_id=row["claim_id"],
            amount=-row["amount"],
            currency=row["currency"],
            paid_on=on,
            origin=row["origin"],
            reverses=payment_id,
            settlement_id=row["settlement_id"],
            shown_by=shown_by,
            unallocated=-row["unallocated"],
            created_at=stamp(now),
        )
    )
    lines = rows(
        tx.execute(
            select(schema.allocation).where(a.company_id == company_id, a.payment_id == payment_id)
        )
    )
    for line in lines:
        allocate_to(
            tx,
            company_id,
            undo_id,
            line["claim_id"],
            line["echeance_id"],
            -line["amount"],
            stamp(now),
        )
    if shown_by is not None:
        untold_elsewhere(tx, company_id, row["claim_id"], shown_by, -row["amount"])
    journal.append(
        tx,
        company_id,
        now,
        "payment_went_back",
        undo_id,
        {"claim": row["claim_id"], "reverses": payment_id, "amount": -row["amount"]},
    )
    tasks.close(tx, company_id, "refund", payment_id, "le paiement est reparti", at=now)
    use_unallocated(host, tx, company_id, row["claim_id"])
    claim_states.refresh(host, tx, company_id, row["claim_id"])
    return undo_id


def standing(
    tx: Connection, company_id: str, claim_id: str, *origins: str
) -> Sequence[Mapping[str, Any]]:
    """List a claim's payments that did not go back, the newest first."""
    p = schema.payment
    undo = p.alias("undo")
    query = (
        select(p)
        .outerjoin(undo, (undo.c.company_id == p.c.company_id) & (undo.c.reverses == p.c.id))
        .where(
            p.c.company_id == company_id,
            p.c.claim_id == claim_id,
            p.c.origin.in_(origins),
            p.c.reverses.is_(None),
            undo.c.id.is_(None),
        )
        .order_by(p.c.paid_on.desc(), p.c.created_at.desc(), p.c.id.desc())
    )
    return rows(tx.execute(query))


def stands(tx: Connection, company_id: str, payment_id: str) -> bool:
    """Tell whether a payment did not go back."""
    p = schema.payment.c
    undone = select(p.id).where(p.company_id == company_id, p.reverses == payment_id)
    return tx.execute(undone).first() is None


def untold_elsewhere(
    tx: Connection, company_id: str, claim_id: str, shown_by: str, cents: int
) -> None:
    """Note that a claim's other tools have not shown this money yet."""
    s = schema.sighting.c
    tx.execute(
        schema.sighting.update()
        .where(s.company_id == company_id, s.claim_id == claim_id, s.id != shown_by)
        .values(untold=s.untold + cents)
    )


def untold_at_first_sight(tx: Connection, where: Link, claim_id: str, shown: int) -> int:
    """Tell how much of what is paid a tool whose record joins a claim does not show yet.

    `shown` is the record's open amount. What a collector received is told to tools by our
    write-backs: what is not written into this one yet is no news to wait for. What is written there
    counts as shown, also in a record the tool gave a new name since.
    """
    company_id = where.company_id
    p, c, x = schema.payment.c, schema.claim.c, schema.payment_sighting.c
    owed = int(
        tx.execute(select(c.open).where(c.company_id == company_id, c.id == claim_id)).scalar_one()
    )
    here = (p.company_id == company_id, p.claim_id == claim_id)
    query = select(p.id, p.origin, ALLOCATED.label("cents")).where(*here)
    paid = [row for row in tx.execute(query) if row.cents is not None]
    told: dict[str, str] = {}
    if paid:
        marks = select(x.payment_id, x.role).where(
            x.company_id == company_id,
            x.connection_id == where.id,
            x.role.in_(TOLD),
            x.payment_id.in_([row.id for row in paid]),
        )
        told = {row.payment_id: row.role for row in tx.execute(marks)}
    awaited = comes = 0
    for row in paid:
        if row.origin != "collector" or told.get(row.id) == "bridged":
            comes += int(row.cents)
        elif row.id not in told:
            awaited += int(row.cents)
    return max(0, min(shown - owed - awaited, comes))


def ask_refund(
    host: Host,
    tx: Connection,
    company_id: str,
    claim_id: str,
    payment_id: str,
    cents: int,
    currency: str,
) -> None:
    """Ask to give back what is too much, for what is too much now.

    Asked anew where the question answered itself: money that was used may be too much once more.
    """
    now = host.clock.now()
    if cents == 0:
        tasks.close(tx, company_id, "refund", payment_id, USED, at=now)
        return
    number = claim_states.number_of(tx, company_id, claim_id)
    sentence = (
        f"Le client a payé {euros(cents)} {currency} de trop sur la facture {number} : cet argent "
        "est à lui, remboursez-le ou imputez-le avec son accord."
    )
    if not tasks.reword(tx, company_id, "refund", payment_id, sentence):
        tasks.ask(
            tx,
            company_id,
            "refund",
            payment_id,
            sentence,
            task_id=host.ids.new("tsk"),
            at=now,
            again=tasks.last_answer(tx, company_id, "refund", payment_id) in (USED, JOINED),
        )


def use_unallocated(host: Host, tx: Connection, company_id: str, claim_id: str) -> None:
    """Let money that was too much a moment ago pay what is open again.

    The customer paid twice and one payment went back: the other one is then the payment.
    """
    now = host.clock.now()
    p = schema.payment
    for payment in reversed(standing(tx, company_id, claim_id, "source", "collector", "credit")):
        if payment["unallocated"] <= 0:
            continue
        used = allocate(payment["unallocated"], open_echeances(tx, company_id, claim_id))
        if not used.lines:
            continue
        for line in used.lines:
            allocate_to(tx, company_id, payment["id"], claim_id, line.id, line.cents, stamp(now))
        tx.execute(
            p.update()
            .where(p.c.company_id == company_id, p.c.id == payment["id"])
            .values(unallocated=used.unallocated)
        )
        if payment["origin"] != "credit":
            left, currency = used.unallocated, payment["currency"]
            ask_refund(host, tx, company_id, claim_id, payment["id"], left, currency)
        journal.append(
            tx,
            company_id,
            now,
            "payment_allocated",
            payment["id"],
            {"claim": claim_id, "amount": used.allocated},
        )
