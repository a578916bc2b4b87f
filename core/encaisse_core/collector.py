"""Hear the collectors: mandates signed, procedures moving, payments received, transfers made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from encaisse_api import (
    AnnexLine,
    CursorLost,
    Drift,
    Mandate,
    Page,
    PartnerError,
    ReportsProgress,
    ReportsSettlements,
    TakesMandates,
    Unreadable,
)
from encaisse_core import chaos, cursors, journal, tasks
from encaisse_core.errors import HostError
from encaisse_core.faults import fault
from encaisse_core.host import Host, Link
from encaisse_core.ingest import note_result
from encaisse_core.reports import NotYet, keep_payment, keep_payout, keep_progress
from encaisse_core.sightings import forget_unreadable, store_unreadable
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp

Keeps = Callable[[Host, Connection, Link, Any], bool]


@dataclass
class Heard:
    """Tell what one pull of a collector gave: what stopped it, and the rows nobody could read."""

    error: PartnerError | None = None
    unreadable: int = 0


def pull_collector(host: Host, link: Link) -> Heard:
    """Pull everything one collector reports."""
    heard, started = Heard(), host.clock.now()
    try:
        with host.open(link, keeps_reserve=True) as partner:
            if host.can(link, TakesMandates):
                _read_mandates(host, link, partner)
            if host.can(link, ReportsProgress):
                pull: Any = partner.pull_progress
                heard.unreadable += _stream(host, link, "progress", pull, keep_progress)
            if host.can(link, ReportsSettlements):
                pull = partner.pull_payments_collected
                heard.unreadable += _stream(host, link, "payments", pull, keep_payment)
                pull = partner.pull_payouts
                heard.unreadable += _stream(host, link, "payouts", pull, keep_payout)
    except PartnerError as error:
        heard.error = error
    except HostError:
        raise
    except Exception as error:  # a connector's bug stops its own stream, not the night
        heard.error = _drift(link, error)
    note_result(host, link, heard.error, read_at=started)
    return heard


def hear_payments(host: Host, link: Link) -> None:
    """Read what a collector received since we last heard of it; raise what stops that."""
    if not host.can(link, ReportsSettlements):
        return
    started = host.clock.now()
    try:
        with host.open(link) as partner:
            _stream(host, link, "payments", partner.pull_payments_collected, keep_payment)
    except (PartnerError, HostError):
        raise
    except Exception as error:  # a connector's bug is no word of its partner
        raise _drift(link, error) from error
    host.heard[link.id] = stamp(started)


def _drift(link: Link, error: Exception) -> Drift:
    return Drift(f"{link.connector} a répondu sous une forme inconnue ({fault(error)}).")


def _stream(
    host: Host,
    link: Link,
    stream: str,
    pull: Callable[[Any], Iterator[Page[Any]]],
    keep: Keeps,
) -> int:
    """Store a stream page by page, each with its cursor or not at all; count what was unreadable.

    The cursor does not pass a row that was set aside: it is read again every night, because what
    nobody could read may be somebody's payment, and what speaks of a procedure whose opening is in
    doubt is about ours.
    """
    with host.store.begin() as tx:
        since = cursors.read(tx, link, stream)
    set_aside = False
    unreadable = 0
    try:
        for page in _pages(pull(since), f"pull.{stream}"):
            set_aside = set_aside or bool(page.unreadable)
            unreadable += len(page.unreadable)
            with host.store.begin(f"collector.{stream}") as tx:
                host.store.one_at_a_time(tx, link.company_id)
                for item in page.items:
                    try:
                        keep(host, tx, link, item)
                    except NotYet:
                        set_aside = True
                forget_unreadable(tx, link, stream, [item.remote_id for item in page.items])
                if store_unreadable(host, tx, link, stream, page.unreadable):
                    _ask_about_rows(host, tx, link, stream, page.unreadable)
                if page.cursor is not None and not set_aside:
                    cursors.write(tx, link, stream, page.cursor, host.clock.now())
    except CursorLost:
        with host.store.begin() as tx:
            cursors.forget(tx, link, stream)
        raise
    return unreadable


def _pages(pages: Iterator[Page[Any]], place: str) -> Iterator[Page[Any]]:
    """Give a stream's pages; the calls behind each are made under the stream's own name."""
    while True:
        with chaos.during(place):
            page = next(pages, None)
        if page is None:
            return
        yield page


def _ask_about_rows(
    host: Host, tx: Connection, link: Link, stream: str, unread: Sequence[Unreadable]
) -> None:
    """Tell a person that money may stand in rows nobody could read.

    Rows that are set aside anew were asked about already where a later page of each night reads
    what they are about.
    """
    told = sorted((row.ref or "", row.raw) for row in unread)
    tasks.ask(
        tx,
        link.company_id,
        "unreadable",
        f"{link.id}:{stream}",
        f"{link.connector} a envoyé {len(unread)} ligne(s) illisible(s) ({stream}) : elles sont "
        "gardées et relues chaque nuit. Voir : encaisse unreadable.",
        task_id=host.ids.new("tsk"),
        at=host.clock.now(),
        about={"rows": hashlib.sha256(json.dumps(told).encode()).hexdigest()},
    )


def _read_mandates(host: Host, link: Link, partner: Any) -> None:
    """Read each mandate that waits for its signature; only `signed` opens anything."""
    m = schema.mandate.c
    with host.store.begin() as tx:
        waiting = tx.execute(
            select(m.id, m.remote_id, m.annex)
            .where(
                m.company_id == link.company_id,
                m.connection_id == link.id,
                m.state == "pending",
                m.remote_id.is_not(None),
            )
            .order_by(m.id)
        ).all()
    for row in waiting:
        with chaos.during("pull.mandate"):
            mandate: Mandate = partner.read_mandate(row.remote_id)
        if mandate.state in ("pending", "unknown"):
            continue
        state: str = mandate.state
        if state == "signed" and (mandate.signed_at is None or not _as_asked(mandate, row.annex)):
            state = "altered"
        with host.store.begin("collector.mandate") as tx:
            host.store.one_at_a_time(tx, link.company_id)
            written = tx.execute(
                schema.mandate.update()
                .where(m.company_id == link.company_id, m.id == row.id, m.state == "pending")
                .values(state=state, signed_at=mandate.signed_at and stamp(mandate.signed_at))
            )
            if written.rowcount == 0:  # another worker heard of it first
                continue
            if state == "altered":
                tasks.ask(
                    tx,
                    link.company_id,
                    "mandate_altered",
                    row.id,
                    f"Le mandat signé chez {link.connector} ne porte pas les créances et les "
                    "montants que vous aviez approuvés : rien n'est ouvert. Vérifiez avec lui.",
                    task_id=host.ids.new("tsk"),
                    at=host.clock.now(),
                )
            journal.append(
                tx,
                link.company_id,
                host.clock.now(),
                f"mandate_{state}",
                row.id,
                {"remote_id": row.remote_id},
            )


def _as_asked(mandate: Mandate, annex: str) -> bool:
    """Tell whether what was signed is, line by line, what the person approved."""
    asked = [AnnexLine.model_validate(line) for line in json.loads(annex)]
    return sorted(mandate.annex, key=_by_claim) == sorted(asked, key=_by_claim)


def _by_claim(line: AnnexLine) -> str:
    return line.claim_id
