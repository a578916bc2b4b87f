"""What stands of claims: how much, since when, what keeps them from being collected, and why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, or_, select

from encaisse_core import facts
from encaisse_core.cli.short import matches, short
from encaisse_core.cli.showing import amount, day, money, printable
from encaisse_core.cli.views.collection import HANDED_OVER, PROCEDURE
from encaisse_core.errors import UsageError
from encaisse_core.facts import Decided
from encaisse_core.host import Host
from encaisse_core.store import schema
from encaisse_core.store.engine import rows

Row = dict[str, Any]


def claims(host: Host, tx: Connection, company_id: str) -> list[Row]:
    """List every claim with today's decision, by number."""
    return [claim(each) for each in facts.decide_all(host, tx, company_id)]


def described(
    host: Host, tx: Connection, company_id: str, claim_ids: Sequence[str]
) -> Iterator[Row]:
    """Show some claims, in the order given."""
    found = {
        each.claim["id"]: claim(each)
        for each in facts.decide_all(host, tx, company_id, only=claim_ids)
    }
    return (found[claim_id] for claim_id in claim_ids)


def claim(decided: Decided) -> Row:
    """Show one claim and what was decided of it."""
    row, decision = decided.claim, decided.decision
    currency = row["currency"]
    dues = [e.due_date for e in decided.facts.echeances if e.due_date is not None]
    return {
        "id": row["id"],
        "number": row["number"],
        "kind": row["kind"],
        "issue_date": row["issue_date"],
        "due_date": min(dues).isoformat() if dues else None,
        "debtor": decided.facts.debtor.name if decided.facts.debtor else None,
        "debtor_siren": decided.facts.debtor.siren if decided.facts.debtor else None,
        "state": row["state"],
        "total": money(row["total"], currency),
        "open": money(row["open"], currency),
        "collectible": decision.collectible,
        "collectible_amount": money(decision.collectible_cents, currency),
        "reasons": [
            {"rule": reason.rule, "sentence": reason.sentence_fr} for reason in decision.reasons
        ],
        "tools": sorted({sighting.tool for sighting in decided.facts.sightings}),
    }


def counted(found: Iterable[Mapping[str, Any]]) -> Row:
    """Count claims, and how many each rule keeps back; a claim counts once under each rule."""
    listed = list(found)
    reasons: Counter[str] = Counter(
        reason["rule"] for each in listed if not each["collectible"] for reason in each["reasons"]
    )
    return {
        "claims": len(listed),
        "collectible": sum(bool(each["collectible"]) for each in listed),
        "not_collectible": dict(sorted(reasons.items())),
    }


def named(tx: Connection, company_id: str, typed: str) -> str:
    """Find the claim somebody typed: by its invoice number, in any tool, or its shortened id.

    One that is part of another by now is found by its id only, and stays itself.
    """
    known = tx.execute(
        select(schema.claim.c.id).where(schema.claim.c.company_id == company_id)
    ).scalars()
    return find(tx, company_id, typed, matches(known, typed))


def find(tx: Connection, company_id: str, typed: str, among: Iterable[str]) -> str:
    """Find the claim somebody means by its invoice number, in any tool, or by its id."""
    c, s = schema.claim.c, schema.sighting.c
    named = set(
        tx.execute(
            select(c.id)
            .outerjoin(schema.sighting, (s.company_id == c.company_id) & (s.claim_id == c.id))
            .where(
                c.company_id == company_id,
                c.merged_into.is_(None),
                or_(c.number == typed, s.number == typed),
            )
        ).scalars()
    )
    found: list[str] = sorted(named) or list(among)
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(
            f"Aucune créance « {typed} ». Donnez le numéro de la facture, ou voyez : encaisse "
            "claims --all."
        )
    raise UsageError(
        f"« {typed} » désigne plusieurs créances. Choisissez par l'identifiant :\n"
        + "\n".join(f"  {line}" for line in _choices(tx, company_id, found))
    )


def _choices(tx: Connection, company_id: str, found: Iterable[str]) -> list[str]:
    """Describe claims to choose from: the short id `claims` prints, number, client, date, total."""
    c, d = schema.claim.c, schema.debtor.c
    brief = short(tx, company_id, schema.claim)
    query = (
        select(c.id, c.number, c.issue_date, c.total, c.currency, d.name)
        .outerjoin(schema.debtor, (d.company_id == c.company_id) & (d.id == c.debtor_id))
        .where(c.company_id == company_id, c.id.in_(list(found)))
        .order_by(c.issue_date, c.id)
    )
    return [
        f"{brief(row.id)}  {printable(row.number)} du {day(row.issue_date)}, "
        f"{printable(row.name or 'client sans nom')}, {amount(money(row.total, row.currency))}"
        for row in tx.execute(query)
    ]


def explain(host: Host, tx: Connection, company_id: str, claim_id: str) -> Row:
    """Tell everything of one claim: who shows it, what is owed, what came, what was done."""
    decided = next(iter(facts.decide_all(host, tx, company_id, only=(claim_id,))))
    currency = decided.claim["currency"]
    payments = _payments(tx, company_id, claim_id, currency)
    effects = _effects(tx, company_id, claim_id)
    procedures = _procedures(tx, company_id, claim_id)
    subjects = {claim_id}
    subjects |= {row["id"] for row in [*payments, *effects, *procedures]}
    subjects |= {row["proposal"] for row in procedures}
    return {
        **claim(decided),
        "hold": decided.claim["hold"],
        "echeances": _echeances(decided, currency),
        "sightings": _sightings(tx, company_id, claim_id, currency),
        "payments": payments,
        "effects": effects,
        "procedures": procedures,
        "questions": _questions(tx, company_id, subjects),
        "events": _events(tx, company_id, subjects),
    }


def _echeances(decided: Decided, currency: str) -> list[Row]:
    ways = {each.id: each for each in decided.decision.echeances}
    return [
        {
            "id": each.id,
            "due_date": each.due_date.isoformat() if each.due_date else None,
            "due_estimated": each.due_estimated,
            "open": money(each.open, currency),
            "collectible": ways[each.id].collectible,
            "reasons": [reason.rule for reason in ways[each.id].reasons],
        }
        for each in decided.facts.echeances
    ]


def _sightings(tx: Connection, company_id: str, claim_id: str, currency: str) -> list[Row]:
    s, c = schema.sighting.c, schema.connection.c
    query = (
        select(schema.sighting, c.connector)
        .join(schema.connection, (c.company_id == s.company_id) & (c.id == s.connection_id))
        .where(s.company_id == company_id, s.claim_id == claim_id)
        .order_by(c.sequence, s.remote_ref)
    )
    return [
        {
            "id": row["id"],
            "connector": row["connector"],
            "ref": row["remote_ref"],
            "number": row["number"],
            "rung": row["rung"],
            "state": row["state"],
            "presence": row["presence"],
            "total": money(row["total"], currency),
            "open": money(row["open"], currency),
            "expected": money(row["expected"], currency),
        }
        for row in rows(tx.execute(query))
    ]


def _payments(tx: Connection, company_id: str, claim_id: str, currency: str) -> list[Row]:
    p, a = schema.payment.c, schema.allocation.c
    found = rows(
        tx.execute(
            select(schema.payment)
            .where(p.company_id == company_id, p.claim_id == claim_id)
            .order_by(p.paid_on, p.id)
        )
    )
    parts = rows(
        tx.execute(
            select(schema.allocation)
            .where(a.company_id == company_id, a.claim_id == claim_id)
            .order_by(a.id)
        )
    )
    return [
        {
            "id": row["id"],
            "amount": money(row["amount"], row["currency"]),
            "paid_on": row["paid_on"],
            "origin": row["origin"],
            "reverses": row["reverses"],
            "unallocated": money(row["unallocated"], row["currency"]),
            "allocations": [
                {"echeance": part["echeance_id"], "amount": money(part["amount"], currency)}
                for part in parts
                if part["payment_id"] == row["id"]
            ],
        }
        for row in found
    ]


def _effects(tx: Connection, company_id: str, claim_id: str) -> list[Row]:
    e, r, pm = schema.effect.c, schema.reservation.c, schema.proposal_mandate.c
    proposals = select(r.proposal_id).where(r.company_id == company_id, r.claim_id == claim_id)
    mandates = select(pm.mandate_id).where(
        pm.company_id == company_id, pm.proposal_id.in_(proposals.scalar_subquery())
    )
    query = (
        select(e.id, e.kind, e.state, e.attempts, e.remote_id, e.reason, e.created_at)
        .where(
            e.company_id == company_id,
            or_(
                e.subject == claim_id,
                e.subject.in_(proposals.scalar_subquery()),
                e.subject.in_(mandates.scalar_subquery()),
            ),
        )
        .order_by(e.created_at, e.id)
    )
    return rows(tx.execute(query))


def _procedures(tx: Connection, company_id: str, claim_id: str) -> list[Row]:
    p, r = schema.procedure.c, schema.reservation.c
    query = (
        select(*PROCEDURE, r.released_at, r.proposal_id.label("proposal"))
        .join(schema.reservation, HANDED_OVER)
        .where(p.company_id == company_id, r.claim_id == claim_id)
        .order_by(p.opened_at, p.id)
    )
    return [{**row, "disputed": bool(row["disputed"])} for row in rows(tx.execute(query))]


def _questions(tx: Connection, company_id: str, subjects: set[str]) -> list[Row]:
    t = schema.task.c
    query = (
        select(t.id, t.kind, t.sentence, t.created_at, t.done_at, t.answer)
        .where(t.company_id == company_id, t.subject.in_(sorted(subjects)))
        .order_by(t.created_at, t.id)
    )
    return rows(tx.execute(query))


def _events(tx: Connection, company_id: str, subjects: set[str]) -> list[Row]:
    e = schema.event.c
    query = (
        select(e.sequence, e.at, e.kind, e.subject, e.body)
        .where(e.company_id == company_id, e.subject.in_(sorted(subjects)))
        .order_by(e.sequence)
    )
    return [{**row, "body": json.loads(row["body"])} for row in rows(tx.execute(query))]
