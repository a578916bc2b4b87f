"""Write collected principal back into the tool whose books the company keeps.

Planned from allocations and routed to the one connection the company chose; how each entry enters
the books is in `books_entries.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from encaisse_api import (
    RecordsPayments,
    ReversesPayments,
)
from encaisse_core import outbox, routing, succession
from encaisse_core.books_entries import handed_over, wake_explained
from encaisse_core.host import Host, Link, link
from encaisse_core.store import schema
from encaisse_core.store.schema.money import ALLOCATED


def plan_write_backs(host: Host, company_id: str) -> int:
    """Plan a write-back for each collected payment not yet in the books; return how many.

    Those that waited for what their tool shows are tried again where that is explained.
    """
    planned = 0
    with host.store.begin("writeback.plan") as tx:
        route = routing.choose(host, tx, company_id, "record_payment", RecordsPayments)
        if route is None:
            return 0
        target = link(tx, company_id, route)
        host.store.one_at_a_time(tx, company_id)
        succession.follow(tx, company_id)
        wake_explained(host, tx, company_id)
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


def _collected(tx: Connection, company_id: str, connection_id: str) -> list[dict[str, Any]]:
    """List collected principal per payment, with the invoice it belongs to in that tool.

    A record that left the tool comes last: what replaced it, or its double, is the invoice.
    Not while a person looks whether the tool shows it already, nor once the person said so.
    """
    p, s = schema.payment.c, schema.sighting.c
    t, x = schema.task.c, schema.payment_sighting.c
    asked = select(t.subject).where(
        t.company_id == company_id, t.kind == "maybe_same", t.done_at.is_(None)
    )
    typed = select(x.payment_id).where(
        x.company_id == company_id, x.connection_id == connection_id, x.role == "same"
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
            ALLOCATED.label("amount"),
        )
        .join(schema.sighting, (s.company_id == p.company_id) & (s.claim_id == p.claim_id))
        .where(
            p.company_id == company_id,
            p.origin == "collector",
            s.connection_id == connection_id,
            p.claim_id.not_in(asked),
            p.id.not_in(typed),
        )
        .order_by(p.paid_on, p.id, s.presence != "live", s.remote_ref)
    )
    found: dict[str, dict[str, Any]] = {}
    for row in tx.execute(query).mappings():
        if row["amount"]:
            found.setdefault(row["payment_id"], dict(row))  # one tool, one entry per payment
    return list(found.values())
