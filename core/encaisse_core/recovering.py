"""Find again, at the partners, what was sent between a backup and its restoration.

Before a restored store thinks about money, everything it might plan is looked up under its key:
what stands there is adopted with its receipt, what does not is planned as usual. Facts come back by
the pulls, under the ids they had (`naming.py`), so that keys are the same. What no key of ours
names is compared by content: direct payments declared, procedures opened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from sqlalchemy import Connection, func, select

from encaisse_api import ReportsProgress, ReportsSettlements
from encaisse_core import (
    collector,
    deliver,
    forgotten,
    journal,
    opening,
    outbox,
    portfolio,
    restored,
    settled,
    writeback,
)
from encaisse_core.host import Host, Link, links
from encaisse_core.restored import Restoration
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp

PASSES = 4
"""A mandate found leads to its signature, that to a procedure, that to money, that to an entry."""

AGAIN = (timedelta(seconds=20), timedelta(minutes=2))
"""Waits before a collector that failed is heard again."""

LIVE = ("active", "paused")

_FOLLOWING = ("request_mandate", "open_procedure", "record_payment", "reverse_payment", "letter")
IN_ORDER: Sequence[str] = (*_FOLLOWING, *sorted(set(outbox.LANES) - set(_FOLLOWING)))
"""Kinds as they follow from each other: a reversal is looked up by the entry it undoes."""


Understood = Literal["everything", "handed", "nothing"]
"""Of which claims the open amounts tools show can be told apart: all, those handed over, none."""


def recover(host: Host, company_id: str) -> Understood:
    """Look up whatever may have been sent; tell of which claims tools can be understood by now.

    Of none while a collector was not heard since the restoration: money it sent us, which we wrote
    into a tool, would look like the customer's own. Of those in a procedure we know while there is
    one we do not: the others may be in that. Nothing is sent here. Without an open restoration this
    is one short question to the store.
    """
    with host.store.begin() as tx:
        standing = restored.open_of(tx, company_id)
    if standing is None:
        return "everything"
    for _ in range(PASSES):
        opening.plan_openings(host, company_id)
        adopted = _look(host, company_id)
        if adopted:
            _read_collectors(host, company_id)
        with host.store.begin() as tx:
            host.store.one_at_a_time(tx, company_id)
            portfolio.follow_records(host, tx, company_id)
            settled.follow_settlements(host, tx, company_id)
        writeback.plan_write_backs(host, company_id)
        adopted += _look(host, company_id)
        if not adopted:
            break
    _note_read(host, company_id, standing)
    with host.store.begin() as tx:
        heard = all(
            _read_since(tx, link, standing)
            for link in links(tx, company_id, states=LIVE)
            if host.can(link, ReportsSettlements)
        )
        if not heard:
            return "nothing"
        return "handed" if restored.procedures_unknown(tx, company_id) else "everything"


def _look(host: Host, company_id: str) -> int:
    """Look each doubtful effect up once, and send none; return how many stand at their partner."""
    done: Counter[str] = Counter()
    seen: set[str] = set()
    e = schema.effect.c
    with host.store.begin() as tx:
        settled_ones = select(e.id).where(e.company_id == company_id, e.state != "uncertain")
        seen.update(str(one) for one in tx.execute(settled_ones).scalars())
    for kind in IN_ORDER:
        while (effect := outbox.claim_next(host, company_id, (kind,), without=seen)) is not None:
            seen.add(effect.id)
            done[deliver.deliver(host, effect, look_only=True)] += 1
    return done["done"]


def _read_collectors(host: Host, company_id: str) -> None:
    """Hear the collectors again: what was set aside is about a procedure that is known by now."""
    with host.store.begin() as tx:
        found = [link for link in links(tx, company_id) if host.can(link, ReportsProgress)]
    for pause in (*AGAIN, None):
        found = [link for link in found if collector.pull_collector(host, link).error is not None]
        if not found or pause is None:
            return
        host.clock.sleep(pause.total_seconds())


def _note_read(host: Host, company_id: str, standing: Restoration) -> None:
    """Note that every partner was read since, and that procedures are known or asked about."""
    with host.store.begin() as tx:
        found = links(tx, company_id, states=LIVE)
        unread = [link for link in found if not _read_since(tx, link, standing)]
    looked = [forgotten.compare_procedures(host, link, standing) for link in found]
    if unread or not all(looked) or standing.read_at is not None:
        return
    r = schema.restoration.c
    now = host.clock.now()
    with host.store.begin() as tx:
        tx.execute(
            schema.restoration.update()
            .where(r.company_id == company_id, r.id == standing.id)
            .values(read_at=stamp(now))
        )
        journal.append(tx, company_id, now, "restored_and_read", standing.id, {})


def _read_since(tx: Connection, link: Link, standing: Restoration) -> bool:
    c = schema.connection.c
    row = tx.execute(
        select(c.pulled_at, c.failed_at).where(c.company_id == link.company_id, c.id == link.id)
    ).one()
    return row.failed_at is None and (row.pulled_at or "") >= standing.restored_at


def close_if_over(host: Host, company_id: str) -> bool:
    """Close a restoration once everything was read again and nothing is in doubt."""
    now = host.clock.now()
    with host.store.begin() as tx:
        standing = restored.open_of(tx, company_id)
        if standing is None or standing.read_at is None:
            return False
        if restored.why_not_open(tx, company_id) is not None or _in_doubt(tx, company_id):
            return False
        r = schema.restoration.c
        tx.execute(
            schema.restoration.update()
            .where(r.company_id == company_id, r.id == standing.id)
            .values(closed_at=stamp(now))
        )
        journal.append(tx, company_id, now, "restoration_closed", standing.id, {})
    return True


def _in_doubt(tx: Connection, company_id: str) -> bool:
    """Tell whether an effect or a row nobody could read may still hide what was sent."""
    e, u, c = schema.effect.c, schema.unreadable.c, schema.connection.c
    effects = select(func.count()).where(
        e.company_id == company_id, e.state.in_(restored.NOT_CLOSED), e.attempts == 0
    )
    doubtful = select(func.count()).where(
        e.company_id == company_id, e.state.in_(("sending", "uncertain"))
    )
    unread = select(func.count()).where(
        u.company_id == company_id,
        u.stream != "invoices",
        u.connection_id.in_(select(c.id).where(c.company_id == company_id, c.state.in_(LIVE))),
    )
    return any(bool(tx.execute(query).scalar_one()) for query in (effects, doubtful, unread))
