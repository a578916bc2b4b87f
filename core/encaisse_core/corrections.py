"""Take over what a tool corrected, once a person said that it stands."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from encaisse_core import claim_states, retractions
from encaisse_core.host import Host
from encaisse_core.join import CREDITS
from encaisse_core.observed import expect, follow, sighting
from encaisse_core.payments import add_payment, standing, undo_payment, untold_elsewhere
from encaisse_core.store import schema


def take_over_rise(host: Host, tx: Connection, company_id: str, claim_id: str) -> None:
    """Owe again what a tool shows as owed, once a person said that it stands.

    Known payments are undone as far as they fit; the rest was paid before we came, so the
    échéances rise by it, never above what was invoiced.
    """
    s = schema.sighting.c
    risen = tx.execute(
        select(s.id).where(
            s.company_id == company_id,
            s.claim_id == claim_id,
            s.presence == "live",
            s.open > s.expected,
        )
    ).scalars()
    today = host.clock.today().isoformat()
    for sighting_id in risen.all():
        row = sighting(tx, company_id, sighting_id)
        rest = row["open"] - row["expected"] + min(0, row["untold"])
        for payment in standing(tx, company_id, claim_id, "source"):
            if 0 < payment["amount"] <= rest:
                rest -= payment["amount"]
                undo_payment(host, tx, company_id, payment["id"], today, shown_by=sighting_id)
                retractions.went_back(host, tx, payment)
        if rest > 0:
            owed = _owe_again(tx, company_id, claim_id, rest)
            untold_elsewhere(tx, company_id, claim_id, sighting_id, -owed)
        expect(tx, row, expected=row["open"], untold=max(0, row["untold"]))
    claim_states.refresh(host, tx, company_id, claim_id)


def _owe_again(tx: Connection, company_id: str, claim_id: str, cents: int) -> int:
    """Raise échéances up to what was invoiced; give by how much."""
    left = cents
    e = schema.echeance.c
    parts = tx.execute(
        select(e.id, e.amount, e.open)
        .where(e.company_id == company_id, e.claim_id == claim_id)
        .order_by(e.due_date.desc(), e.ref.desc())
    ).all()
    for part in parts:
        more = min(left, max(0, part.amount - part.open))
        left -= more
        tx.execute(
            schema.echeance.update()
            .where(e.company_id == company_id, e.id == part.id)
            .values(open=e.open + more)
        )
    return cents - left


def take_over_entry(host: Host, tx: Connection, company_id: str, claim_id: str) -> None:
    """Take for explained what tools show after an accountant changed an entry of ours.

    It is the same money, entered otherwise: no payment comes of it, and none goes back.
    """
    s = schema.sighting.c
    changed = tx.execute(
        select(s.id).where(
            s.company_id == company_id,
            s.claim_id == claim_id,
            s.presence == "live",
            s.open != s.expected,
        )
    ).scalars()
    for sighting_id in changed.all():
        row = sighting(tx, company_id, sighting_id)
        expect(tx, row, expected=row["open"], expected_credited=row["credited"])
    claim_states.refresh(host, tx, company_id, claim_id)


def take_over_total(host: Host, tx: Connection, company_id: str, claim_id: str) -> None:
    """Bring a claim to the total its tool corrected, once a person said that it stands.

    Less is a credit: the collector is told of it as of a credit note. More is an échéance of its
    own, which no signed mandate covers.
    """
    c, e, s = schema.claim.c, schema.echeance.c, schema.sighting.c
    here = (c.company_id == company_id, c.id == claim_id)
    claim = tx.execute(select(c.total, c.currency, c.kind).where(*here)).one()
    told = tx.execute(
        select(s.id, s.total).where(
            s.company_id == company_id, s.claim_id == claim_id, s.rung == 0, s.presence == "live"
        )
    ).first()
    if told is None or told.total == claim.total:
        return
    more = told.total - claim.total
    tx.execute(schema.claim.update().where(*here).values(total=told.total))
    if claim.kind in CREDITS:
        follow(host, tx, sighting(tx, company_id, told.id))
        return
    if more < 0:
        today = host.clock.today().isoformat()
        add_payment(host, tx, company_id, claim_id, -more, claim.currency, today, "credit")
        return
    parts = tx.execute(
        select(func.max(e.due_date).label("due"), func.count().label("count")).where(
            e.company_id == company_id, e.claim_id == claim_id
        )
    ).one()
    tx.execute(
        schema.echeance.insert().values(
            company_id=company_id,
            id=host.ids.new("ech"),
            claim_id=claim_id,
            ref=f"correction-{parts.count}",
            due_date=parts.due,
            due_estimated=0,
            amount=more,
            open=more,
        )
    )
    claim_states.refresh(host, tx, company_id, claim_id)
