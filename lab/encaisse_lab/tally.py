"""Count what the host holds, for the story and for the summary. Reads only."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import func, select

from encaisse_core import facts, outbox
from encaisse_core.app import App
from encaisse_core.cents import Cents
from encaisse_core.store import schema


@dataclass
class Portfolio:
    """Tell what is collectible and why the rest is not."""

    claims: int = 0
    collectible: int = 0
    collectible_cents: Cents = 0
    reasons: dict[str, int] = field(default_factory=dict[str, int])
    sentences: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Proposed:
    """Be one proposal: a customer, its invoices, the quote."""

    debtor: str
    invoices: int
    principal: Cents
    fee_rate: str


def portfolio(app: App, company_id: str) -> Portfolio:
    """Decide every claim now."""
    told = Portfolio()
    reasons: Counter[str] = Counter()
    with app.host.store.begin() as tx:
        for each in facts.decide_all(app.host, tx, company_id):
            told.claims += 1
            if each.decision.collectible:
                told.collectible += 1
                told.collectible_cents += each.decision.collectible_cents
                continue
            for reason in each.decision.reasons:
                reasons[reason.rule] += 1
                told.sentences.setdefault(reason.rule, reason.sentence_fr)
    told.reasons = dict(sorted(reasons.items()))
    return told


def proposed(app: App, company_id: str) -> list[Proposed]:
    """List the proposals made."""
    p, d = schema.proposal.c, schema.debtor.c
    found: list[Proposed] = []
    query = (
        select(p.annex, p.quote, d.name)
        .join(schema.debtor, (d.company_id == p.company_id) & (d.id == p.debtor_id))
        .where(p.company_id == company_id)
        .order_by(d.name, p.id)
    )
    with app.host.store.begin() as tx:
        for row in tx.execute(query):
            lines, quote = json.loads(row.annex), json.loads(row.quote)
            principal = sum(_cents(line["principal"]["amount"]) for line in lines)
            found.append(Proposed(row.name, len(lines), principal, str(quote.get("fee_rate"))))
    return found


def rows(app: App, company_id: str, table: str) -> int:
    """Count a company's rows of one table."""
    named = schema.metadata.tables[table]
    with app.host.store.begin() as tx:
        query = select(func.count()).select_from(named).where(named.c.company_id == company_id)
        return int(tx.execute(query).scalar_one())


def refused(app: App, company_id: str) -> list[tuple[str, str]]:
    """List (name, reason) of what nobody could read."""
    u = schema.unreadable.c
    query = (
        select(u.remote_ref, u.reason)
        .where(u.company_id == company_id)
        .order_by(u.remote_ref, u.digest)
    )
    with app.host.store.begin() as tx:
        return [(row.remote_ref or "sans nom", row.reason) for row in tx.execute(query)]


def written_back(app: App, company_id: str) -> dict[str, int]:
    """Count the write-backs acknowledged, by tool."""
    e, c = schema.effect.c, schema.connection.c
    query = (
        select(c.connector, func.count())
        .select_from(schema.effect)
        .join(schema.connection, (c.company_id == e.company_id) & (c.id == e.connection_id))
        .where(
            e.company_id == company_id,
            e.kind.in_(outbox.ENTRIES),
            e.state == "done",
        )
        .group_by(c.connector)
        .order_by(c.connector)
    )
    with app.host.store.begin() as tx:
        return {str(row[0]): int(row[1]) for row in tx.execute(query)}


def carried_out(app: App, company_id: str) -> dict[str, int]:
    """Count what was acknowledged elsewhere, by kind of effect."""
    e = schema.effect.c
    query = (
        select(e.kind, func.count())
        .where(e.company_id == company_id, e.state == "done")
        .group_by(e.kind)
        .order_by(e.kind)
    )
    with app.host.store.begin() as tx:
        return {str(row[0]): int(row[1]) for row in tx.execute(query)}


def lettered(app: App, company_id: str) -> int:
    """Count the payments lettered with their invoice."""
    e = schema.effect.c
    query = select(func.count()).where(
        e.company_id == company_id, e.kind == "letter", e.state == "done"
    )
    with app.host.store.begin() as tx:
        return int(tx.execute(query).scalar_one())


def questions(app: App, company_id: str) -> dict[str, int]:
    """Count what a person was asked, by kind."""
    t = schema.task.c
    with app.host.store.begin() as tx:
        kinds = tx.execute(select(t.kind).where(t.company_id == company_id)).scalars()
        return dict(sorted(Counter(kinds).items()))


def commissions(app: App, company_id: str) -> tuple[int, Cents]:
    """Count the lines, and add what is earned: a payable line moves money, it adds none."""
    c = schema.commission_line.c
    with app.host.store.begin() as tx:
        lines = tx.execute(select(c.kind, c.amount).where(c.company_id == company_id)).all()
    return len(lines), sum(row.amount for row in lines if row.kind != "payable")


def sightings(app: App, company_id: str) -> list[tuple[str, str, str]]:
    """List (connector, reference, claim id) of every record joined; the first folder is ours."""
    s, c = schema.sighting.c, schema.connection.c
    query = (
        select(c.connector, c.settings, s.remote_ref, s.claim_id)
        .join(schema.connection, (c.company_id == s.company_id) & (c.id == s.connection_id))
        .where(s.company_id == company_id, s.claim_id.is_not(None))
        .order_by(c.sequence, s.remote_ref)
    )
    with app.host.store.begin() as tx:
        return [
            (f"{row.connector}{_place(row.settings)}", row.remote_ref, row.claim_id)
            for row in tx.execute(query)
        ]


def _place(settings: str) -> str:
    """Tell folders apart by their path."""
    path = json.loads(settings).get("path")
    return f":{path}" if path else ""


def _cents(amount: str) -> Cents:
    euros, _, cents = amount.partition(".")
    return int(euros) * 100 + int((cents + "00")[:2])
