"""Pause a connection, and let it go on when a person says that what its tool lost is lost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from sqlalchemy import Connection, or_, select

from encaisse_core import journal, tasks
from encaisse_core.host import Host, Link
from encaisse_core.store import schema


def pauses(tx: Connection, link: Link) -> bool:
    """Pause a connection; tell whether it was active: each pause is asked about, and once."""
    c = schema.connection.c
    paused = tx.execute(
        schema.connection.update()
        .where(c.company_id == link.company_id, c.id == link.id, c.state == "active")
        .values(state="paused")
    )
    return paused.rowcount > 0


def confirmed(tx: Connection, link: Link, lost: Sequence[str]) -> bool:
    """Tell whether a person had the connection go on who was asked about these very records.

    Not once the tool was read whole since: what it loses after that, it loses again.
    """
    t, k = schema.task.c, schema.connection.c
    query = select(t.id).where(
        t.company_id == link.company_id,
        t.kind == "mass_vanishing",
        t.subject == link.id,
        t.about == json.dumps(_about(lost), sort_keys=True),
        k.company_id == link.company_id,
        k.id == link.id,
        t.done_at.is_not(None),
        or_(k.pulled_at.is_(None), t.done_at > k.pulled_at),
    )
    return tx.execute(query).first() is not None


def _about(lost: Sequence[str]) -> dict[str, str]:
    return {"lost": hashlib.sha256("\n".join(lost).encode()).hexdigest()}


def pause(host: Host, link: Link, lost: Sequence[str], known: int) -> None:
    """Pause a connection whose tool lost much at once, and ask a person about these records."""
    now, gone = host.clock.now(), len(lost)
    with host.store.begin() as tx:
        if not pauses(tx, link):
            return
        tasks.ask(
            tx,
            link.company_id,
            "mass_vanishing",
            link.id,
            f"{gone} factures sur {known} ont disparu de {link.connector} en une nuit. "
            "Vérifiez l'outil ; si elles en sont bien parties, relancez la connexion : encaisse "
            f"connect {link.connector}. Elles ne seront plus suivies, rien n'est fermé.",
            task_id=host.ids.new("tsk"),
            at=now,
            again=True,
            about=_about(lost),
        )
        journal.append(
            tx, link.company_id, now, "connection_paused", link.id, {"gone": gone, "known": known}
        )
