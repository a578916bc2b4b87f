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

from encaisse_core import claimed, outbox, reductions, retractions, tasks
from encaisse_core.holds import hold
from encaisse_core.host import Host
from encaisse_core.kinds import ANSWER_AWAITED, NOTHING_TO_TELL
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
        for row in reductions.live(tx, company_id):
            owed = reductions.owed(host, tx, row)
            planned += plan_reductions(host, tx, row, owed)
            claimed.ask_for_more(host, tx, row, owed.claimed, owed.principal)
            planned += _cancelled(host, tx, row)
            planned += _disputes(host, tx, row)
            planned += _holds(host, tx, row)
        retractions.take_back(host, tx, company_id)
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
                    again=True,
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
        t.company_id == e.company_id,
        t.kind == UNACKNOWLEDGED,
        t.subject == e.id,
        t.created_at >= e.created_at,  # not before it was planned again
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


def plan_reductions(
    host: Host, tx: Connection, row: Mapping[str, Any], owed: reductions.Owed
) -> int:
    """Plan what a collector is to be told of what the company was paid or credited."""
    return sum(
        _plan(host, tx, row, told.kind, told.cause, _payload(row) | told.says) for told in owed.told
    )


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
        unless=NOTHING_TO_TELL,
    )
    return effect is not None
