"""Write collected principal back into the tool whose books the company keeps.

Planned from allocations, routed to the one connection the company chose, written at most once, and
read back at once: what the tool shows after our write is what we expect it to show, so that the
next pull brings no news of our own doing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
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
from encaisse_core import bridges, outbox, restored, routing, tasks
from encaisse_core.host import Host, Link, link
from encaisse_core.kinds import Kind, Never, NotNow
from encaisse_core.outbox import Effect
from encaisse_core.sightings import store_invoices
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp


def plan_write_backs(host: Host, company_id: str) -> int:
    """Plan a write-back for each collected payment not yet in the books; return how many."""
    planned = 0
    with host.store.begin("writeback.plan") as tx:
        route = routing.choose(host, tx, company_id, "record_payment", RecordsPayments)
        if route is None:
            return 0
        target = link(tx, company_id, route)
        host.store.one_at_a_time(tx, company_id)
        entries = _entries(tx, company_id)
        exported = handed_over(tx, company_id)
        for row in _collected(tx, company_id, target.id):
            written = entries.setdefault(row["payment_id"], [])
            missing = abs(int(row["amount"])) - sum(entry.cents for entry in written)
            missing -= abs(exported.get(row["payment_id"], 0))
            if missing <= 0:
                continue
            if row["amount"] > 0:
                made = _plan(host, tx, target, row, "record_payment", missing, len(written))
                written += [made] if made else []
                planned += made is not None
            elif host.can(target, ReversesPayments):
                undone = {entry.undoes for entry in written}
                for entry in entries.get(row["reverses"], []):
                    if entry.id not in undone and missing > 0:
                        part = min(missing, entry.cents)
                        made = _plan(
                            host, tx, target, row, "reverse_payment", part, len(written), entry.id
                        )
                        written += [made] if made else []
                        planned += made is not None
                        missing -= part
    return planned


@dataclass(frozen=True, slots=True)
class _Entry:
    """Describe one entry planned for a payment; a reversal undoes one entry, not one payment."""

    id: str
    cents: int
    undoes: str | None = None


def _plan(
    host: Host,
    tx: Connection,
    target: Link,
    row: Mapping[str, Any],
    kind: str,
    cents: int,
    times: int,
    undoes: str | None = None,
) -> _Entry | None:
    effect_id = outbox.plan(
        host,
        tx,
        company_id=target.company_id,
        kind=kind,
        subject=row["claim_id"],
        cause=row["payment_id"] if not times else f"{row['payment_id']}:{times}",
        connection_id=target.id,
        payload={
            "payment_id": row["payment_id"],
            "undoes": undoes,
            "sighting_id": row["sighting_id"],
            "invoice_ref": row["remote_ref"],
            "invoice_number": row["number"],
            "amount": cents,
            "currency": row["currency"],
            "paid_on": row["paid_on"],
        },
    )
    return None if effect_id is None else _Entry(effect_id, cents, undoes)


def _entries(tx: Connection, company_id: str) -> dict[str, list[_Entry]]:
    """List the entries planned for each payment.

    A payment may pay more of its claim later, when another one went back: only the rest is written.
    """
    e = schema.effect.c
    found: dict[str, list[_Entry]] = {}
    query = (
        select(e.id, e.payload)
        .where(e.company_id == company_id, e.kind.in_(outbox.ENTRIES))
        .order_by(e.created_at, e.id)
    )
    for row in tx.execute(query):
        said = json.loads(row.payload)
        entry = _Entry(row.id, said["amount"], said.get("undoes"))
        found.setdefault(said["payment_id"], []).append(entry)
    return found


def handed_over(tx: Connection, company_id: str) -> dict[str, int]:
    """Add up the principal of each payment that accountants were handed as entries to import."""
    x = schema.exported_payment.c
    query = (
        select(x.payment_id, func.sum(x.amount).label("amount"))
        .where(x.company_id == company_id)
        .group_by(x.payment_id)
    )
    return {row.payment_id: int(row.amount) for row in tx.execute(query)}


def _beyond(tx: Connection, effect: Effect) -> bool:
    """Tell whether an entry would post what accountants were handed, retried after the export."""
    payment_id = effect.payload["payment_id"]
    exported = abs(handed_over(tx, effect.company_id).get(payment_id, 0))
    if not exported:
        return False
    p, e = schema.payment.c, schema.effect.c
    whole = tx.execute(
        select(p.amount).where(p.company_id == effect.company_id, p.id == payment_id)
    ).scalar_one()
    done = select(e.payload).where(
        e.company_id == effect.company_id,
        e.kind.in_(outbox.ENTRIES),
        e.subject == effect.subject,
        e.state == "done",
    )
    told = [json.loads(text) for text in tx.execute(done).scalars()]
    posted = sum(said["amount"] for said in told if said["payment_id"] == payment_id)
    room = abs(int(whole)) - exported - int(posted)
    return bool(effect.payload["amount"] > room)


def _collected(tx: Connection, company_id: str, connection_id: str) -> list[dict[str, Any]]:
    """List collected principal per payment, with the invoice it belongs to in that tool.

    Not while a person looks whether the tool shows it already, nor once the person said so.
    """
    p, a, s = schema.payment.c, schema.allocation.c, schema.sighting.c
    t, x = schema.task.c, schema.payment_sighting.c
    asked = select(t.subject).where(
        t.company_id == company_id, t.kind == "maybe_same", t.done_at.is_(None)
    )
    typed = select(x.payment_id).where(
        x.company_id == company_id, x.connection_id == connection_id, x.role == "same"
    )
    principal = (  # for each payment: grouped, SQLite would read all of a tool's records for each
        select(func.sum(a.amount))
        .where(a.company_id == p.company_id, a.payment_id == p.id)
        .correlate(schema.payment)
        .scalar_subquery()
    )
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
            principal.label("amount"),
        )
        .join(schema.sighting, (s.company_id == p.company_id) & (s.claim_id == p.claim_id))
        .where(
            p.company_id == company_id,
            p.origin == "collector",
            s.connection_id == connection_id,
            p.claim_id.not_in(asked),
            p.id.not_in(typed),
        )
        .order_by(p.paid_on, p.id, s.remote_ref)
    )
    found: dict[str, dict[str, Any]] = {}
    for row in tx.execute(query).mappings():
        if row["amount"]:
            found.setdefault(row["payment_id"], dict(row))  # one tool, one entry per payment
    return list(found.values())


def forget_echo(tx: Connection, effect: Effect, seen: SourceInvoice | Missing) -> None:
    """Take back what a refused entry made us expect: the tool no longer shows it.

    Where the invoice is gone as well, what it showed moves too: it was read with our entry.
    """
    x, s = schema.payment_sighting.c, schema.sighting.c
    moved = outbox.ENTRIES[effect.kind] * effect.payload["amount"]
    tx.execute(
        schema.payment_sighting.delete().where(
            x.company_id == effect.company_id, x.effect_id == effect.id, x.role == "echo"
        )
    )
    tx.execute(
        schema.sighting.update()
        .where(s.company_id == effect.company_id, s.id == effect.payload["sighting_id"])
        .values(
            expected=s.expected + moved,
            open=s.open + (moved if isinstance(seen, Missing) else 0),
            written=s.written + 1,
        )
    )
    bridges.forget_copy(tx, effect.company_id, effect.id, moved)


class _BooksEntry(Kind):
    """Share what a payment and its reversal have in common: reading back and expecting.

    A refused write leaves the claim as it is: the money came in, only the books do not show it.
    """

    def amount(self, effect: Effect) -> Money:
        """Ask the receipt to confirm what was written."""
        return Money.of_minor(effect.payload["amount"], effect.payload["currency"])

    def ready(self, host: Host, link: Link, effect: Effect, told: BaseModel) -> None:
        """Wait for the answer where a person was asked since the entry was planned."""
        x = schema.payment_sighting.c
        with host.store.begin() as tx:
            asked = tasks.open_on(tx, effect.company_id, effect.subject)
            typed = tx.execute(
                select(x.remote_ref).where(
                    x.company_id == effect.company_id,
                    x.connection_id == link.id,
                    x.payment_id == effect.payload["payment_id"],
                    x.role == "same",
                )
            ).first()
            beyond = _beyond(tx, effect)
        if "maybe_same" in asked:
            raise NotNow("Une question sur ce paiement attend sa réponse.")
        if typed is not None:
            raise Never("Ce paiement est déjà saisi dans l'outil.")
        if beyond:
            raise Never(
                "Le principal de ce paiement a été remis à la comptabilité (encaisse payouts) : "
                "il n'est pas inscrit une seconde fois."
            )

    reads_back = True

    def look(
        self, host: Host, link: Link, partner: Any, effect: Effect
    ) -> SourceInvoice | Missing | None:
        """Read the invoice again right after the write."""
        try:
            answer: SourceInvoice | Missing
            answer = partner.read_invoices([effect.payload["invoice_ref"]])[0]
        except PartnerError:
            return None  # tonight's pull reads it; the difference then equals what we expect
        return answer

    def landed(
        self,
        host: Host,
        tx: Connection,
        link: Link,
        effect: Effect,
        receipt: Receipt,
        seen: SourceInvoice | Missing | None,
    ) -> None:
        """Move what we expect the tool to show by exactly what we wrote.

        Where it could not be read back, what it shows moves too: it was read before our entry.
        """
        seen = None if isinstance(seen, Missing) else seen
        s, seen_there = schema.sighting.c, schema.payment_sighting.c
        remote_ref = f"{effect.payload['invoice_ref']}:{receipt.remote_id}"
        moved = outbox.ENTRIES[effect.kind] * effect.payload["amount"]
        taken = tx.execute(
            select(seen_there.payment_id).where(
                seen_there.company_id == effect.company_id,
                seen_there.connection_id == link.id,
                seen_there.remote_ref == remote_ref,
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
            .values(
                expected=s.expected - moved,
                open=s.open - (moved if seen is None else 0),
                fingerprint=s.fingerprint if seen is not None else "",
                written=s.written + 1,
            )
        )
        tx.execute(
            schema.payment_sighting.insert().values(
                company_id=effect.company_id,
                connection_id=link.id,
                remote_ref=remote_ref,
                payment_id=effect.payload["payment_id"],
                role="echo",
                effect_id=effect.id,
                record=receipt.model_dump_json(),
                seen_at=stamp(host.clock.now()),
            )
        )
        e = schema.effect.c
        tx.execute(
            schema.effect.update()
            .where(e.company_id == effect.company_id, e.id == effect.id)
            .values(fate=receipt.state)
        )
        written = {
            "effect_id": effect.id,
            "payment_id": effect.payload["payment_id"],
            "sighting_id": effect.payload["sighting_id"],
            "cents": moved,
        }
        bridges.expect_copy(host, tx, effect.company_id, link.id, written)
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

    def ready(self, host: Host, link: Link, effect: Effect, told: BaseModel) -> None:
        """Wait, after a restored backup, until what the entry did in other tools is explained."""
        super().ready(host, link, effect, told)
        with host.store.begin() as tx:
            unexplained = restored.unexplained(tx, effect.company_id, effect.subject)
        if unexplained:
            raise NotNow("Les outils sont d'abord rapprochés, après la restauration.", timedelta(0))

    def build(self, host: Host, link: Link, effect: Effect) -> tuple[BaseModel, ...]:
        payload = effect.payload
        e = schema.effect.c
        with host.store.begin() as tx:
            original = tx.execute(
                select(e.state, e.remote_id).where(
                    e.company_id == effect.company_id, e.id == payload["undoes"]
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
