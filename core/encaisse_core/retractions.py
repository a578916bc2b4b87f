"""Ask a person to have a collector forget what it was told of money the company received.

No collector takes such a word back by itself: one that was told of its own payment, or of one that
went back since, claims too little until somebody calls it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from encaisse_core import tasks
from encaisse_core.cents import euros
from encaisse_core.claim_states import number_of
from encaisse_core.host import Host
from encaisse_core.store import schema

OWN_MONEY = "double"
GONE = "told_and_gone"
GIVEN_BACK = "la créance n'est plus confiée à ce partenaire"

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

FOR_MONEY = ("declare_direct_payment", "withdraw")
"""Stops that tell a collector of one payment; lowering tells it what is left (`claimed.py`)."""

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
            where = {"procedure": held, "claim": claim_id}
            _ask(host, tx, company_id, GONE, payment["id"], what, TOLD[effect.state], where)


def take_back(host: Host, tx: Connection, company_id: str) -> None:
    """Ask no more to have claimed again what a collector claims no more at all."""
    t, r = schema.task.c, schema.reservation.c
    query = select(t.subject, t.about).where(
        t.company_id == company_id, t.kind == GONE, t.done_at.is_(None), t.about.is_not(None)
    )
    for task in tx.execute(query).all():
        where = tasks.what(task.about)
        held = select(r.claim_id).where(
            r.company_id == company_id,
            r.claim_id == where["claim"],
            r.procedure_id == where["procedure"],
            r.released_at.is_(None),
        )
        if tx.execute(held).first() is None:
            now = host.clock.now()
            tasks.close(tx, company_id, GONE, task.subject, GIVEN_BACK, at=now)


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
    host: Host,
    tx: Connection,
    company_id: str,
    kind: str,
    subject: str,
    what: str,
    told: str,
    where: Mapping[str, Any] | None = None,
) -> None:
    tasks.ask(
        tx,
        company_id,
        kind,
        subject,
        f"{what}{told}{ASKS[kind, told]}",
        task_id=host.ids.new("tsk"),
        at=host.clock.now(),
        about=where,
    )
