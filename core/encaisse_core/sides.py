"""Read what one claim's records say of its money, so that it can be brought together or apart.

What a tool explains of an open amount moves with every payment; how far it stands from what the
claim owes does not. That distance is kept when claims are merged, and says afterwards what each
tool's word means for its own claim again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from encaisse_core import outbox
from encaisse_core.claim_states import standing_claim
from encaisse_core.host import Host, links
from encaisse_core.store import schema
from encaisse_core.store.engine import rows


@dataclass(frozen=True, slots=True)
class Seen:
    """Describe one sighting's money in cents.

    `told` is the open amount we can explain, as if we had written nothing there; `untold` what
    other tools showed and this one did not yet.
    """

    id: str
    total: int
    told: int
    untold: int
    follows: bool


@dataclass(frozen=True, slots=True)
class Side:
    """Describe a claim's money: `owed` is its open amount as if no collector had received any.

    What was paid too much lowers `owed` below zero, as the tools show it.
    """

    claim_id: str
    total: int
    owed: int
    collected: int
    seen: tuple[Seen, ...]

    @property
    def paid(self) -> int:
        """Add what was paid or credited, before we came included."""
        return self.total - self.owed

    def distances(self) -> dict[str, dict[str, int]]:
        """Give, per sighting, what does not change as payments come in."""
        return {
            each.id: {
                "distance": each.told - each.untold - self.owed,
                "untold": each.untold,
                "total": each.total,
            }
            for each in self.seen
        }


def read(host: Host, tx: Connection, company_id: str, claim_id: str) -> Side:
    """Read a claim's money."""
    c, p, a = schema.claim.c, schema.payment.c, schema.allocation.c
    claim = tx.execute(
        select(c.total, c.open).where(c.company_id == company_id, c.id == claim_id)
    ).one()
    collected = tx.execute(
        select(func.coalesce(func.sum(a.amount), 0))
        .join(schema.payment, (p.company_id == a.company_id) & (p.id == a.payment_id))
        .where(p.company_id == company_id, p.claim_id == claim_id, p.origin == "collector")
    ).scalar_one()
    too_much = tx.execute(
        select(func.coalesce(func.sum(p.unallocated), 0)).where(
            p.company_id == company_id,
            p.claim_id == claim_id,
            p.origin.in_(("source", "credit")),
        )
    ).scalar_one()
    return Side(
        claim_id=claim_id,
        total=claim.total,
        owed=claim.open + int(collected) - int(too_much),
        collected=int(collected),
        seen=tuple(_seen(host, tx, company_id, claim_id)),
    )


def _seen(host: Host, tx: Connection, company_id: str, claim_id: str) -> Iterable[Seen]:
    s = schema.sighting.c
    following = {
        link.id
        for link in links(tx, company_id, states=("active", "paused", "ended"))
        if host.follows_money(link)
    }
    found = rows(
        tx.execute(
            select(schema.sighting)
            .where(s.company_id == company_id, s.claim_id == claim_id)
            .order_by(s.id)
        )
    )
    written = entries(tx, company_id, [row["id"] for row in found])
    for row in found:
        ours = sum(int(entry["amount"]) for entry in written if entry["sighting_id"] == row["id"])
        yield Seen(
            id=row["id"],
            total=row["total"],
            told=row["expected"] + ours,
            untold=row["untold"],
            follows=row["connection_id"] in following,
        )


def entries(tx: Connection, company_id: str, sightings: Iterable[str]) -> list[dict[str, Any]]:
    """List our entries that landed on records: payment, record, and cents, negative to undo one."""
    e = schema.effect.c
    wanted = set(sightings)
    query = (
        select(e.kind, e.payload)
        .where(
            e.company_id == company_id,
            e.kind.in_(outbox.ENTRIES),
            e.state == "done",
        )
        .order_by(e.created_at, e.id)
    )
    found: list[dict[str, Any]] = []
    for row in tx.execute(query):
        said = json.loads(row.payload)
        if said["sighting_id"] in wanted:
            found.append({**said, "amount": outbox.ENTRIES[row.kind] * said["amount"]})
    return found


def settle(
    host: Host,
    tx: Connection,
    company_id: str,
    claim_id: str,
    before: Mapping[str, Mapping[str, int]],
    total_before: int,
) -> None:
    """Make each tool's word mean again what it meant for this claim alone.

    `before` are the distances kept from then. Where the tools tell of money the claim does not know
    any more, or the other way round, the difference is left open, to be explained as any other.
    """
    side = read(host, tx, company_id, claim_id)
    corrected = side.total - total_before
    owed: dict[str, int] = {}
    for each in side.seen:
        known = before.get(each.id)
        if known is None:  # it came since: nothing but its total sets it apart
            owed[each.id] = each.told - (each.total - side.total)
        else:
            moved = each.total - known["total"] - corrected
            owed[each.id] = each.told - known["distance"] - moved
    following = [each.id for each in side.seen if each.follows]
    least = min((owed[name] for name in following), default=side.owed)
    usual = min((before[name]["untold"] for name in following if name in before), default=0)
    news = least - side.owed - usual if following else 0
    s = schema.sighting.c
    for each in side.seen:
        tx.execute(
            schema.sighting.update()
            .where(s.company_id == company_id, s.id == each.id)
            .values(
                untold=owed[each.id] - side.owed - (news if each.follows else 0),
                expected=s.expected - (news if each.follows else 0),
            )
        )


def misplaced(tx: Connection, company_id: str, claim_id: str) -> list[dict[str, Any]]:
    """List our entries on this claim's records whose payment is another claim's."""
    s, p = schema.sighting.c, schema.payment.c
    here = tx.execute(
        select(s.id).where(s.company_id == company_id, s.claim_id == claim_id)
    ).scalars()
    standing: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in entries(tx, company_id, here.all()):
        owner = tx.execute(
            select(p.claim_id).where(p.company_id == company_id, p.id == entry["payment_id"])
        ).scalar_one()
        if standing_claim(tx, company_id, owner) != claim_id:
            key = (entry["sighting_id"], owner)
            sum_ = standing.setdefault(key, {**entry, "amount": 0, "claim_id": owner})
            sum_["amount"] += entry["amount"]
    return [each for each in standing.values() if each["amount"]]
