"""Know which tool's entries are copied into another, so that one movement stays one.

Where a bridge copies what the invoicing tool holds into the books, our own entry comes back there
as if somebody had paid once more. A person says whether there is a bridge; the records say how
likely it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from encaisse_core import journal, outbox
from encaisse_core.faces import normalise_tool
from encaisse_core.host import Host, Link
from encaisse_core.sightings import record_of
from encaisse_core.store import schema
from encaisse_core.store.engine import rows, stamp


@dataclass(frozen=True, slots=True)
class Evidence:
    """Tell how many of a tool's records say that they come from another tool."""

    source: Link
    target: Link
    carrying: int
    records: int

    @property
    def likely(self) -> bool:
        """Tell whether most of them do."""
        return self.carrying * 2 > self.records


def name(host: Host, link: Link) -> str:
    """Name a tool as its vendor does; by its slug where its connector is gone."""
    try:
        return host.manifest(link).name
    except KeyError:
        return link.connector


def evidence(host: Host, tx: Connection, company_id: str, tools: Sequence[Link]) -> list[Evidence]:
    """Count, for every two tools, whose records state the other one; the most telling first."""
    s = schema.sighting.c
    stated: dict[str, list[str]] = {tool.id: [] for tool in tools}
    query = select(s.connection_id, s.record).where(
        s.company_id == company_id, s.presence == "live", s.connection_id.in_(stated)
    )
    for row in tx.execute(query):
        record = record_of(row.record)
        if record.direction != "payable":
            tool = record.lineage.tool if record.lineage else None
            stated[row.connection_id].append(normalise_tool(tool or ""))
    found = [
        Evidence(
            source,
            target,
            sum(
                each in (normalise_tool(source.connector), normalise_tool(name(host, source)))
                for each in stated[target.id]
            ),
            len(stated[target.id]),
        )
        for source in tools
        for target in tools
        if source.connector != target.connector
    ]
    told = [each for each in found if each.carrying]
    return sorted(told, key=lambda each: (-each.carrying, each.source.id, each.target.id))


def proposed(host: Host, tx: Connection, company_id: str, tools: Sequence[Link]) -> Evidence | None:
    """Give the bridge the records speak for, where most records of the fed tool do."""
    return next((each for each in evidence(host, tx, company_id, tools) if each.likely), None)


def decide(
    host: Host, tx: Connection, company_id: str, source_id: str, target_ids: Sequence[str], by: str
) -> None:
    """Record which tools this one feeds; a former answer about them no longer holds."""
    b = schema.bridge
    now = host.clock.now()
    kept = {(source_id, target_id) for target_id in target_ids}
    for row in tx.execute(select(b.c.from_id, b.c.to_id).where(b.c.company_id == company_id)).all():
        if (row.from_id, row.to_id) not in kept:
            _expect_no_more(tx, company_id, row.to_id)
    tx.execute(b.delete().where(b.c.company_id == company_id))
    for target_id in target_ids:
        tx.execute(
            b.insert().values(
                company_id=company_id,
                from_id=source_id,
                to_id=target_id,
                decided_by=by,
                decided_at=stamp(now),
            )
        )
        journal.append(
            tx, company_id, now, "bridge_answered", source_id, {"from": source_id, "to": target_id}
        )
        catch_up(host, tx, company_id, source_id, target_id)


def fed_by(tx: Connection, company_id: str, source_id: str) -> list[str]:
    """Name the connections a tool's entries are copied into."""
    b = schema.bridge.c
    query = (
        select(b.to_id).where(b.company_id == company_id, b.from_id == source_id).order_by(b.to_id)
    )
    return list(tx.execute(query).scalars())


def feeding(tx: Connection, company_id: str, target_id: str) -> list[str]:
    """Name the connections whose entries are copied into a tool."""
    b = schema.bridge.c
    query = (
        select(b.from_id)
        .where(b.company_id == company_id, b.to_id == target_id)
        .order_by(b.from_id)
    )
    return list(tx.execute(query).scalars())


def expect_copy(
    host: Host, tx: Connection, company_id: str, source_id: str, entry: Mapping[str, Any]
) -> None:
    """Expect an entry of ours to come back, once, in each tool the bridge feeds.

    It is money that tool has yet to tell: seen there, it is the same money. `entry` names the
    effect, its payment and record, and what it moved in cents, below zero where it undid one.
    """
    s = schema.sighting.c
    claim_id = tx.execute(
        select(s.claim_id).where(s.company_id == company_id, s.id == entry["sighting_id"])
    ).scalar_one()
    for target_id in fed_by(tx, company_id, source_id):
        if (fed := _record(tx, company_id, claim_id, target_id)) is not None:
            _yet_to_tell(tx, fed, entry["cents"])
            _tell(host, tx, company_id, target_id, entry["effect_id"], entry["payment_id"])


def forget_copy(tx: Connection, company_id: str, effect_id: str, cents: int) -> None:
    """Expect an entry no more that its accountant refused: there is nothing to copy."""
    x, p = schema.payment_sighting.c, schema.payment.c
    copies = (x.company_id == company_id, x.effect_id == effect_id, x.role == "bridged")
    query = (
        select(x.connection_id, p.claim_id)
        .join(schema.payment, (p.company_id == x.company_id) & (p.id == x.payment_id))
        .where(*copies)
    )
    for row in tx.execute(query).all():
        if (fed := _record(tx, company_id, row.claim_id, row.connection_id)) is not None:
            _yet_to_tell(tx, fed, -cents)
    tx.execute(schema.payment_sighting.delete().where(*copies))


def _expect_no_more(tx: Connection, company_id: str, target_id: str) -> None:
    """Take back what a bridge that is no more did not copy: nobody will.

    What a tool shows next would pass for the copy, and a payment of the customer be lost. Which
    entries were not copied yet is not known: the latest are taken for them.
    """
    missing: dict[str, int] = {}
    for row in _copies(tx, company_id, target_id):
        if (fed := _record(tx, company_id, row.claim_id, target_id)) is None:
            continue
        left = missing.setdefault(row.claim_id, fed["untold"])
        cents = outbox.ENTRIES[row.kind] * json.loads(row.payload)["amount"]
        if left * cents <= 0:
            continue
        taken = max(cents, left) if cents < 0 else min(cents, left)
        missing[row.claim_id] = left - taken
        _yet_to_tell(tx, fed, -taken)
        if taken == cents:
            x = schema.payment_sighting
            tx.execute(
                x.delete().where(
                    x.c.company_id == company_id,
                    x.c.connection_id == target_id,
                    x.c.remote_ref == row.remote_ref,
                )
            )


def _copies(tx: Connection, company_id: str, target_id: str) -> Sequence[Any]:
    """List the entries a tool is, or was, to be told by the bridge, the latest first."""
    x, p, e = schema.payment_sighting.c, schema.payment.c, schema.effect.c
    query = (
        select(x.remote_ref, p.claim_id, e.kind, e.payload)
        .join(schema.payment, (p.company_id == x.company_id) & (p.id == x.payment_id))
        .join(schema.effect, (e.company_id == x.company_id) & (e.id == x.effect_id))
        .where(x.company_id == company_id, x.connection_id == target_id, x.role == "bridged")
        .order_by(e.finished_at.desc(), e.id.desc())
    )
    return tx.execute(query).all()


def catch_up(
    host: Host,
    tx: Connection,
    company_id: str,
    source_id: str,
    target_id: str,
    claim_id: str | None = None,
) -> None:
    """Expect what was written before the bridge was known, or before the fed tool had the invoice.

    Part of it may have been copied already: the rest is what the fed tool visibly misses.
    """
    x, p, e = schema.payment_sighting.c, schema.payment.c, schema.effect.c
    known = select(x.effect_id).where(
        x.company_id == company_id, x.connection_id == target_id, x.role == "bridged"
    )
    query = (
        select(x.effect_id, x.payment_id, p.claim_id, e.kind, e.payload)
        .join(schema.payment, (p.company_id == x.company_id) & (p.id == x.payment_id))
        .join(schema.effect, (e.company_id == x.company_id) & (e.id == x.effect_id))
        .where(
            x.company_id == company_id,
            x.connection_id == source_id,
            x.role == "echo",
            x.effect_id.not_in(known),
        )
        .order_by(p.claim_id, x.effect_id)
    )
    if claim_id is not None:
        query = query.where(p.claim_id == claim_id)
    written: dict[str, int] = {}
    for row in tx.execute(query).all():
        if _record(tx, company_id, row.claim_id, target_id) is None:
            continue
        cents = outbox.ENTRIES[row.kind] * json.loads(row.payload)["amount"]
        written[row.claim_id] = written.get(row.claim_id, 0) + cents
        _tell(host, tx, company_id, target_id, row.effect_id, row.payment_id)
    c = schema.claim.c
    for each, cents in written.items():
        fed = _record(tx, company_id, each, target_id)
        owed = tx.execute(
            select(c.open).where(c.company_id == company_id, c.id == each)
        ).scalar_one()
        if fed is not None:
            _yet_to_tell(tx, fed, max(0, min(cents, fed["expected"] - fed["untold"] - owed)))


def _record(
    tx: Connection, company_id: str, claim_id: str, target_id: str
) -> dict[str, Any] | None:
    """Find a claim's record in a tool, the first where it has two."""
    s = schema.sighting.c
    found = rows(
        tx.execute(
            select(schema.sighting)
            .where(s.company_id == company_id, s.claim_id == claim_id, s.connection_id == target_id)
            .order_by(s.presence, s.remote_ref)
            .limit(1)
        )
    )
    return found[0] if found else None


def _yet_to_tell(tx: Connection, record: Mapping[str, Any], cents: int) -> None:
    s = schema.sighting.c
    tx.execute(
        schema.sighting.update()
        .where(s.company_id == record["company_id"], s.id == record["id"])
        .values(untold=s.untold + cents)
    )


def _tell(
    host: Host,
    tx: Connection,
    company_id: str,
    target_id: str,
    effect_id: str,
    payment_id: str,
) -> None:
    """Note that a tool is told of a payment by the bridge."""
    tx.execute(
        schema.payment_sighting.insert().values(
            company_id=company_id,
            connection_id=target_id,
            remote_ref=f"bridged:{effect_id}",
            payment_id=payment_id,
            role="bridged",
            effect_id=effect_id,
            record="{}",
            seen_at=stamp(host.clock.now()),
        )
    )
