"""Say what a collector is to be told, as of now, of what the company was paid or credited itself.

Worked out of facts alone, when a stop is planned and again when it is sent: money may have gone
back meanwhile, or turned out to be the collector's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, exists, or_, select

from encaisse_api import AcceptsDirectPayments
from encaisse_core.claimed import Claimed, claimed
from encaisse_core.host import Host, link
from encaisse_core.payments import standing
from encaisse_core.store import schema

Row = Mapping[str, Any]

BY_CREDIT = "credit"
"""The cause of a withdrawal after credit notes."""


class Told(NamedTuple):
    """Be one thing to tell: the kind of stop, its cause, what it says, and what that rests on.

    `rests_on` are payments a tool showed, which may turn out to be the collector's own.
    """

    kind: str
    cause: str
    says: dict[str, Any]
    rests_on: tuple[str, ...]


def live(
    tx: Connection, company_id: str, *, claim_id: str | None = None, procedure_id: str | None = None
) -> list[dict[str, Any]]:
    """List claims in a procedure that is not over, of which there may be something to tell.

    With `claim_id` and `procedure_id`, that claim there.
    """
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
    if claim_id is not None:
        query = query.where(c.id == claim_id, p.id == procedure_id)
    return [dict(row) for row in tx.execute(query).mappings()]


class Owed(NamedTuple):
    """Be the principal owed by now, what the collector received included, and what it is told.

    `claimed` is what the collector claims of it.
    """

    principal: int
    claimed: Claimed
    told: tuple[Told, ...]


def owed(host: Host, tx: Connection, row: Row, *, apart_from: str = "") -> Owed:
    """Say what a claim's collector is to be told of what the company was paid or credited.

    `apart_from` is the cause of a stop that was looked up and does not stand there.
    """
    declares = host.can(link(tx, row["company_id"], row["connection_id"]), AcceptsDirectPayments)
    found = standing(tx, row["company_id"], row["claim_id"], "source", "credit", "collector")
    since = row["handed_at"] or row["opened_at"]
    moved = sorted(found, key=lambda each: (each["created_at"], each["id"]))
    parts = [each for each in moved if _reduces(each, since)]
    collected = [
        each["created_at"] for each in moved if each["origin"] == "collector" and _settled(each)
    ]
    there = claimed(tx, row, apart_from=apart_from)
    if not parts:
        return Owed(row["principal"], there, ())
    apart = [part for part in parts if not (declares and part["origin"] == "source")]
    principal = max(0, row["principal"] - sum(map(_settled, apart)))
    told = tuple(
        each
        for each in _told(row, parts, apart, principal, max(collected, default=""))
        if each.kind != "amend" or there.lowered_by(principal, each.cause)
    )
    return Owed(principal, there, told)


def _reduces(payment: Row, since: str) -> bool:
    """Tell whether a claim owes less by this since it was handed over, without the collector.

    What no échéance could take is not the claim's.
    """
    ours = payment["origin"] != "collector" and payment["created_at"] >= since
    return bool(ours and payment["amount"] > payment["unallocated"])


def _told(
    row: Row, parts: Sequence[Row], apart: Sequence[Row], principal: int, collected: str
) -> Iterator[Told]:
    """Declare what was paid straight to the creditor; lower or withdraw what was credited.

    What is claimed falls by what was credited, whatever was collected meanwhile: the collector
    counts payments, its own and those declared, against the principal it was given. One that takes
    no declarations is told of direct payments as of credits. One whose own payment settled what was
    left, at `collected`, has nothing taken back from it: it knows that nothing is left.
    """
    rests_on = tuple(part["id"] for part in apart if part["origin"] == "source")
    settled = row["open"] == 0
    withdrawn = settled and parts[-1:] == apart[-1:] and collected <= parts[-1]["created_at"]
    for part in parts:
        last = part is parts[-1]
        credit = part["origin"] == "credit"
        if part not in apart:
            says = {
                "amount": _settled(part),
                "paid_on": part["paid_on"],
                "settles": settled and last,
            }
            yield Told("declare_direct_payment", part["id"], says, (part["id"],))
        elif withdrawn and last:
            says = {"reason": "credit_note" if credit else "paid_directly"}
            yield Told("withdraw", BY_CREDIT if credit else part["id"], says, rests_on)
        elif not withdrawn:
            yield Told("amend", part["id"], {"principal": principal}, rests_on)


def _settled(part: Row) -> int:
    return int(part["amount"] - part["unallocated"])
