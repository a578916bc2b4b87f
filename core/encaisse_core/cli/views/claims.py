"""What stands of claims: how much, since when, what keeps them from being collected, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, or_, select

from encaisse_core import facts
from encaisse_core.cli.short import matches, short
from encaisse_core.cli.showing import amount, day, money, printable
from encaisse_core.errors import UsageError
from encaisse_core.facts import Decided
from encaisse_core.host import Host
from encaisse_core.store import schema

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
