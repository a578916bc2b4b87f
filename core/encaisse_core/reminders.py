"""The reminders a company's tool sent before anything was handed over: asked for when proposed.

That a customer was reminded, and how often, is what a person looks at before approving, and what a
collector begins from. Asking costs a call per invoice where calls are counted, so it is done for
the claims of a proposal and not for every open invoice every night.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from pydantic import TypeAdapter
from sqlalchemy import Connection, select

from encaisse_api import Reminder, TellsReminders
from encaisse_core.errors import HostError
from encaisse_core.faults import fault
from encaisse_core.host import Host, Link, links
from encaisse_core.sightings import live_of
from encaisse_core.store import schema

log = logging.getLogger("encaisse.reminders")
_LIST: TypeAdapter[tuple[Reminder, ...]] = TypeAdapter(tuple[Reminder, ...])


def ask(host: Host, company_id: str, claim_ids: Collection[str]) -> None:
    """Ask each tool that tells them for the reminders of these claims, and keep what it says.

    A tool that does not answer holds nothing up: a proposal stands on what is owed. What it said
    before is kept.
    """
    with host.store.begin() as tx:
        able = [link for link in links(tx, company_id) if host.can(link, TellsReminders)]
        shown = {link.id: live_of(tx, link, claim_ids) for link in able}
    for link in able:
        if shown[link.id]:
            _ask_one(host, link, shown[link.id])


def of_claim(tx: Connection, company_id: str, claim_id: str) -> tuple[Reminder, ...]:
    """Give what is known of one claim's reminders, oldest first; two tools may tell the same."""
    s = schema.sighting.c
    told = tx.execute(
        select(s.reminders).where(
            s.company_id == company_id, s.claim_id == claim_id, s.reminders.is_not(None)
        )
    ).scalars()
    found = {
        (reminder.at, reminder.kind): reminder
        for kept in told
        for reminder in _LIST.validate_json(kept)
    }
    return tuple(found[when] for when in sorted(found))


def _ask_one(host: Host, link: Link, shown: Sequence[tuple[str, str]]) -> None:
    s = schema.sighting.c
    try:
        with host.open(link, keeps_reserve=True) as tool:
            for sighting_id, ref in shown:
                told = _LIST.validate_python(tuple(tool.reminders(ref)))
                with host.store.begin() as tx:
                    tx.execute(
                        schema.sighting.update()
                        .where(s.company_id == link.company_id, s.id == sighting_id)
                        .values(reminders=_LIST.dump_json(told).decode())
                    )
    except HostError:
        raise
    except Exception as error:  # neither a silent tool nor a connector's bug holds a proposal up
        log.warning("reminders of %s were not read (%s)", link.connector, fault(error))
