"""Write collected principal back into the tool whose books the company keeps.

Planned from allocations, routed to the one connection the company chose, written at most once, and
read back at once: what the tool shows after our write is what we expect it to show, so that the
next pull brings no news of our own doing.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, func, select

from encaisse_api import (
    Conflict,
    Missing,
    Money,
    PartnerError,
    PaymentEntry,
    Receipt,
    RecordsPayments,
    ReversalEntry,
    ReversesPayments,
    SourceInvoice,
)
from encaisse_core import outbox, routing
from encaisse_core.deliver import Kind, Never, NotNow
from encaisse_core.host import Host, Link, link
from encaisse_core.ingest import store_invoices
from encaisse_core.outbox import Effect
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp


def plan_write_backs(host: Host, company_id: str) -> int:
    """Plan a write-back for each collected payment not yet in the books; return how many."""
    planned = 0
    with host.store.begin() as tx:
        route = routing.choose(host, tx, company_id, "record_payment", RecordsPayments)
        if route is None:
            return 0
        target = link(tx, company_id, route)
        planned_before = _planned(tx, company_id)
        for row in _collected(tx, company_id, target.id):
            kind = "record_payment" if row["amount"] > 0 else "reverse_payment"
            times, cents = planned_before.get(row["payment_id"], (0, 0))
            missing = abs(int(row["amount"])) - cents
            if missing <= 0:
                continue
            if kind == "reverse_payment" and not host.can(target, ReversesPayments):
                continue
            effect = outbox.plan(
                host,
                tx,
                company_id=company_id,
                kind=kind,
                subject=row["claim_id"],
                cause=row["payment_id"] if not times else f"{row['payment_id']}:{times}",
                connection_id=target.id,
                payload={
                    "payment_id": row["payment_id"],
                    "reverses": row["reverses"],
                    "sighting_id": row["sighting_id"],
                    "invoice_ref": row["remote_ref"],
                    "invoice_number": row["number"],
                    "amount": missing,
                    "currency": row["currency"],
                    "paid_on": row["paid_on"],
                },
            )
            planned += effect is not None
    return planned


def _planned(tx: Connection, company_id: str) -> dict[str, tuple[int, int]]:
    """Count the entries planned for each payment, and what they add up to.

    A payment may pay more of its claim later, when another one went back: only the rest is written.
    """
    e = schema.effect.c
    found: dict[str, tuple[int, int]] = {}
    query = select(e.payload).where(
        e.company_id == company_id, e.kind.in_(("record_payment", "reverse_payment"))
    )
    for payload in tx.execute(query).scalars():
        entry = json.loads(payload)
        times, cents = found.get(entry["payment_id"], (0, 0))
        found[entry["payment_id"]] = (times + 1, cents + entry["amount"])
    return found


def _collected(tx: Connection, company_id: str, connection_id: str) -> list[dict[str, Any]]:
    """List collected principal per payment, with the invoice it belongs to in that tool."""
    p, a, s = schema.payment.c, schema.allocation.c, schema.sighting.c
    query = (
        select(
            p.id.label("payment_id"),
            p.claim_id,
            p.reverses,
            p.currency,
            p.paid_on,
            s.id.label("sighting_id"),
            s.remote_ref,
            s.number,
            func.sum(a.amount).label("amount"),
        )
        .join(schema.allocation, (a.company_id == p.company_id) & (a.payment_id == p.id))
        .join(schema.sighting, (s.company_id == p.company_id) & (s.claim_id == p.claim_id))
        .where(
            p.company_id == company_id,
            p.origin == "collector",
            s.connection_id == connection_id,
            s.presence != "removed",
        )
        .group_by(p.id, p.claim_id, p.reverses, p.currency, p.paid_on, s.id, s.remote_ref, s.number)
        .order_by(p.paid_on, p.id, s.remote_ref)
    )
    found: dict[str, dict[str, Any]] = {}
    for row in tx.execute(query).mappings():
        if row["amount"]:
            found.setdefault(row["payment_id"], dict(row))  # one tool, one entry per payment
    return list(found.values())


class _BooksEntry(Kind):
    """Share what a payment and its reversal have in common: reading back and expecting.

    A refused write leaves the claim as it is: the money came in, only the books do not show it.
    """

    sign = 1

    def amount(self, effect: Effect) -> Money:
        """Ask the receipt to confirm what was written."""
        return Money.of_minor(effect.payload["amount"], effect.payload["currency"])

    def look(self, host: Host, link: Link, partner: Any, effect: Effect) -> SourceInvoice | None:
        """Read the invoice again right after the write."""
        try:
            answer = partner.read_invoices([effect.payload["invoice_ref"]])[0]
        except PartnerError:
            return None  # tonight's pull reads it; the difference then equals what we expect
        return None if isinstance(answer, Missing) else answer

    def landed(
        self,
        host: Host,
        tx: Connection,
        link: Link,
        effect: Effect,
        receipt: Receipt,
        seen: SourceInvoice | None,
    ) -> None:
        """Move what we expect the tool to show by exactly what we wrote."""
        s, seen_there = schema.sighting.c, schema.payment_sighting.c
        taken = tx.execute(
            select(seen_there.payment_id).where(
                seen_there.company_id == effect.company_id,
                seen_there.connection_id == link.id,
                seen_there.remote_ref == receipt.remote_id,
            )
        ).first()
        if taken is not None:
            raise Conflict(
                f"{link.connector} donne à cette écriture la référence {receipt.remote_id}, qui "
                "est déjà celle d'un autre paiement."
            )
        tx.execute(
            schema.sighting.update()
            .where(s.company_id == effect.company_id, s.id == effect.payload["sighting_id"])
            .values(expected=s.expected - self.sign * effect.payload["amount"])
        )
        tx.execute(
            schema.payment_sighting.insert().values(
                company_id=effect.company_id,
                connection_id=link.id,
                remote_ref=receipt.remote_id,
                payment_id=effect.payload["payment_id"],
                role="echo",
                effect_id=effect.id,
                record=receipt.model_dump_json(),
                seen_at=stamp(host.clock.now()),
            )
        )
        if seen is not None:
            store_invoices(host, tx, link, [seen])


class RecordPayment(_BooksEntry):
    """Record a collected payment in the books."""

    send = "record_payment"
    find = "find_payment"

    def build(self, host: Host, link: Link, effect: Effect) -> tuple[BaseModel, ...]:
        payload = effect.payload
        entry = PaymentEntry(
            invoice_ref=payload["invoice_ref"],
            invoice_number=payload["invoice_number"],
            amount=Money.of_minor(payload["amount"], payload["currency"]),
            paid_on=date.fromisoformat(payload["paid_on"]),
            reference=effect.key,
            label=f"Recouvrement facture {payload['invoice_number']}",
        )
        return (entry,)


class ReversePayment(_BooksEntry):
    """Undo a payment recorded before: the debtor's bank took it back."""

    send = "reverse_payment"
    find = "find_reversal"
    sign = -1

    def build(self, host: Host, link: Link, effect: Effect) -> tuple[BaseModel, ...]:
        payload = effect.payload
        e = schema.effect.c
        with host.store.begin() as tx:
            original = tx.execute(
                select(e.state, e.remote_id).where(
                    e.company_id == effect.company_id,
                    e.kind == "record_payment",
                    e.subject == effect.subject,
                    e.cause == payload["reverses"],
                )
            ).first()
        if original is None or original.state == "refused":
            raise Never("Le paiement rejeté n'a jamais été inscrit : il n'y a rien à annuler.")
        if original.state != "done":
            raise NotNow("Le paiement à annuler n'est pas encore inscrit.", timedelta(seconds=20))
        entry = ReversalEntry(
            invoice_ref=payload["invoice_ref"],
            invoice_number=payload["invoice_number"],
            payment_remote_id=original.remote_id,
            amount=Money.of_minor(payload["amount"], payload["currency"]),
            reversed_on=date.fromisoformat(payload["paid_on"]),
            reference=effect.key,
            label=f"Rejet de paiement facture {payload['invoice_number']}",
        )
        return (entry,)
