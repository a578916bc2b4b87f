"""Gather everything of one claim: who shows it, what is owed, what came, what was done, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, or_, select

from encaisse_core import bridges, facts, reminders
from encaisse_core.cli.showing import money
from encaisse_core.cli.views.attributions import attribution
from encaisse_core.cli.views.claims import claim
from encaisse_core.cli.views.collection import HANDED_OVER, PROCEDURE
from encaisse_core.cli.views.questions import differences
from encaisse_core.cli.views.story import ROLES, Known, tell
from encaisse_core.facts import Decided
from encaisse_core.host import Host, links
from encaisse_core.store import schema
from encaisse_core.store.engine import rows

Row = dict[str, Any]


def explain(host: Host, tx: Connection, company_id: str, claim_id: str) -> Row:
    """Tell everything of one claim, and of those a person said are part of it."""
    decided = next(iter(facts.decide_all(host, tx, company_id, only=(claim_id,))))
    currency = decided.claim["currency"]
    tools = {
        link.id: bridges.name(host, link)
        for link in links(tx, company_id, states=("active", "paused", "ended"))
    }
    merges = _merges(tx, company_id, claim_id)
    ids = {claim_id} | {row["gone"] for row in merges if row["undone_at"] is None}
    sightings = _sightings(tx, company_id, claim_id, tools)
    payments = _payments(tx, company_id, ids, tools)
    effects = _effects(tx, company_id, ids, tools)
    procedures = _procedures(tx, company_id, ids)
    proposals = _proposals(tx, company_id, ids)
    commissions = _commissions(tx, company_id, ids)
    subjects = set(ids)
    for found in (payments, effects, procedures, commissions):
        subjects |= {row["id"] for row in found}
    subjects |= {row["settlement_id"] for row in payments if row["settlement_id"]}
    subjects |= {row["id"] for row in proposals} | {row["mandate"] or "" for row in proposals}
    questions = _questions(tx, company_id, subjects)
    known = Known(
        tools=tools,
        sightings=_by_id(rows_of(tx, schema.sighting, company_id, _touched(sightings, payments))),
        payments=_by_id(payments),
        effects=_by_id(effects),
        questions=_by_id(questions),
        numbers=_numbers(tx, company_id, merges),
        merges=_by_id(merges),
        commissions=_by_id(commissions),
    )
    return {
        **claim(decided),
        "hold": decided.claim["hold"],
        "attribution": attribution(tx, company_id, claim_id),
        "echeances": _echeances(decided, currency),
        "sightings": [_shown(row, currency) for row in sightings],
        "reminders": [
            reminder.model_dump(mode="json")
            for reminder in reminders.of_claim(tx, company_id, claim_id)
        ],
        "merges": [{name: row[name] for name in MERGE} for row in merges],
        "payments": [_payment(row, claim_id) for row in payments],
        "effects": effects,
        "proposals": proposals,
        "procedures": procedures,
        "commissions": commissions,
        "questions": questions,
        "differences": [row for row in differences(tx, company_id) if row["claim"] == claim_id],
        "events": tell(tx, company_id, known, subjects),
    }


MERGE = ("id", "gone", "number", "by", "reason", "made_at", "undone_at", "undone_by")


def rows_of(tx: Connection, table: Any, company_id: str, ids: Iterable[str]) -> list[Row]:
    """Read rows of a company by their ids."""
    query = select(table).where(table.c.company_id == company_id, table.c.id.in_(sorted(ids)))
    return rows(tx.execute(query.order_by(table.c.id)))


def _by_id(found: Iterable[Row]) -> dict[str, Row]:
    return {row["id"]: row for row in found}


def _touched(sightings: Iterable[Row], payments: Iterable[Row]) -> set[str]:
    shown = {row["shown_by"] for row in payments if row["shown_by"]}
    return {row["id"] for row in sightings} | shown


def _merges(tx: Connection, company_id: str, claim_id: str) -> list[Row]:
    m, c = schema.claim_merge.c, schema.claim.c
    query = (
        select(
            m.id,
            m.kept_id.label("kept"),
            m.gone_id.label("gone"),
            c.number,
            m.by,
            m.reason,
            m.made_at,
            m.undone_at,
            m.undone_by,
            m.undone_reason,
        )
        .join(schema.claim, (c.company_id == m.company_id) & (c.id == m.gone_id))
        .where(m.company_id == company_id, or_(m.kept_id == claim_id, m.gone_id == claim_id))
        .order_by(m.made_at, m.id)
    )
    return rows(tx.execute(query))


def _numbers(tx: Connection, company_id: str, merges: Iterable[Row]) -> dict[str, str]:
    ids = {row[name] for row in merges for name in ("kept", "gone")}
    return {row["id"]: row["number"] for row in rows_of(tx, schema.claim, company_id, ids)}


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


def _sightings(tx: Connection, company_id: str, claim_id: str, tools: dict[str, str]) -> list[Row]:
    s, c = schema.sighting.c, schema.connection.c
    query = (
        select(schema.sighting, c.connector)
        .join(schema.connection, (c.company_id == s.company_id) & (c.id == s.connection_id))
        .where(s.company_id == company_id, s.claim_id == claim_id)
        .order_by(c.sequence, s.remote_ref)
    )
    return [{**row, "tool": tools[row["connection_id"]]} for row in rows(tx.execute(query))]


def _shown(row: Row, currency: str) -> Row:
    return {
        "id": row["id"],
        "connector": row["connector"],
        "tool": row["tool"],
        "ref": row["remote_ref"],
        "number": row["number"],
        "rung": row["rung"],
        "state": row["state"],
        "presence": row["presence"],
        "since": row["created_at"],
        "total": money(row["total"], currency),
        "open": money(row["open"], currency),
        "expected": money(row["expected"], currency),
        "untold": money(row["untold"], currency),
    }


def _payments(tx: Connection, company_id: str, ids: set[str], tools: dict[str, str]) -> list[Row]:
    """List payments with where each went and who shows it, those of merged claims beside."""
    p, a, x = schema.payment.c, schema.allocation.c, schema.payment_sighting.c
    found = rows(
        tx.execute(
            select(schema.payment)
            .where(p.company_id == company_id, p.claim_id.in_(sorted(ids)))
            .order_by(p.paid_on, p.id)
        )
    )
    names = [row["id"] for row in found]
    parts = rows(
        tx.execute(
            select(schema.allocation)
            .where(a.company_id == company_id, a.payment_id.in_(names))
            .order_by(a.id)
        )
    )
    seen = rows(
        tx.execute(
            select(schema.payment_sighting)
            .where(x.company_id == company_id, x.payment_id.in_(names))
            .order_by(x.seen_at, x.connection_id, x.remote_ref)
        )
    )
    shown = _by_id(
        rows_of(tx, schema.sighting, company_id, {r["shown_by"] for r in found if r["shown_by"]})
    )
    for row in found:
        first = shown.get(row["shown_by"] or "")
        evidence: list[Row] = []
        if first is not None:
            evidence.append(
                {
                    "tool": tools[first["connection_id"]],
                    "role": "shown",
                    "ref": first["remote_ref"],
                    "means": "l'outil le montre le premier",
                    "at": row["created_at"],
                }
            )
        evidence += [
            {
                "tool": tools[each["connection_id"]],
                "role": each["role"],
                "ref": each["remote_ref"],
                "means": ROLES[each["role"]],
                "at": each["seen_at"],
            }
            for each in seen
            if each["payment_id"] == row["id"]
        ]
        row["evidence"] = evidence
        row["parts"] = [part for part in parts if part["payment_id"] == row["id"]]
    return found


def _payment(row: Row, claim_id: str) -> Row:
    currency = row["currency"]
    return {
        "id": row["id"],
        "amount": money(row["amount"], currency),
        "paid_on": row["paid_on"],
        "origin": row["origin"],
        "reverses": row["reverses"],
        "unallocated": money(row["unallocated"], currency),
        "counts": row["claim_id"] == claim_id,
        "evidence": row["evidence"],
        "allocations": [
            {"echeance": part["echeance_id"], "amount": money(part["amount"], currency)}
            for part in row["parts"]
        ],
    }


def _effects(tx: Connection, company_id: str, ids: set[str], tools: dict[str, str]) -> list[Row]:
    e, r, pm = schema.effect.c, schema.reservation.c, schema.proposal_mandate.c
    proposals = select(r.proposal_id).where(r.company_id == company_id, r.claim_id.in_(ids))
    mandates = select(pm.mandate_id).where(
        pm.company_id == company_id, pm.proposal_id.in_(proposals.scalar_subquery())
    )
    query = (
        select(
            e.id,
            e.kind,
            e.state,
            e.fate,
            e.attempts,
            e.connection_id,
            e.remote_id,
            e.receipt,
            e.reason,
            e.created_at,
            e.finished_at,
        )
        .where(
            e.company_id == company_id,
            or_(
                e.subject.in_(ids),
                e.subject.in_(proposals.scalar_subquery()),
                e.subject.in_(mandates.scalar_subquery()),
            ),
        )
        .order_by(e.created_at, e.id)
    )
    return [
        {
            **row,
            "tool": tools[row["connection_id"]],
            "receipt": json.loads(row["receipt"]) if row["receipt"] else None,
        }
        for row in rows(tx.execute(query))
    ]


def _proposals(tx: Connection, company_id: str, ids: set[str]) -> list[Row]:
    p, r = schema.proposal.c, schema.reservation.c
    pm, m = schema.proposal_mandate.c, schema.mandate.c
    query = (
        select(
            p.id,
            p.state,
            p.created_at,
            p.approved_by,
            p.approved_at,
            p.reason,
            r.released_at,
            m.id.label("mandate"),
            m.state.label("mandate_state"),
            m.signed_at,
        )
        .join(schema.reservation, (r.company_id == p.company_id) & (r.proposal_id == p.id))
        .outerjoin(
            schema.proposal_mandate, (pm.company_id == p.company_id) & (pm.proposal_id == p.id)
        )
        .outerjoin(schema.mandate, (m.company_id == p.company_id) & (m.id == pm.mandate_id))
        .where(p.company_id == company_id, r.claim_id.in_(ids))
        .order_by(p.created_at, p.id)
    )
    return rows(tx.execute(query))


def _procedures(tx: Connection, company_id: str, ids: set[str]) -> list[Row]:
    p, r = schema.procedure.c, schema.reservation.c
    query = (
        select(*PROCEDURE, r.released_at, r.proposal_id.label("proposal"))
        .join(schema.reservation, HANDED_OVER)
        .where(p.company_id == company_id, r.claim_id.in_(ids))
        .order_by(p.opened_at, p.id)
    )
    return [{**row, "disputed": bool(row["disputed"])} for row in rows(tx.execute(query))]


def _commissions(tx: Connection, company_id: str, ids: set[str]) -> list[Row]:
    line, s, r = schema.commission_line.c, schema.settlement.c, schema.referrer.c
    query = (
        select(
            line.id,
            line.kind,
            line.amount,
            line.currency,
            line.created_at,
            r.name.label("referrer"),
        )
        .join(schema.settlement, (s.company_id == line.company_id) & (s.id == line.settlement_id))
        .join(schema.referrer, (r.company_id == line.company_id) & (r.id == line.referrer_id))
        .where(line.company_id == company_id, s.claim_id.in_(ids))
        .order_by(line.created_at, line.id)
    )
    return [
        {**row, "amount": money(row["amount"], row["currency"])} for row in rows(tx.execute(query))
    ]


def _questions(tx: Connection, company_id: str, subjects: set[str]) -> list[Row]:
    t = schema.task.c
    query = (
        select(t.id, t.kind, t.sentence, t.created_at, t.done_at, t.answer)
        .where(t.company_id == company_id, t.subject.in_(sorted(subjects)))
        .order_by(t.created_at, t.id)
    )
    return rows(tx.execute(query))
