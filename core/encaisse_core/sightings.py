"""What a tool says of an invoice, in the store: seen, unreadable, or gone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Select,
    TableValuedAlias,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
    true,
)

from encaisse_api import SourceInvoice, Unreadable
from encaisse_core import referrers
from encaisse_core.host import Host, Link
from encaisse_core.naming import namer, neighbours
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
from encaisse_core.store.said import Said
from encaisse_core.store.upsert import among, bulk_upsert, insert_many, update_many

ANSWERS = "answer"
"""Stream under which whole answers nobody could read are kept."""


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

_FRESH = (
    "company_id",
    "connection_id",
    "created_at",
    "id",
    "remote_ref",
    "expected",
    "expected_credited",
    *_TOLD,
)
"""Columns of a record seen for the first time."""

_AS_SEEN = ("company_id", "id", "written")
"""What finds a record only as long as no other entry of ours lands on it."""

MOST_SAID = 500
MOST_RAW = 1 << 20
"""Characters kept of the reason, and of the answer."""


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
    record one landed on since then was read too early, and is left for the next read, also where it
    lands between our look at what stands and our writing. The amounts a sighting shows are kept as
    told; `expected`, what we can explain, is set when it is first seen
    and follows its total: an invoice corrected in its tool is no payment.
    """
    last = {item.ref: item for item in items}  # a ref told twice: the last word
    records: dict[str, bytes] = {}
    prints: dict[str, str] = {}
    for ref, item in last.items():
        record = records[ref] = _write(item)
        prints[ref] = hashlib.sha256(record).hexdigest()
    now = stamp(host.clock.now())
    name = (neighbours if link.together else namer)("sgt", link.company_id, link.id)
    new: list[str] = []
    fresh: list[tuple[Any, ...]] = []
    altered: list[tuple[Any, ...]] = []
    for ref, sighting_id, total, entries in _news(tx, link, prints):
        item = last[ref]
        told = _told(item, records[ref].decode(), prints[ref], now)
        if sighting_id is None:
            made = name(ref)
            new.append(made)
            fresh.append((link.company_id, link.id, now, made, ref, told[6], told[7], *told))
        elif written is None or entries == written.get(sighting_id, 0):
            altered.append((link.company_id, sighting_id, entries, *told, told[5] - total))
    insert_many(tx, schema.sighting, _FRESH, fresh)
    wrote = update_many(tx, schema.sighting, _AS_SEEN, _TOLD, altered, rising=("expected",))
    referrers.attribute(tx, link, new, now)
    return new, [row[1] for row in altered if row[: len(_AS_SEEN)] in wrote]


_write = TypeAdapter(SourceInvoice).serializer.to_json
"""The record as JSON, in bytes; what `model_dump_json` calls in the end."""


def _told(item: SourceInvoice, record: str, fingerprint: str, now: str) -> tuple[Any, ...]:
    """Give the columns of `_TOLD`."""
    return (
        fingerprint,
        record,
        item.number,
        item.state,
        "live",
        item.total.minor,
        item.open.minor,
        item.credited.minor if item.credited else 0,
        item.document_sha256,
        now,
    )


def _news(
    tx: Connection, link: Link, prints: Mapping[str, str]
) -> list[tuple[str, str | None, int, int]]:
    """Find the records that are new, tell something else, or came back, in the order told.

    Each with the id, total and entries of what stands of it. One comparison for a whole page: a
    record that tells what it told before costs nothing else.
    """
    here = {"of_company": link.company_id, "of_link": link.id, "told": json.dumps(prints)}
    found = _NEWS[tx.dialect.name].run(tx, here).fetchall()
    rows: dict[str, Any] = {row[0]: row for row in found}
    return [rows[ref] for ref in prints if ref in rows] if rows else []


def _stands(told: TableValuedAlias) -> ColumnElement[bool]:
    s = schema.sighting.c
    return and_(
        s.company_id == bindparam("of_company", type_=Text),
        s.connection_id == bindparam("of_link", type_=Text),
        s.remote_ref == told.c.key,
    )


def _sqlite_news() -> Select[Any, Any, Any, Any]:
    told, s = func.json_each(_PRINTS).table_valued("key", "value"), schema.sighting.c
    return (
        select(told.c.key, s.id, s.total, s.written)
        .select_from(told.outerjoin(schema.sighting, _stands(told)))
        .where(or_(s.id.is_(None), s.fingerprint != told.c.value, s.presence != "live"))
    )


def _postgresql_news() -> Select[Any, Any, Any, Any]:
    """Look each record up by itself.

    Its planner would read a table that was not analysed yet whole, for every page: the larger the
    first import, the slower. It may not where a join has a limit of its own.
    """
    told = func.json_each_text(cast(_PRINTS, JSON)).table_valued("key", "value")
    s = schema.sighting.c
    columns = (s.id, s.total, s.written, s.fingerprint, s.presence)
    one = select(*columns).where(_stands(told)).limit(literal_column("1")).lateral("one")
    return (
        select(told.c.key, one.c.id, one.c.total, one.c.written)
        .select_from(told.outerjoin(one, true()))
        .where(or_(one.c.id.is_(None), one.c.fingerprint != told.c.value, one.c.presence != "live"))
    )


_PRINTS = bindparam("told", type_=Text)
_NEWS = {"sqlite": Said(_sqlite_news()), "postgresql": Said(_postgresql_news())}
"""References and fingerprints, bound as one JSON object, beside what stands; by database."""


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
    here = {"of_company": link.company_id, "of_link": link.id, "of_stream": stream}
    if _ANY_UNREADABLE.run(tx, here).fetchone() is None:
        return
    u = schema.unreadable.c
    tx.execute(
        schema.unreadable.delete().where(
            u.company_id == link.company_id,
            u.connection_id == link.id,
            u.stream == stream,
            among(tx, u.remote_ref, refs),
        )
    )


_ANY_UNREADABLE = Said(
    select(schema.unreadable.c.id)
    .where(
        schema.unreadable.c.company_id == bindparam("of_company", type_=Text),
        schema.unreadable.c.connection_id == bindparam("of_link", type_=Text),
        schema.unreadable.c.stream == bindparam("of_stream", type_=Text),
    )
    .limit(1)
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
    if not refs:
        return []
    s = schema.sighting.c
    found = tx.execute(
        select(s.id).where(
            s.company_id == link.company_id,
            s.connection_id == link.id,
            among(tx, s.remote_ref, refs),
            s.presence == "live",
        )
    ).scalars()
    ids = list(found)
    if ids:
        tx.execute(
            schema.sighting.update()
            .where(s.company_id == link.company_id, among(tx, s.id, ids))
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
