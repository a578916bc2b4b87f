"""What a tool says of an invoice, in the store: seen, unreadable, or gone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Text, bindparam, select

from encaisse_api import SourceInvoice, Unreadable
from encaisse_core import referrers
from encaisse_core.host import Host, Link
from encaisse_core.naming import named
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
from encaisse_core.store.upsert import among, bulk_upsert

ANSWERS = "answer"
"""Stream under which whole answers nobody could read are kept."""


def _told(item: SourceInvoice, record: str, fingerprint: str, now: str) -> dict[str, Any]:
    """Give the columns that a record sets whenever its tool says something else than before."""
    return {
        "fingerprint": fingerprint,
        "record": record,
        "number": item.number,
        "state": item.state,
        "presence": "live",
        "total": item.total.minor,
        "open": item.open.minor,
        "credited": item.credited.minor if item.credited else 0,
        "document_sha256": item.document_sha256,
        "changed_at": now,
    }


_TOLD = (
    "fingerprint",
    "record",
    "number",
    "state",
    "presence",
    "total",
    "open",
    "credited",
    "document_sha256",
    "changed_at",
)
"""Columns that a tool's record sets whenever it tells something else than before."""

MOST_SAID = 500
MOST_RAW = 1 << 20
"""Characters kept of the reason, and of the answer."""

_FOLLOWED: dict[str, ColumnElement[Any]] = {
    "expected": schema.sighting.c.expected + bindparam("risen", type_=BigInteger)
}
_ALTER = (
    schema.sighting.update()
    .where(
        schema.sighting.c.company_id == bindparam("of_company", type_=Text),
        schema.sighting.c.id == bindparam("of_id", type_=Text),
    )
    .values(
        _FOLLOWED | {name: bindparam(name, type_=schema.sighting.c[name].type) for name in _TOLD}
    )
)


def store_invoices(
    host: Host,
    tx: Connection,
    link: Link,
    items: Sequence[SourceInvoice],
    *,
    written: Mapping[str, int] | None = None,
) -> tuple[list[str], list[str]]:
    """Upsert sightings; return the ids that are new and the ids that changed.

    An unchanged record is not written at all. `written` counts our entries before the read began: a
    record one landed on since then was read too early, and is left for the next read. The amounts a
    sighting shows are kept as told; `expected`, what we can explain, is set when it is first seen
    and follows its total: an invoice corrected in its tool is no payment.
    """
    s = schema.sighting.c
    known = {
        row[0]: row
        for row in tx.execute(
            select(s.remote_ref, s.fingerprint, s.presence, s.id, s.total, s.written).where(
                s.company_id == link.company_id,
                s.connection_id == link.id,
                among(tx, s.remote_ref, [item.ref for item in items]),
            )
        )
    }
    now = stamp(host.clock.now())
    fresh: list[dict[str, Any]] = []
    altered: list[dict[str, Any]] = []
    for item in {item.ref: item for item in items}.values():  # a ref told twice: the last word
        record = item.model_dump_json()
        fingerprint = hashlib.sha256(record.encode()).hexdigest()
        before = known.get(item.ref)
        if before is None:
            told = _told(item, record, fingerprint, now)
            told |= {
                "company_id": link.company_id,
                "id": named("sgt", link.company_id, link.id, item.ref),
                "connection_id": link.id,
                "remote_ref": item.ref,
                "expected": told["open"],
                "expected_credited": told["credited"],
                "created_at": now,
            }
            fresh.append(told)
            continue
        _, fingerprint_before, presence, sighting_id, total, entries = before
        if fingerprint == fingerprint_before and presence == "live":
            continue
        if written is not None and entries != written.get(sighting_id, 0):
            continue
        told = _told(item, record, fingerprint, now)
        told |= {
            "of_company": link.company_id,
            "of_id": sighting_id,
            "risen": told["total"] - total,
        }
        altered.append(told)
    if fresh:
        tx.execute(schema.sighting.insert(), fresh)
    if altered:
        tx.execute(_ALTER, altered)
    new, changed = [row["id"] for row in fresh], [row["of_id"] for row in altered]
    referrers.attribute(tx, link, new, now)
    return new, changed


def store_unreadable(
    host: Host, tx: Connection, link: Link, stream: str, rows: Sequence[Unreadable]
) -> int:
    """Keep rows nobody could read: raw, with the reason, once."""
    return bulk_upsert(
        tx,
        schema.unreadable,
        [
            {
                "company_id": link.company_id,
                "id": host.ids.new("unr"),
                "connection_id": link.id,
                "stream": stream,
                "digest": hashlib.sha256(row.raw.encode()).hexdigest(),
                "remote_ref": row.ref,
                "raw": row.raw,
                "reason": row.reason,
                "seen_at": stamp(host.clock.now()),
            }
            for row in {row.raw: row for row in rows}.values()
        ],
        key=("company_id", "connection_id", "stream", "digest"),
        keep=("id", "remote_ref", "raw", "reason", "seen_at"),
    )


def forget_unreadable(tx: Connection, link: Link, stream: str, refs: Sequence[str]) -> None:
    """Take rows off the list of unreadable ones once they were read."""
    u = schema.unreadable.c
    tx.execute(
        schema.unreadable.delete().where(
            u.company_id == link.company_id,
            u.connection_id == link.id,
            u.stream == stream,
            u.remote_ref.in_(refs),
        )
    )


def keep_answer(host: Host, tx: Connection, link: Link, raw: str, reason: str) -> None:
    """Keep a whole answer nobody could read, until its tool answers well again."""
    kept = Unreadable(raw=raw[:MOST_RAW], reason=" ".join(reason.split())[:MOST_SAID])
    store_unreadable(host, tx, link, ANSWERS, [kept])


def forget_answers(tx: Connection, link: Link) -> None:
    """Take whole answers nobody could read off the list, once the tool answers well again."""
    u = schema.unreadable.c
    tx.execute(
        schema.unreadable.delete().where(
            u.company_id == link.company_id, u.connection_id == link.id, u.stream == ANSWERS
        )
    )


def store_removed(host: Host, tx: Connection, link: Link, refs: Sequence[str]) -> list[str]:
    """Mark records their tool no longer has as vanished; return the ids of those that were live."""
    s = schema.sighting.c
    found = tx.execute(
        select(s.id).where(
            s.company_id == link.company_id,
            s.connection_id == link.id,
            s.remote_ref.in_(refs),
            s.presence == "live",
        )
    ).scalars()
    ids = list(found)
    if ids:
        tx.execute(
            schema.sighting.update()
            .where(s.company_id == link.company_id, s.id.in_(ids))
            .values(presence="vanished", changed_at=stamp(host.clock.now()))
        )
    return ids


def live_of(tx: Connection, link: Link, claim_ids: Collection[str]) -> list[tuple[str, str]]:
    """List the records of some claims a tool shows: id and ref, in the order of the refs."""
    s = schema.sighting.c
    query = (
        select(s.id, s.remote_ref)
        .where(
            s.company_id == link.company_id,
            s.connection_id == link.id,
            s.claim_id.in_(claim_ids),
            s.presence == "live",
        )
        .order_by(s.remote_ref)
    )
    return [(row.id, row.remote_ref) for row in tx.execute(query)]


def record_of(row: Any) -> SourceInvoice:
    """Read a sighting's record back as the contract's value."""
    return SourceInvoice.model_validate(json.loads(row))
