"""Take what a tool says into the store: one page, one transaction.

A page lands whole (its rows, its cursor, its event) or not at all, so that a cursor never passes
facts. What vanished from a snapshot is worked out only after the tool said "end", and is never
taken for paid: the tool is asked again about each vanished record, and one it no longer knows makes
its claim unseen, which closes nothing and starts nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, select, text

from encaisse_api import (
    Cursor,
    CursorLost,
    Denied,
    Drift,
    Missing,
    Page,
    PartnerError,
    SourceInvoice,
    Transient,
)
from encaisse_core import chaos, cursors, grants, journal, pausing, succession, tasks
from encaisse_core.errors import HostError
from encaisse_core.faults import fault
from encaisse_core.host import Host, Link
from encaisse_core.sightings import (
    forget_answers,
    forget_unreadable,
    keep_answer,
    store_invoices,
    store_removed,
    store_unreadable,
)
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp

T = TypeVar("T")

VANISHED_AT_LEAST = 5
VANISHED_PER_CENT = 20
"""More than max(5, 20 %) vanishing at once is a fault of the tool, not the life of invoices."""

ASKED_TOGETHER = 10
"""Vanished records asked about at once where a quota may cut the asking short."""

ANOTHER_NIGHT = timedelta(hours=1)
"""A partner that asks for a longer pause than this means its quota, not a hiccup."""


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
    place: Cursor | None = None
    resumed: bool = False


def pull_invoices(host: Host, link: Link) -> Pulled:
    """Pull a source's invoices to the end, or stop where it fails and close nothing.

    Once a pass that took several nights is whole, what its first nights showed is old: a new pass
    begins at once, and what it reaches tonight is news of tonight.
    """
    done = _one_pass(host, link)
    if done.resumed and done.error is None:
        fresh = _one_pass(host, link)
        if not cut_by_quota(fresh.error):
            done = fresh
    note_result(host, link, done.error)
    return done


def _one_pass(host: Host, link: Link) -> Pulled:
    done = Pulled(link)
    resumes = False
    try:
        stream = host.manifest(link).streams["invoices"]
        resumes = stream.resumes
        with host.open(link, keeps_reserve=True) as source, chaos.during("pull.invoices"):
            with host.store.begin() as tx:
                since = _start(host, tx, link, done, resumes=resumes)
                done.written = _written(tx, link)
            for page in source.pull_invoices(since):
                _store_page(host, link, page, done, resumes=resumes)
                if stream.mode == "snapshot":
                    _shown(page, done)
                if page.end:
                    done.complete = True
            if not done.complete:
                raise Drift(f"{link.connector} s'est arrêté avant la fin de sa liste.")
            if stream.mode == "snapshot":
                _ask_about_vanished(host, link, source, done, resumes=resumes)
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
    if resumes:
        _leave(host, link, done)
    return done


def _start(host: Host, tx: Connection, link: Link, done: Pulled, *, resumes: bool) -> Cursor | None:
    """Give where the stream goes on; a snapshot that was cut short remembers what it showed."""
    if not resumes:
        return cursors.read(tx, link, "invoices")
    done.place, done.refs = cursors.read_place(tx, link, "invoices", host.clock.now())
    done.resumed = done.place is not None
    return done.place


def _leave(host: Host, link: Link, done: Pulled) -> None:
    """Keep the place of a pass the quota cut short; after anything else the next one starts anew.

    A pass that fits in one night and failed is better read whole again: what it showed last night
    says nothing of what was paid since. The place is written here and not with each page: a process
    that dies in between reads the pass again from its beginning, which is slower and never wrong.
    """
    with host.store.begin() as tx:
        if cut_by_quota(done.error) and done.place is not None:
            cursors.keep_place(tx, link, "invoices", done.place, done.refs, host.clock.now())
        else:
            cursors.forget(tx, link, "invoices")


def note_result(
    host: Host, link: Link, error: PartnerError | None, *, read_at: datetime | None = None
) -> None:
    """Record when a connection last answered whole, or why it did not.

    `read_at` is when that reading began, where what came up during it was perhaps not read.
    """
    now = host.clock.now()
    row = schema.connection
    with host.store.begin("ingest.result") as tx:
        host.store.one_at_a_time(tx, link.company_id)
        values: dict[str, Any] = {"failed_at": stamp(now), "reason": error and error.message}
        if error is None:
            values = {"pulled_at": stamp(read_at or now), "failed_at": None, "reason": None}
            forget_answers(tx, link)
        elif isinstance(error, Drift) and error.raw:
            keep_answer(host, tx, link, error.raw, error.message)
        if isinstance(error, Denied) and _closes(tx, link, error) and pausing.pauses(tx, link):
            tasks.ask(
                tx,
                link.company_id,
                "reconnect",
                link.id,
                f"{error.message} La commande : encaisse connect {link.connector}.",
                task_id=host.ids.new("tsk"),
                at=now,
                again=True,
            )
        tx.execute(
            row.update()
            .where(row.c.company_id == link.company_id, row.c.id == link.id)
            .values(**values)
        )


def _closes(tx: Connection, link: Link, error: Denied) -> bool:
    """Close a connection's access; False where what was refused was renewed or replaced since."""
    presented = error.presented if isinstance(error, grants.Refused) else None
    grants.mark_denied(tx, link.grant_id, error.message, tokens_version=presented)
    return presented is None or grants.version(tx, link.grant_id) == presented


def cut_by_quota(error: PartnerError | None) -> bool:
    """Tell whether a partner will answer no more tonight, though it is well."""
    return (
        isinstance(error, Transient)
        and error.retry_after is not None
        and error.retry_after >= ANOTHER_NIGHT
    )


def _store_page(
    host: Host, link: Link, page: Page[SourceInvoice], done: Pulled, *, resumes: bool
) -> None:
    """Store one page with its cursor; from a row set aside on, the cursor stays.

    A tool that tells changes tells each once, and what nobody could read may be the news that the
    customer paid: it is read again every night.
    """
    set_aside = done.set_aside = done.set_aside or bool(page.unreadable)
    with host.store.begin("ingest.page") as tx:
        host.store.one_at_a_time(tx, link.company_id)
        new, changed = store_invoices(host, tx, link, page.items, written=done.written)
        forget_unreadable(tx, link, "invoices", [item.ref for item in page.items])
        bad = store_unreadable(host, tx, link, "invoices", page.unreadable)
        gone = store_removed(host, tx, link, [removed.ref for removed in page.removed])
        if page.cursor is not None and not set_aside and not resumes:
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
    if page.cursor is not None:
        done.place = page.cursor
    done.seen += len(page.items)
    done.new += len(new)
    done.changed += len(changed)
    done.unreadable += bad


def _shown(page: Page[SourceInvoice], done: Pulled) -> None:
    """Remember what a snapshot showed; of changes nothing vanishes, and nothing is remembered."""
    done.refs.update([item.ref for item in page.items])
    done.refs.update(bad.ref for bad in page.unreadable if bad.ref is not None)


def _written(tx: Connection, link: Link) -> dict[str, int]:
    """Count our entries on each record before a read begins."""
    s = schema.sighting.c
    query = select(s.id, s.written).where(
        s.company_id == link.company_id,
        s.connection_id == link.id,
        text("written > 0"),  # a literal, because SQLite uses no partial index for bound values
    )
    return {row.id: row.written for row in tx.execute(query)}


def _ask_about_vanished(
    host: Host, link: Link, source: Any, done: Pulled, *, resumes: bool
) -> None:
    """Ask the tool about each open record its complete list no longer shows.

    Invoices that are paid leave such a list, all of a customer's in one night if he pays them all;
    what a tool cannot find again is something else, and many at once are a fault of the tool, but
    not where it shows the same invoices under other ids. Where a quota may end the asking too, each
    few answers are kept, and the next night asks for the rest.
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
    lost: list[str] = []
    still_open = 0
    changed: list[str] = []
    failed: PartnerError | None = None
    together = ASKED_TOGETHER if resumes else len(gone)
    for first in range(0, len(gone), together):
        with chaos.during("pull.vanished"):
            answers, drift = ask_each(source.read_invoices, gone[first : first + together])
        failed = drift or failed
        lost += [answer.ref for answer in answers if isinstance(answer, Missing)]
        back = [answer for answer in answers if isinstance(answer, SourceInvoice)]
        still_open += sum(answer.state in ("open", "unknown") for answer in back)
        with host.store.begin("ingest.vanished_read") as tx:
            host.store.one_at_a_time(tx, link.company_id)
            _, news = store_invoices(host, tx, link, back, written=done.written)
        changed += news
        done.refs.update(answer.ref for answer in back)
    allowed = max(VANISHED_AT_LEAST, len(open_refs) * VANISHED_PER_CENT // 100)
    with host.store.begin("ingest.vanished") as tx:
        host.store.one_at_a_time(tx, link.company_id)
        renumbered = succession.shown_anew(tx, link, lost) if len(lost) > allowed else []
        missing = sorted(set(lost) - set(renumbered))
        too_many = len(missing) > allowed and not pausing.confirmed(tx, link, missing)
        ids = store_removed(host, tx, link, renumbered if too_many else lost)
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
        pausing.pause(host, link, missing, len(open_refs))
        raise Transient(
            f"{len(missing)} factures sur {len(open_refs)} ont disparu d'un coup de "
            f"{link.connector} : la connexion est en pause et rien n'a été fermé."
        )
    if still_open > allowed:
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
