"""Ask a person to have a collector forget what it was told of money the company received.

No collector takes such a word back by itself: one that was told of its own payment, or of one that
went back since, claims too little until somebody calls it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, exists, func, select

from encaisse_core import tasks
from encaisse_core.cents import euros
from encaisse_core.claim_states import number_of
from encaisse_core.host import Host
from encaisse_core.store import schema

OWN_MONEY = "double"
GONE = "told_and_gone"

SURE = "a été annoncé au partenaire comme reçu par vous"
PERHAPS = "a peut-être été annoncé au partenaire comme reçu par vous"
TOLD = {"done": SURE, "sending": PERHAPS, "uncertain": PERHAPS, "parked": PERHAPS}
"""How sure it is that a collector was told, by the state of the stop.

A planned one is not sent any more. One that was parked, or is under way, nobody knows of.
"""

ASKS = {
    (OWN_MONEY, SURE): ", alors que c'est lui qui l'a encaissé : demandez-lui d'annuler cette "
    "annonce.",
    (OWN_MONEY, PERHAPS): ", alors que c'est lui qui l'a encaissé : vérifiez avec lui et, si "
    "l'annonce lui est parvenue, demandez-lui de l'annuler.",
    (GONE, SURE): ", puis est reparti : demandez-lui de le réclamer de nouveau.",
    (GONE, PERHAPS): ", puis est reparti : vérifiez avec lui et, si l'annonce lui est parvenue, "
    "demandez-lui de le réclamer de nouveau.",
}

FOR_MONEY = ("declare_direct_payment", "amend", "withdraw")
"""Stops by which a collector is told of money the company received."""

Row = Mapping[str, Any]


def own_money(host: Host, tx: Connection, payment: Row) -> None:
    """Let a person call the collector where its own money was declared to it meanwhile."""
    for effect in _told(tx, payment):
        what = f"Un paiement de {euros(payment['amount'])} "
        _ask(host, tx, payment["company_id"], OWN_MONEY, effect.id, what, TOLD[effect.state])


def went_back(host: Host, tx: Connection, payment: Row) -> None:
    """Let a person call the collector where what it was told of went back.

    Not once the claim was given back: what is owed again is then proposed again.
    """
    company_id, claim_id = payment["company_id"], payment["claim_id"]
    r = schema.reservation.c
    held = tx.execute(
        select(r.procedure_id).where(
            r.company_id == company_id, r.claim_id == claim_id, r.released_at.is_(None)
        )
    ).scalar_one_or_none()
    for effect in _told(tx, payment):
        if held is not None and effect.cause.startswith(f"{held}:"):
            number = number_of(tx, company_id, claim_id)
            what = f"Facture {number} : un paiement de {euros(payment['amount'])} "
            _ask(host, tx, company_id, GONE, payment["id"], what, TOLD[effect.state])


def claimed_less(tx: Connection, company_id: str, claim_id: str) -> int:
    """Add up what a collector claims less for money that went back, until a person has called it.

    It was told a lower principal, and is never told a higher one (`Amendment`).
    """
    t, p, e = schema.task.c, schema.payment.c, schema.effect.c
    lowered = exists().where(
        e.company_id == p.company_id,
        e.subject == p.claim_id,
        e.kind == "amend",
        e.cause.like("%:" + p.id),
        e.state.in_(tuple(TOLD)),
    )
    query = (
        select(func.coalesce(func.sum(p.amount - p.unallocated), 0))
        .join(schema.task, (t.company_id == p.company_id) & (t.subject == p.id))
        .where(
            p.company_id == company_id,
            p.claim_id == claim_id,
            t.kind == GONE,
            t.done_at.is_(None),
            lowered,
        )
    )
    return int(tx.execute(query).scalar_one())


def _told(tx: Connection, payment: Row) -> list[Any]:
    """List the stops that told of a payment, or may have."""
    e = schema.effect.c
    query = (
        select(e.id, e.state, e.cause)
        .where(
            e.company_id == payment["company_id"],
            e.kind.in_(FOR_MONEY),
            e.subject == payment["claim_id"],
            e.cause.like(f"%:{payment['id']}"),
            e.state.in_(tuple(TOLD)),
        )
        .order_by(e.id)
    )
    return list(tx.execute(query).all())


def _ask(
    host: Host, tx: Connection, company_id: str, kind: str, subject: str, what: str, told: str
) -> None:
    tasks.ask(
        tx,
        company_id,
        kind,
        subject,
        f"{what}{told}{ASKS[kind, told]}",
        task_id=host.ids.new("tsk"),
        at=host.clock.now(),
    )
