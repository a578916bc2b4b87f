"""Judge a case by business effect: the partners' ledgers, the calls made, the host's own books.

Ids, tokens and instants are left out of what is compared: two runs that did the same are equal.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Table, select

from encaisse_core.app import App
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
from encaisse_lab import books_check
from encaisse_lab.checker import (
    AMOUNT_IS_THEIRS,
    Effect,
    double_procedures,
    standing_effects,
)
from encaisse_lab.faults_town import Town

LANDS_AS: Mapping[str, str] = {
    "declare_direct_payment": "direct_payment",
    "withdraw": "procedure_withdrawn",
    "amend": "procedure_amended",
    "record_payment": "payment_draft",
    "reverse_payment": "reversal_draft",
}
"""What an effect on one invoice is called in its partner's ledger."""

SHOWN: Mapping[str, tuple[str, ...]] = {
    "claim": ("number", "state", "total", "open", "hold"),
    "sighting": ("remote_ref", "state", "presence", "total", "open", "expected", "untold"),
    "payment": ("amount", "origin", "unallocated"),
    "allocation": ("amount",),
    "settlement": ("remote_id", "state", "principal", "fee"),
    "payout": ("remote_id", "state", "net"),
    "voucher_line": ("account", "debit", "credit"),
    "proposal": ("state",),
    "mandate": ("state",),
    "procedure": ("remote_id", "state"),
    "reservation": ("principal",),
    "effect": ("kind", "state", "fate"),
    "task": ("kind", "done_at"),
    "commission_line": ("kind", "amount", "basis"),
    "commission_statement": ("period", "number"),
    "connection": ("connector", "state", "failed_at"),
    "document": ("sha256",),
    "difference": ("kind",),
    "unreadable": ("stream", "remote_ref"),
}
"""Columns that say what is so, by table; of an instant only whether there is one."""

NAMES = ("double", "conflict", "maybe_same", "amount_rose")
"""Questions by which a person learns that something may stand twice."""

WHETHER = ("done_at", "failed_at")


@dataclass(frozen=True, slots=True)
class Findings:
    """Say what is wrong after a case; empty everywhere is right."""

    duplicates: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unbalanced: tuple[str, ...] = ()
    journal_ok: bool = True
    named: frozenset[str] = frozenset()
    """Invoices of which the host told a person that something may stand twice."""

    @property
    def sound(self) -> bool:
        """Tell whether nothing is wrong."""
        return self.journal_ok and not (self.duplicates or self.missing or self.unbalanced)


def look(app: App, town: Town, company_id: str, anchor: str | None) -> Findings:
    """Judge everything once the last stage is over."""
    ledger = town.world.ledger()
    wanted, standing = town.expected(), standing_effects(ledger)
    may = ("myunisoft", town.bills["double"].number)
    known = _lands(app, company_id)
    extra = [
        each
        for each in (standing - wanted).elements()
        if each[:2] != may or known[each] < standing[each]
    ]
    lettered = Counter(
        entry.invoice_number for entry in ledger if entry.kind == "lettered" and entry.via == "api"
    )
    duplicates = [f"{each}" for each in sorted(extra)]
    duplicates += double_procedures(town.world.gcollect.procedures_ledger())
    duplicates += _stated_twice(app, company_id)
    missing = [f"{each}" for each in sorted((wanted - standing).elements())]
    missing += [f"not lettered: {number}" for number in _unlettered(town, lettered)]
    missing += [f"in the store alone: {each}" for each in sorted((known - standing).elements())]
    missing += [f"not stated: {name}" for name in _unstated(app, company_id)]
    missing += [f"not played: {act.fate} {act.deed}" for act in town.left]
    return Findings(
        tuple(duplicates),
        tuple(missing),
        tuple(books_check.unbalanced(app, company_id, ledger)),
        books_check.journal_holds(app, company_id, anchor),
        _named(app, company_id),
    )


def unaccounted(app: App, company_id: str, writes: Collection[str]) -> list[str]:
    """Compare the history of calls with the outbox, by the keys the calls carried.

    No call may carry a key no effect stands under (an effect is written down before any request),
    and no effect may be done that no call ever carried. (No tool lets a lettering carry a key.)
    """
    e = schema.effect.c
    with app.host.store.begin() as tx:
        keyless = set(tx.execute(select(e.key).where(e.kind == "letter")).scalars())
        state = {
            row.key: row.state
            for row in tx.execute(select(e.key, e.state).where(e.company_id == company_id))
        }
    sent = set(writes)
    return [f"sent without an effect: {key}" for key in sorted(sent - set(state))] + [
        f"done without a call: {key}"
        for key, where in sorted(state.items())
        if where == "done" and key not in sent | keyless
    ]


def _lands(app: App, company_id: str) -> Counter[Effect]:
    """Count, from the store alone, what each effect done should have left at its partner."""
    e, c = schema.effect.c, schema.connection.c
    query = (
        select(e.kind, e.payload, c.connector)
        .join(schema.connection, (c.company_id == e.company_id) & (c.id == e.connection_id))
        .where(e.company_id == company_id, e.state == "done", e.kind.in_(LANDS_AS))
    )
    found: Counter[Effect] = Counter()
    with app.host.store.begin() as tx:
        for row in tx.execute(query):
            said, kind = json.loads(row.payload), LANDS_AS[row.kind]
            cents = 0 if kind in AMOUNT_IS_THEIRS else said["amount"]
            sign = -1 if row.kind == "reverse_payment" else 1
            found[row.connector, said["invoice_number"], kind, sign * cents] += 1
    return found


def _unlettered(town: Town, lettered: Counter[str]) -> list[str]:
    """Name invoices that are paid in full in the books and still open there."""
    still = {item.invoice_number for item in town.books.open_items()}
    paid = [town.bills[fate].number for fate in ("full", "parts")]
    return [number for number in paid if number in still or not lettered[number]]


def _stated_twice(app: App, company_id: str) -> list[str]:
    x = schema.statement_line.c
    with app.host.store.begin() as tx:
        lines = Counter(tx.execute(select(x.line_id).where(x.company_id == company_id)).scalars())
    return [f"commission line stated twice: {line}" for line, count in lines.items() if count > 1]


def _unstated(app: App, company_id: str) -> list[str]:
    """Name commission lines of the month that no statement shows."""
    x, m = schema.statement_line.c, schema.commission_line.c
    with app.host.store.begin() as tx:
        stated = set(tx.execute(select(x.line_id).where(x.company_id == company_id)).scalars())
        lines = tx.execute(
            select(m.id, m.created_at).where(
                m.company_id == company_id, m.created_at < "2026-02-28"
            )
        ).all()
    return [row.id for row in lines if row.id not in stated]


def _named(app: App, company_id: str) -> frozenset[str]:
    """Name the invoices of which a person was told that the money may not be what it seems."""
    t, d, c, e = schema.task.c, schema.difference.c, schema.claim.c, schema.effect.c
    with app.host.store.begin() as tx:
        claims = {
            row.id: row.number
            for row in tx.execute(select(c.id, c.number).where(c.company_id == company_id))
        }
        effects = {
            row.id: row.subject
            for row in tx.execute(select(e.id, e.subject).where(e.company_id == company_id))
        }
        asked = tx.execute(
            select(t.subject).where(t.company_id == company_id, t.kind.in_(NAMES))
        ).scalars()
        told = {claims.get(effects.get(each, each), "") for each in asked}
        listed = tx.execute(
            select(d.claim_id).where(d.company_id == company_id, d.kind == "open_amount")
        ).scalars()
        told |= {claims.get(each or "", "") for each in listed}
    return frozenset(told)


def picture(app: App, town: Town, *, midway: bool = False) -> str:
    """Draw what stands in the store and at the partners, without ids or instants.

    Two runs of one picture go on alike: what comes next depends on nothing else. Midway through a
    night it depends on how far streams were read and on what waits for its time as well; between
    two stages every wait is over.
    """
    drawn: dict[str, object] = {}
    with app.host.store.begin() as tx:
        if midway:
            c, e = schema.cursor.c, schema.effect.c
            read = tx.execute(select(c.stream, c.value).order_by(c.stream, c.value))
            now = stamp(app.host.store.db_now(tx))
            later = select(e.kind).where(e.finished_at.is_(None), e.ready_at > now)
            drawn["read"] = sorted(map(repr, read))
            drawn["waits"] = sorted(tx.execute(later).scalars())
        d = schema.delivery.c
        unheard = tx.execute(select(d.connection_id).where(d.looked_at.is_(None))).all()
        drawn["told"] = len(unheard)
        for name, columns in SHOWN.items():
            table: Table = schema.metadata.tables[name]
            rows = [
                tuple(
                    (value is not None) if column in WHETHER else value
                    for column, value in zip(columns, row, strict=True)
                )
                for row in tx.execute(select(*(table.c[column] for column in columns)))
            ]
            drawn[name] = sorted(Counter(map(repr, rows)).items())
    drawn["ledger"] = sorted(map(repr, town.world.ledger()))
    drawn["drafts"] = len(town.books.drafts())
    drawn["left"] = sorted(map(repr, town.left))
    return json.dumps(drawn, sort_keys=True)
