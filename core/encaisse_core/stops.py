"""Stop the dialogue the night the customer paid, was credited, or contests.

A stop is planned from facts alone and sent before anything else. Where the collector takes
declarations of direct payments they are declared (a full one ends the procedure, a partial one
lowers it); credits, disputes and refusals withdraw or amend.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, exists, or_, select

from encaisse_api import (
    AcceptsDirectPayments,
)
from encaisse_core import outbox, tasks
from encaisse_core.holds import hold
from encaisse_core.host import Host, link
from encaisse_core.kinds import ANSWER_AWAITED
from encaisse_core.numbers import annex_number
from encaisse_core.sightings import record_of
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp

ACKNOWLEDGED_WITHIN = timedelta(hours=4)
"""How long a collector may take to acknowledge a stop before a person calls it."""

ASKED_AT_ONCE = 500
UNACKNOWLEDGED = "stop_unacknowledged"
OVER = {"done": "confirmé par le partenaire", "refused": "il n'y a plus rien à annoncer"}
"""Why nobody needs to call about a stop any more, by its state; a refusal asks by itself."""

STOP_KINDS = ("withdraw", "pause", "declare_direct_payment", "amend")


def plan_stops(host: Host, company_id: str) -> int:
    """Plan every stop the facts ask for; return how many are new."""
    planned = 0
    with host.store.begin("stops.plan") as tx:
        host.store.one_at_a_time(tx, company_id)
        for row in _live(tx, company_id):
            planned += _reduce(host, tx, row)
            planned += _cancelled(host, tx, row)
            planned += _disputes(host, tx, row)
            planned += _holds(host, tx, row)
    return planned


def ask_about_silence(host: Host, company_id: str) -> int:
    """Give a person each stop that was not acknowledged in time; return how many are new.

    So many at a time: a collector that is down may owe thousands of answers. What was acknowledged
    since, or has no object any more, is taken back.
    """
    _take_back(host, company_id)
    asked = 0
    while True:
        with host.store.begin() as tx:
            late = _late(tx, company_id, host.clock.now() - ACKNOWLEDGED_WITHIN)
            for stop_id, reason in late:
                asked += tasks.ask(
                    tx,
                    company_id,
                    UNACKNOWLEDGED,
                    stop_id,
                    "Un arrêt du recouvrement n'est pas confirmé depuis plus de quatre heures "
                    f"({(reason or 'sans réponse').rstrip('.')}). Prévenez le partenaire : le "
                    "client a payé ou conteste.",
                    task_id=host.ids.new("tsk"),
                    at=host.clock.now(),
                )
        if len(late) < ASKED_AT_ONCE:
            return asked


def _take_back(host: Host, company_id: str) -> None:
    e, t = schema.effect.c, schema.task.c
    with host.store.begin() as tx:
        over = tx.execute(
            select(t.subject, e.state)
            .join(schema.effect, (e.company_id == t.company_id) & (e.id == t.subject))
            .where(
                t.company_id == company_id,
                t.kind == UNACKNOWLEDGED,
                t.done_at.is_(None),
                e.state.in_(tuple(OVER)),
            )
            .limit(ASKED_AT_ONCE)
        )
        for row in over.all():
            now = host.clock.now()
            tasks.close(tx, company_id, UNACKNOWLEDGED, row.subject, OVER[row.state], at=now)


def _late(tx: Connection, company_id: str, planned_by: datetime) -> list[tuple[str, str | None]]:
    """List the first stops planned by then that nobody was asked about: id, and last reason.

    What was asked about leaves the list, answered or not, so the next ones are asked for alike.
    What waits for a person's answer is left out: that person was asked, and may say that there is
    nothing to tell.
    """
    e, t = schema.effect.c, schema.task.c
    asked = exists().where(
        t.company_id == e.company_id, t.kind == UNACKNOWLEDGED, t.subject == e.id
    )
    query = (
        select(e.id, e.reason)
        .where(
            e.company_id == company_id,
            outbox.READY,
            e.lane.in_(sorted({outbox.LANES[kind] for kind in STOP_KINDS})),
            e.kind.in_(STOP_KINDS),
            e.created_at <= stamp(planned_by),
            ~asked,
            or_(e.reason.is_(None), e.reason != ANSWER_AWAITED),
        )
        .order_by(e.lane, e.ready_at, e.created_at, e.id)
        .limit(ASKED_AT_ONCE)
    )
    return [(row.id, row.reason) for row in tx.execute(query)]


def _live(tx: Connection, company_id: str) -> list[dict[str, Any]]:
    """List claims in a procedure that is not over, of which there may be something to tell."""
    r, p, c = schema.reservation.c, schema.procedure.c, schema.claim.c
    s, m = schema.sighting.c, schema.payment.c
    reduced = exists().where(
        m.company_id == c.company_id, m.claim_id == c.id, m.origin.in_(("source", "credit"))
    )
    disputed = exists().where(
        s.company_id == c.company_id, s.claim_id == c.id, s.record.like('%"disputed"%')
    )
    query = (
        select(
            c.id.label("claim_id"),
            c.company_id,
            c.number,
            c.open,
            c.state,
            c.hold,
            c.currency,
            r.principal,
            r.handed_at,
            p.id.label("procedure_id"),
            p.remote_id,
            p.connection_id,
            p.state.label("procedure_state"),
            p.opened_at,
        )
        .join(schema.reservation, (r.company_id == c.company_id) & (r.claim_id == c.id))
        .join(schema.procedure, (p.company_id == r.company_id) & (p.id == r.procedure_id))
        .where(
            r.company_id == company_id,
            r.released_at.is_(None),
            p.state != "closed",
            or_(c.state == "cancelled", c.hold.is_not(None), reduced, disputed),
        )
        .order_by(c.id)
    )
    return [dict(row) for row in tx.execute(query).mappings()]


def _reductions(tx: Connection, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List what the company was paid or credited since the claim was handed over.

    What went back is left out, and what no échéance could take: it is not the claim's.
    """
    p = schema.payment
    undo = p.alias("undo")
    query = (
        select(p, (p.c.amount - p.c.unallocated).label("settled"))
        .outerjoin(undo, (undo.c.company_id == p.c.company_id) & (undo.c.reverses == p.c.id))
        .where(
            p.c.company_id == row["company_id"],
            p.c.claim_id == row["claim_id"],
            p.c.origin.in_(("source", "credit")),
            p.c.amount > p.c.unallocated,
            p.c.created_at >= (row["handed_at"] or row["opened_at"]),
            undo.c.id.is_(None),
        )
        .order_by(p.c.created_at, p.c.id)
    )
    return [dict(found) for found in tx.execute(query).mappings()]


def _reduce(host: Host, tx: Connection, row: Mapping[str, Any]) -> int:
    """Declare what was paid straight to the creditor; lower or withdraw what was credited.

    What is claimed falls by what was credited, whatever was collected meanwhile: the collector
    counts payments, its own and those declared, against the principal it was given. One that takes
    no declarations is told of direct payments as of credits.
    """
    where = link(tx, row["company_id"], row["connection_id"])
    declares = host.can(where, AcceptsDirectPayments)
    planned = 0
    claimed = row["principal"]
    reductions = _reductions(tx, row)
    last_paid = next((r["id"] for r in reversed(reductions) if r["origin"] == "source"), None)
    for part in reductions:
        settled = row["open"] == 0
        if part["origin"] == "source" and declares:
            extra = {
                "amount": part["settled"],
                "paid_on": part["paid_on"],
                "settles": settled and part["id"] == last_paid,
            }
            payload = _payload(row) | extra
            planned += _plan(host, tx, row, "declare_direct_payment", part["id"], payload)
            continue
        claimed -= part["settled"]
        if settled:
            credit = part["origin"] == "credit"
            cause = "credit" if credit else part["id"]
            reason = "credit_note" if credit else "paid_directly"
            payload = _payload(row) | {"reason": reason}
            planned += _plan(host, tx, row, "withdraw", cause, payload)
        else:
            payload = _payload(row) | {"principal": max(0, claimed)}
            planned += _plan(host, tx, row, "amend", part["id"], payload)
    return planned


def _cancelled(host: Host, tx: Connection, row: Mapping[str, Any]) -> int:
    """Take back what the tool cancelled."""
    if row["state"] != "cancelled":
        return 0
    payload = _payload(row) | {"reason": "creditor"}
    return _plan(host, tx, row, "withdraw", "cancelled", payload)


def _disputes(host: Host, tx: Connection, row: Mapping[str, Any]) -> int:
    """Take back what a tool marks as contested, and let a person answer the customer."""
    s = schema.sighting.c
    records = tx.execute(
        select(s.record).where(
            s.company_id == row["company_id"],
            s.claim_id == row["claim_id"],
            s.presence == "live",
        )
    ).scalars()
    if not any("disputed" in record_of(record).flags for record in records):
        return 0
    hold(
        host,
        tx,
        row["company_id"],
        row["claim_id"],
        "disputed",
        f"La facture {row['number']} est contestée dans votre outil. Elle est retirée du "
        "recouvrement : une personne doit répondre au client.",
    )
    return _plan(host, tx, row, "withdraw", "dispute", _payload(row) | {"reason": "dispute"})


def _holds(host: Host, tx: Connection, row: Mapping[str, Any]) -> int:
    """Pause where a person must look first; a dispute the debtor opened is paused there already."""
    if row["hold"] in (None, "disputed") or row["procedure_state"] == "paused":
        return 0
    asked = tasks.open_on(tx, row["company_id"], row["claim_id"])
    cause = asked.get(row["hold"], str(row["hold"]))  # held again, it is paused again
    return _plan(host, tx, row, "pause", cause, _payload(row) | {"reason": "payment_check"})


def _payload(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "procedure_id": row["procedure_id"],
        "procedure_ref": row["remote_id"],
        "claim_id": row["claim_id"],
        "invoice_number": annex_number(row["number"]),
        "currency": row["currency"],
    }


def _plan(
    host: Host,
    tx: Connection,
    row: Mapping[str, Any],
    kind: str,
    cause: str,
    payload: Mapping[str, Any],
) -> int:
    effect = outbox.plan(
        host,
        tx,
        company_id=row["company_id"],
        kind=kind,
        subject=row["claim_id"],
        cause=f"{row['procedure_id']}:{cause}",
        connection_id=row["connection_id"],
        payload=payload,
    )
    return effect is not None
