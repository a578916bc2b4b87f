"""Look at a company by day, as its night would: pull, join, reconcile, stop."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import func, select

from encaisse_core import nightly, outbox, runner, stops
from encaisse_core.errors import HostError
from encaisse_core.hooks import deliveries
from encaisse_core.hooks.deliveries import Waiting
from encaisse_core.host import Host, links
from encaisse_core.nightly import Night, StopAsked
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp

NO_WAIT = timedelta(0)
"""Send what can be sent now; the lookout comes back for the rest."""


def look(host: Host, company_id: str, *, stop_asked: StopAsked = lambda: False) -> Night:
    """Read the connections that told something, and stop what their news asks to stop.

    A connection that cannot be read is looked at again a little later, one that is paused by the
    night that follows its reconnection; where the look itself fails, all of them are, and the fault
    is raised. Dying in here loses nothing: what told stays to be looked at.
    """
    found = Night(company_id, host.clock.today(), stop_asked=stop_asked)
    with host.store.begin() as tx:
        told: dict[str, list[Waiting]] = {}
        for each in deliveries.waiting(tx, company_id, host.store.db_now(tx)):
            told.setdefault(each.connection_id, []).append(each)
        active = {link.id: link for link in links(tx, company_id)}
    again: set[str] = set()
    try:
        for connection_id in told:
            if connection_id in active and nightly.pull_one(host, found, active[connection_id]):
                again.add(connection_id)
        nightly.join(host, found)
        nightly.reconcile_money(host, found)
        found.counts["stops"] += stops.plan_stops(host, company_id)
        found.counts["done"] += send_stops(host, company_id, stop_asked=stop_asked)
    except Exception:
        with suppress(HostError):  # a store that fails takes no note either: the first fault counts
            _note(host, company_id, told, failed=told)
        raise
    _note(host, company_id, told, failed=again)
    return found


def _note(
    host: Host,
    company_id: str,
    told: Mapping[str, Sequence[Waiting]],
    *,
    failed: Collection[str],
) -> None:
    """Note of each connection that it was looked at, or that it is to be looked at again."""
    with host.store.begin("hooks.looked") as tx:
        now = host.store.db_now(tx)
        for connection_id, seen in told.items():
            note = deliveries.failed if connection_id in failed else deliveries.looked
            note(tx, company_id, seen, now)


def send_stops(host: Host, company_id: str, *, stop_asked: StopAsked = lambda: False) -> int:
    """Send a company's stops that are due; return how many were acknowledged."""
    drained = runner.drain(
        host, company_id, stops.STOP_KINDS, patience=NO_WAIT, stop_asked=stop_asked
    )
    return drained.outcomes["done"]


def companies_with_stops(host: Host) -> list[str]:
    """List the companies of which a stop is due, the oldest first, whoever's turn the night is."""
    e, kinds = schema.effect.c, stops.STOP_KINDS
    lanes = sorted({outbox.LANES[kind] for kind in kinds})
    with host.store.attending().begin() as tx:
        now = stamp(host.store.db_now(tx))
        query = (
            select(e.company_id)
            .where(outbox.READY, e.lane.in_(lanes), e.kind.in_(kinds), e.ready_at <= now)
            .group_by(e.company_id)
            .order_by(func.min(e.created_at), e.company_id)
        )
        return list(tx.execute(query).scalars())
