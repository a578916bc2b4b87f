"""Which one connection a kind of write goes to: answered by a person where there is a choice."""

from __future__ import annotations

from sqlalchemy import Connection, select

from encaisse_core import journal, tasks
from encaisse_core.host import Host, links
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp


def choose(host: Host, tx: Connection, company_id: str, kind: str, role: type) -> str | None:
    """Name the connection a write goes to; None while nobody has answered.

    One candidate answers itself. With several, writing to the wrong one would enter the same money
    twice in books that feed each other, so nothing is written until a person chooses.
    """
    r = schema.routing.c
    row = tx.execute(
        select(r.connection_id).where(r.company_id == company_id, r.kind == kind)
    ).first()
    if row is not None:
        return None if row.connection_id is None else str(row.connection_id)
    candidates = [link for link in links(tx, company_id) if host.can(link, role)]
    if not candidates:
        return None
    if len(candidates) > 1:
        tasks.ask(
            tx,
            company_id,
            "routing",
            kind,
            "Plusieurs outils peuvent recevoir les paiements ("
            + ", ".join(f"{link.connector} {link.id}" for link in candidates)
            + "). L'un envoie-t-il ses écritures à l'autre ? Rien n'est inscrit avant votre choix.",
            task_id=host.ids.new("tsk"),
            at=host.clock.now(),
        )
        return None
    answer(host, tx, company_id, kind, candidates[0].id, decided_by="only_candidate")
    return candidates[0].id


def answer(
    host: Host, tx: Connection, company_id: str, kind: str, connection_id: str, *, decided_by: str
) -> None:
    """Record where a kind of write goes from now on."""
    now = host.clock.now()
    r = schema.routing
    tx.execute(r.delete().where(r.c.company_id == company_id, r.c.kind == kind))
    tx.execute(
        r.insert().values(
            company_id=company_id,
            kind=kind,
            connection_id=connection_id,
            decided_by=decided_by,
            decided_at=stamp(now),
        )
    )
    journal.append(tx, company_id, now, "routing_answered", kind, {"connection": connection_id})
