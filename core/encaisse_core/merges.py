"""Make one claim of two, because a person said that they are one invoice.

The records of the second move to the first, and are found there from now on. Its money counts once:
what the second's tools showed and the first's did not is news to the first; what a collector
received has an identity, and moves. The second stays as an empty shell that names the first.
Everything changed is written down with the merge, so that `unmerges.py` can put it back exactly.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from encaisse_core import claim_states, doubts, holds, journal, mergeable, proposals, sides, tasks
from encaisse_core.errors import UsageError
from encaisse_core.host import Host
from encaisse_core.join import CREDITS
from encaisse_core.moving import put_on, take_off
from encaisse_core.observed import adding_up
from encaisse_core.payments import JOINED, add_payment, standing
from encaisse_core.sides import Side
from encaisse_core.store import schema
from encaisse_core.store.engine import rows, stamp

BY_PERSON = 6
"""The rung of a sighting a person joined."""


@dataclass(frozen=True, slots=True)
class Said:
    """Hold who decided, and why."""

    by: str
    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise UsageError("Dites pourquoi : --reason TEXTE.")


def claim_row(tx: Connection, company_id: str, claim_id: str) -> dict[str, Any]:
    """Read a claim."""
    c = schema.claim.c
    found = rows(
        tx.execute(select(schema.claim).where(c.company_id == company_id, c.id == claim_id))
    )
    if not found:
        raise UsageError(f"La créance {claim_id} n'existe pas pour cette société.")
    return found[0]


def keeps(tx: Connection, company_id: str, asked: str, other: str) -> tuple[str, str]:
    """Choose which claim stays: the other one, unless the one asked about is handed over."""
    if mergeable.is_handed_over(mergeable.live(tx, company_id, asked)):
        return asked, other
    return other, asked


def merge(
    host: Host, tx: Connection, company_id: str, kept_id: str, gone_id: str, said: Said
) -> str:
    """Make the second claim part of the first; return the merge's id.

    Raises `UsageError` where they cannot be one, and changes nothing then.
    """
    host.store.one_at_a_time(tx, company_id)
    kept = claim_row(tx, company_id, kept_id)
    gone = claim_row(tx, company_id, gone_id)
    mergeable.check(host, tx, company_id, kept, gone)
    ours = sides.read(host, tx, company_id, kept_id)
    theirs = sides.read(host, tx, company_id, gone_id)
    mergeable.check_procedures(tx, company_id, kept, gone, theirs)
    held = mergeable.live(tx, company_id, gone_id)
    if held is not None:
        proposals.drop(host, tx, company_id, held["proposal_id"], JOINED)
    sightings = _sightings(tx, company_id, gone_id)
    moved: dict[str, Any] = {
        "kept": {"hold": kept["hold"], "total": ours.total, "seen": ours.distances()},
        "gone": {
            "hold": gone["hold"],
            "state": gone["state"],
            "total": theirs.total,
            "seen": theirs.distances(),
        },
        "sightings": sightings,
        "doubts": doubts.merged(host, tx, company_id, kept_id, gone_id),
        "questions": _questions(host, tx, company_id, kept, gone),
    }
    untold = 0
    if kept["kind"] in CREDITS:
        moved["used"] = _use_alike(tx, company_id, kept, gone)
    elif sightings and sightings[0]["direction"] != "payable":
        untold = max(0, ours.paid - theirs.paid)
        moved["made"] = _news(host, tx, company_id, kept, ours, theirs)
        moved["collected"] = _collected(host, tx, company_id, kept_id, gone_id)
        moved["refunds"] = _refunds(host, tx, company_id, gone_id)
    _move(tx, company_id, kept_id, gone_id, untold)
    claim_states.refresh(host, tx, company_id, kept_id)
    return _write(host, tx, company_id, kept_id, gone_id, moved, said)


def _sightings(tx: Connection, company_id: str, claim_id: str) -> list[dict[str, Any]]:
    s = schema.sighting.c
    found = tx.execute(
        select(s.id, s.rung, s.record)
        .where(s.company_id == company_id, s.claim_id == claim_id)
        .order_by(s.id)
    )
    return [
        {"id": row.id, "rung": row.rung, "direction": json.loads(row.record)["direction"]}
        for row in found
    ]


def _news(
    host: Host,
    tx: Connection,
    company_id: str,
    kept: Mapping[str, Any],
    ours: Side,
    theirs: Side,
) -> list[str]:
    """Record what the second's tools show paid beyond what the first's do; give the payments.

    All tools are read as one history: money both show is the same money. What is more is recorded
    as the payments that add up to it, on their days, else as one seen today.
    """
    more = theirs.paid - ours.paid
    if more <= 0:
        return []
    known = standing(tx, company_id, theirs.claim_id, "source", "credit")
    payments = adding_up([payment for payment in known if payment["amount"] > 0], more)
    today = host.clock.today().isoformat()
    shown_by = next((each.id for each in theirs.seen if each.follows), None)
    told: Sequence[Mapping[str, Any]] = payments or (
        {"amount": more, "paid_on": today, "origin": "source", "shown_by": shown_by},
    )
    return [
        add_payment(
            host,
            tx,
            company_id,
            kept["id"],
            payment["amount"],
            kept["currency"],
            payment["paid_on"],
            payment["origin"],
            shown_by=payment["shown_by"] or shown_by or theirs.seen[0].id,
        )
        for payment in sorted(told, key=lambda payment: str(payment["paid_on"]))
    ]


def collected(tx: Connection, company_id: str, claim_id: str) -> list[dict[str, Any]]:
    """List a claim's collected payments, the oldest first, with what undid each."""
    p = schema.payment
    undo = p.alias("undo")
    return rows(
        tx.execute(
            select(p, undo.c.id.label("undone"))
            .outerjoin(undo, (undo.c.company_id == p.c.company_id) & (undo.c.reverses == p.c.id))
            .where(
                p.c.company_id == company_id,
                p.c.claim_id == claim_id,
                p.c.origin == "collector",
                p.c.reverses.is_(None),
            )
            .order_by(p.c.paid_on, p.c.created_at, p.c.id)
        )
    )


def _collected(
    host: Host, tx: Connection, company_id: str, kept_id: str, gone_id: str
) -> list[dict[str, Any]]:
    """Move what collectors received: it is other money, by its name there."""
    moved: list[dict[str, Any]] = []
    for payment in collected(tx, company_id, gone_id):
        lines = take_off(tx, company_id, payment["id"])
        undo = payment["undone"] and take_off(tx, company_id, payment["undone"])
        moved.append(
            {
                "id": payment["id"],
                "undone": payment["undone"],
                "unallocated": payment["unallocated"],
                "lines": lines,
                "undo_lines": undo or [],
            }
        )
        put_on(host, tx, company_id, payment, kept_id)
    return moved


def _refunds(host: Host, tx: Connection, company_id: str, gone_id: str) -> list[dict[str, str]]:
    """Take back the questions to refund what the first claim refunds, if anybody must."""
    p, t = schema.payment.c, schema.task.c
    asked = rows(
        tx.execute(
            select(t.subject, t.sentence)
            .join(schema.payment, (p.company_id == t.company_id) & (p.id == t.subject))
            .where(
                t.company_id == company_id,
                t.kind == "refund",
                t.done_at.is_(None),
                p.claim_id == gone_id,
            )
            .order_by(t.id)
        )
    )
    for row in asked:
        tasks.close(tx, company_id, "refund", row["subject"], JOINED, at=host.clock.now())
    return asked


def _use_alike(
    tx: Connection, company_id: str, kept: Mapping[str, Any], gone: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Leave of a credit what the more used of the two has left: it is used once."""
    e = schema.echeance.c
    more = max(0, gone["open"] - kept["open"])  # both below zero
    used: list[dict[str, Any]] = []
    parts = tx.execute(
        select(e.id, e.open)
        .where(e.company_id == company_id, e.claim_id == kept["id"], e.open < 0)
        .order_by(e.ref)
    )
    for part in parts.all():
        cents = min(more, -part.open)
        more -= cents
        if cents:
            tx.execute(
                schema.echeance.update()
                .where(e.company_id == company_id, e.id == part.id)
                .values(open=e.open + cents)
            )
            used.append({"id": part.id, "cents": cents})
    return used


def _questions(
    host: Host, tx: Connection, company_id: str, kept: Mapping[str, Any], gone: Mapping[str, Any]
) -> dict[str, Any]:
    """Ask about the first claim what holds the second, and hold it as well."""
    t, c = schema.task.c, schema.claim.c
    here, there = (tasks.open_on(tx, company_id, claim["id"]) for claim in (kept, gone))
    holding = {kind: task_id for kind, task_id in there.items() if kind in holds.HOLDS}
    moved = [task_id for kind, task_id in holding.items() if kind not in here]
    tx.execute(
        schema.task.update()
        .where(t.company_id == company_id, t.id.in_(moved))
        .values(subject=kept["id"])
    )
    closed = [kind for kind in holding if kind in here]
    for kind in closed:
        tasks.close(tx, company_id, kind, gone["id"], JOINED, at=host.clock.now())
    if kept["hold"] is None and gone["hold"] is not None:
        tx.execute(
            schema.claim.update()
            .where(c.company_id == company_id, c.id == kept["id"])
            .values(hold=gone["hold"])
        )
    return {"moved": moved, "closed": closed}


def _move(tx: Connection, company_id: str, kept_id: str, gone_id: str, untold: int) -> None:
    """Move the records, which have not told `untold` cents yet, and leave a shell."""
    s, k, c = schema.sighting.c, schema.claim_key.c, schema.claim.c
    tx.execute(
        schema.sighting.update()
        .where(s.company_id == company_id, s.claim_id == gone_id)
        .values(claim_id=kept_id, rung=BY_PERSON, untold=s.untold + untold)
    )
    tx.execute(
        schema.claim_key.update()
        .where(k.company_id == company_id, k.claim_id == gone_id)
        .values(claim_id=kept_id)
    )
    tx.execute(
        schema.claim.update()
        .where(c.company_id == company_id, c.id == gone_id)
        .values(state="merged", merged_into=kept_id, hold=None, open=0)
    )


def _write(
    host: Host,
    tx: Connection,
    company_id: str,
    kept_id: str,
    gone_id: str,
    moved: Mapping[str, Any],
    said: Said,
) -> str:
    now = host.clock.now()
    merge_id = host.ids.new("mrg")
    tx.execute(
        schema.claim_merge.insert().values(
            company_id=company_id,
            id=merge_id,
            kept_id=kept_id,
            gone_id=gone_id,
            by=said.by,
            reason=said.reason,
            moved=json.dumps(moved, sort_keys=True),
            made_at=stamp(now),
        )
    )
    words = journal.seal_personal(tx, company_id, f"{said.by} : {said.reason}", host.ids.nonce(16))
    body: dict[str, journal.JSON] = {
        "merge": merge_id,
        "kept": kept_id,
        "gone": gone_id,
        "sightings": [each["id"] for each in moved["sightings"]],
        "words": words,
    }
    for claim_id in (kept_id, gone_id):
        journal.append(tx, company_id, now, "claims_merged", claim_id, body)
    return merge_id
