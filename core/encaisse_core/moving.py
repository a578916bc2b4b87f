"""Take payments off one claim and put them on another: the two were one, or are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from encaisse_core.allocate import allocate
from encaisse_core.allocations import allocate_to, open_echeances
from encaisse_core.host import Host
from encaisse_core.payments import ask_refund
from encaisse_core.store import schema
from encaisse_core.store.engine import rows, stamp


def take_off(tx: Connection, company_id: str, payment_id: str) -> list[dict[str, Any]]:
    """Take a payment off the échéances it went to; give the lines it had, to be put back."""
    a, e = schema.allocation.c, schema.echeance.c
    here = (a.company_id == company_id, a.payment_id == payment_id)
    lines = rows(tx.execute(select(schema.allocation).where(*here).order_by(a.id)))
    tx.execute(schema.allocation.delete().where(*here))
    for line in lines:
        tx.execute(
            schema.echeance.update()
            .where(e.company_id == company_id, e.id == line["echeance_id"])
            .values(open=e.open + line["amount"])
        )
    return lines


def put_back(
    tx: Connection,
    company_id: str,
    payment_id: str,
    claim_id: str,
    lines: Sequence[Mapping[str, Any]],
    unallocated: int,
) -> None:
    """Make a payment a claim's again, on the very lines it had there."""
    _belongs(tx, company_id, payment_id, claim_id, unallocated)
    for line in lines:
        allocate_to(
            tx,
            company_id,
            payment_id,
            claim_id,
            line["echeance_id"],
            line["amount"],
            line["created_at"],
        )


def put_on(
    host: Host, tx: Connection, company_id: str, payment: Mapping[str, Any], claim_id: str
) -> None:
    """Make a payment taken off elsewhere a claim's: on its oldest échéances, the rest too much.

    `payment` is its row with `undone` beside it: the id of its going back, None while it stands.
    One that went back settles nothing, and neither does its going back.
    """
    now = stamp(host.clock.now())
    payment_id, amount = payment["id"], payment["amount"]
    if payment["undone"] is not None:
        _belongs(tx, company_id, payment_id, claim_id, amount)
        _belongs(tx, company_id, payment["undone"], claim_id, -amount)
        return
    lines = allocate(amount, open_echeances(tx, company_id, claim_id))
    _belongs(tx, company_id, payment_id, claim_id, lines.unallocated)
    for line in lines.lines:
        allocate_to(tx, company_id, payment_id, claim_id, line.id, line.cents, now)
    currency = payment["currency"]
    ask_refund(host, tx, company_id, claim_id, payment_id, lines.unallocated, currency)


def _belongs(
    tx: Connection, company_id: str, payment_id: str, claim_id: str, unallocated: int
) -> None:
    p = schema.payment.c
    tx.execute(
        schema.payment.update()
        .where(p.company_id == company_id, p.id == payment_id)
        .values(claim_id=claim_id, unallocated=unallocated)
    )
