"""Take what a tool says into the store: one page, one transaction.

A page lands whole (its rows, its cursor, its event) or not at all, so that a cursor never passes
facts. What vanished from a snapshot is worked out only after the tool said "end", and is never
taken for paid: the tool is asked again about each vanished record, and one it no longer knows makes
its claim unseen, which closes nothing and starts nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, select

from encaisse_api import (
    CursorLost,
    Denied,
    Drift,
    Missing,
    Page,
    PartnerError,
    SourceInvoice,
    Transient,
    Unreadable,
)
from encaisse_core import cursors, grants, journal, referrers, tasks
from encaisse_core.errors import HostError
from encaisse_core.faults import fault
from encaisse_core.host import Host, Link
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
from encaisse_core.store.upsert import bulk_upsert

T = TypeVar("T")

VANISHED_AT_LEAST = 5
VANISHED_PER_CENT = 20
"""More than max(5, 20 %) vanishing at once is a fault of the tool, not the life of invoices."""


@dataclass
class Pulled:
    """Tell what one pull brought."""

    link: Link
    complete: bool = False
    seen: int = 0
    new: int = 0
    changed: int = 0
    unreadable: int = 0
    set_aside: bool = False
    vanished: int = 0
    error: PartnerError | None = None
    refs: set[str] = field(default_factory=set[str])
    written: Mapping[str, int] = field(default_factory=dict[str, int])


def pull_invoices(host: Host, link: Link) -> Pulled:
    """Pull a source's invoices to the end, or stop where it fails and close nothing."""
    done = Pulled(link)
    try:
        mode = host.manifest(link).streams["invoices"].mode
        with host.open(link) as source:
            with host.store.begin() as tx:
                since = cursors.read(tx, link, "invoices")
                done.written = _written(tx, link)
            for page in source.pull_invoices(since):
                _store_page(host, link, page, done)
                if page.end:
                    done.complete = True
            if not done.complete:
                raise Drift(f"{link.connector} s'est arrêté avant la fin de sa liste.")
            if mode == "snapshot":
                _ask_about_vanished(host, link, source, done)
    except CursorLost as error:
        with host.store.begin() as tx:
            cursors.forget(tx, link, "invoices")
        done.error, done.complete = error, False
    except PartnerError as error:
        done.error, done.complete = error, False
    except HostError:
        raise
    except Exception as error:  # a connector's bug stops its own stream, not the night
        done.complete = False
        done.error = Drift(f"{link.connector} a répondu sous une forme inconnue ({fault(error)}).")
    note_result(host, link, done.error)
    return done


def note_result(host: Host, link: Link, error: PartnerError | None) -> None:
    """Record when a connection last answered whole, or why it did not."""
    now = host.clock.now()
    row = schema.connection
    with host.store.begin() as tx:
        values: dict[str, Any] = {"failed_at": stamp(now), "reason": error and error.message}
        if error is None:
            values = {"pulled_at": stamp(now), "failed_at": None, "reason": None}
        if isinstance(error, Denied):
            values["state"] = "paused"
            grants.mark_denied(tx, link.grant_id, error.message)
            tasks.ask(
                tx,
                link.company_id,
                "reconnect",
                link.id,
                f"{error.message} Reconnectez {link.connector} : encaisse connect "
                f"{link.connector}.",
                task_id=host.ids.new("tsk"),
                at=now,
            )
        tx.execute(
            row.update()
            .where(row.c.company_id == link.company_id, row.c.id == link.id)
            .values(**values)
        )


def _store_page(host: Host, link: Link, page: Page[SourceInvoice], done: Pulled) -> None:
    """Store one page with its cursor; from a row set aside on, the cursor stays.

    A tool that tells changes tells each once, and what nobody could read may be the news that the
    customer paid: it is read again every night.
    """
    set_aside = done.set_aside = done.set_aside or bool(page.unreadable)
    with host.store.begin() as tx:
        new, changed = store_invoices(host, tx, link, page.items, written=done.written)
        forget_unreadable(tx, link, "invoices", [item.ref for item in page.items])
        bad = store_unreadable(host, tx, link, "invoices", page.unreadable)
        gone = _store_removed(host, tx, link, [removed.ref for removed in page.removed])
        if page.cursor is not None and not set_aside:
            cursors.write(tx, link, "invoices", page.cursor, host.clock.now())
        if new or changed or bad or gone:
            journal.append(
                tx,
                link.company_id,
                host.clock.now(),
                "page_read",
                link.id,
                {"new": new, "changed": changed, "unreadable": bad, "removed": gone},
            )
    done.seen += len(page.items)
    done.new += len(new)
    done.changed += len(changed)
    done.unreadable += bad
    done.refs.update(item.ref for item in page.items)
    done.refs.update(bad.ref for bad in page.unreadable if bad.ref is not None)


def _written(tx: Connection, link: Link) -> dict[str, int]:
    """Count our entries on each record before a read begins."""
    s = schema.sighting.c
    query = select(s.id, s.written).where(
        s.company_id == link.company_id, s.connection_id == link.id, s.written > 0
    )
    return {row.id: row.written for row in tx.execute(query)}


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
    here = (s.company_id == link.company_id, s.connection_id == link.id)
    refs = [item.ref for item in items]
    known = {
        row.remote_ref: row
        for row in tx.execute(
            select(s.id, s.remote_ref, s.fingerprint, s.presence, s.total, s.written).where(
                *here, s.remote_ref.in_(refs)
            )
        )
    }
    now = stamp(host.clock.now())
    new: list[str] = []
    changed: list[str] = []
    for item in {item.ref: item for item in items}.values():  # a ref told twice: the last word
        record = item.model_dump_json()
        fingerprint = hashlib.sha256(record.encode()).hexdigest()
        values: dict[str, Any] = {
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
        before = known.get(item.ref)
        if before is None:
            sighting_id = host.ids.new("sgt")
            tx.execute(
                schema.sighting.insert().values(
                    company_id=link.company_id,
                    id=sighting_id,
                    connection_id=link.id,
                    remote_ref=item.ref,
                    expected=item.open.minor,
                    expected_credited=values["credited"],
                    created_at=now,
                    **values,
                )
            )
            referrers.attribute(tx, link, sighting_id, now)
            new.append(sighting_id)
        elif written is not None and before.written != written.get(before.id, 0):
            continue
        elif before.fingerprint != fingerprint or before.presence != "live":
            values["expected"] = s.expected + item.total.minor - before.total
            tx.execute(schema.sighting.update().where(*here, s.id == before.id).values(**values))
            changed.append(before.id)
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


def _store_removed(host: Host, tx: Connection, link: Link, refs: Sequence[str]) -> list[str]:
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


def _ask_about_vanished(host: Host, link: Link, source: Any, done: Pulled) -> None:
    """Ask the tool about each open record its complete list no longer shows.

    Invoices that are paid leave such a list, all of a customer's in one night if he pays them all;
    what a tool cannot find again is something else, and many at once are a fault of the tool.
    """
    s = schema.sighting.c
    with host.store.begin() as tx:
        live = tx.execute(
            select(s.remote_ref)
            .where(
                s.company_id == link.company_id,
                s.connection_id == link.id,
                s.presence == "live",
                s.state.not_in(("settled", "cancelled")),
                s.open != 0,
            )
            .order_by(s.remote_ref)
        )
        open_refs = list(live.scalars())
    gone = [ref for ref in open_refs if ref not in done.refs]
    if not gone:
        return
    answers, failed = ask_each(source.read_invoices, gone)
    lost = [answer.ref for answer in answers if isinstance(answer, Missing)]
    back = [answer for answer in answers if isinstance(answer, SourceInvoice)]
    allowed = max(VANISHED_AT_LEAST, len(open_refs) * VANISHED_PER_CENT // 100)
    too_many = len(lost) > allowed
    with host.store.begin() as tx:
        _, changed = store_invoices(host, tx, link, back, written=done.written)
        ids = [] if too_many else _store_removed(host, tx, link, lost)
        if changed or ids:
            journal.append(
                tx,
                link.company_id,
                host.clock.now(),
                "vanished_read_again",
                link.id,
                {"changed": changed, "unseen": ids},
            )
    done.changed += len(changed)
    done.vanished += len(ids)
    if too_many:
        _pause(host, link, len(lost), len(open_refs))
        raise Transient(
            f"{len(lost)} factures sur {len(open_refs)} ont disparu d'un coup de "
            f"{link.connector} : la connexion est en pause et rien n'a été fermé."
        )
    if sum(answer.state in ("open", "unknown") for answer in back) > allowed:
        raise Drift(f"{link.connector} a omis des factures ouvertes de sa liste complète.")
    if failed is not None:
        raise failed


def ask_each(
    ask: Callable[[Sequence[str]], Sequence[T]], refs: Sequence[str]
) -> tuple[list[T], PartnerError | None]:
    """Ask about records together, or one by one, so that one bad row does not hide the others."""
    try:
        return list(ask(refs)), None
    except Drift as error:
        if len(refs) == 1:
            return [], error
    answers: list[T] = []
    failed: PartnerError | None = None
    for ref in refs:
        try:
            answers += ask([ref])
        except Drift as error:
            failed = error
    return answers, failed


def _pause(host: Host, link: Link, gone: int, known: int) -> None:
    now = host.clock.now()
    with host.store.begin() as tx:
        c = schema.connection
        tx.execute(
            c.update()
            .where(c.c.company_id == link.company_id, c.c.id == link.id)
            .values(state="paused")
        )
        tasks.ask(
            tx,
            link.company_id,
            "mass_vanishing",
            link.id,
            f"{gone} factures sur {known} ont disparu de {link.connector} en une nuit. "
            "Vérifiez l'outil, puis relancez la connexion : encaisse connect "
            f"{link.connector}.",
            task_id=host.ids.new("tsk"),
            at=now,
        )
        journal.append(
            tx, link.company_id, now, "connection_paused", link.id, {"gone": gone, "known": known}
        )


def record_of(row: Any) -> SourceInvoice:
    """Read a sighting's record back as the contract's value."""
    return SourceInvoice.model_validate(json.loads(row))
