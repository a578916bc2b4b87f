"""Say whose night is due, and note that it was asked for: once per date, whichever worker asks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, time, timedelta

from sqlalchemy import select

from encaisse_core.daemon import WORKER, shown_at
from encaisse_core.host import Host
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
from encaisse_core.store.upsert import bulk_upsert

ROUND = "nights"
"""The row of the heartbeats that says which date's nights were asked for, and how they ended."""

FORGOTTEN = timedelta(days=1)
"""After this a silent worker is no longer listed."""


@dataclass(frozen=True, slots=True)
class Round:
    """Describe the last round of nights: its date, and whether its end was told outside."""

    night: str
    told: bool


def last(host: Host) -> Round | None:
    """Read the last round."""
    h = schema.heartbeat.c
    with host.store.begin() as tx:
        body = tx.execute(select(h.body).where(h.name == ROUND)).scalar_one_or_none()
    if body is None:
        return None
    kept = json.loads(body)
    return Round(str(kept["night"]), bool(kept["told"]))


def note(host: Host, round_: Round) -> None:
    """Write the round down."""
    row = {
        "name": ROUND,
        "at": stamp(host.clock.now()),
        "body": json.dumps({"night": round_.night, "told": round_.told}, sort_keys=True),
    }
    with host.store.begin() as tx:
        bulk_upsert(tx, schema.heartbeat, [row], key=("name",))


def due(host: Host, at: time) -> date | None:
    """Give tonight's date once clocks in Paris have shown `at`, unless its round was asked for.

    Also later that day: a machine that was off at that hour runs the night when it is back, once.
    """
    tonight = host.clock.today()
    if host.clock.now() < shown_at(tonight, at):
        return None
    known = last(host)
    return None if known is not None and known.night == tonight.isoformat() else tonight


def open_nights(host: Host, night: str) -> list[str]:
    """List the companies whose night of this date is not done, by SIREN."""
    n, k = schema.night.c, schema.company.c
    done = select(n.company_id).where(n.night == night, n.state == "done")
    with host.store.planning().begin() as tx:
        return list(
            tx.execute(select(k.id).where(k.id.not_in(done)).order_by(k.siren, k.id)).scalars()
        )


def forget_the_silent(host: Host) -> None:
    """Remove signs of life of workers that ended without saying so, a day ago or more."""
    h = schema.heartbeat
    with host.store.begin() as tx:
        tx.execute(
            h.delete().where(
                h.c.name.startswith(WORKER), h.c.at < stamp(host.clock.now() - FORGOTTEN)
            )
        )


def leave(host: Host, name: str) -> None:
    """Remove one worker's sign of life: it was told to end."""
    h = schema.heartbeat
    with host.store.begin() as tx:
        tx.execute(h.delete().where(h.c.name == name))
