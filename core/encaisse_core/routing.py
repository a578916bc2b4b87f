"""Which one connection a kind of write goes to: answered by a person where there is a choice."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, select

from encaisse_core import bridges, journal, tasks
from encaisse_core.bridges import Evidence
from encaisse_core.host import Host, Link, links
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp

ONLY = "only_candidate"
"""Who decided where there was nothing to choose: asked anew once there is."""


def choose(host: Host, tx: Connection, company_id: str, kind: str, role: type) -> str | None:
    """Name the connection a write goes to; None while nobody has answered.

    One candidate answers itself. With several, writing to the wrong one would enter the same money
    twice in books that feed each other, so nothing is written until a person chooses; one connected
    since the answer makes it a new question.
    """
    r = schema.routing.c
    row = tx.execute(
        select(r.connection_id, r.among).where(r.company_id == company_id, r.kind == kind)
    ).first()
    tools = candidates(host, tx, company_id, role)
    known: set[str] = set() if row is None else set(json.loads(row.among))
    if row is not None and row.connection_id and not {tool.id for tool in tools} - known:
        return str(row.connection_id)
    if len(tools) > 1:
        _ask(host, tx, company_id, kind, tools)
        return None
    if not tools:
        return None
    answer(host, tx, company_id, kind, tools[0].id, decided_by=ONLY, among=tools)
    return tools[0].id


def candidates(host: Host, tx: Connection, company_id: str, role: type) -> list[Link]:
    """List the connections that take a kind of write."""
    return [link for link in links(tx, company_id) if host.can(link, role)]


def takes(
    host: Host, tx: Connection, company_id: str, connection_id: str, kind: str, role: type
) -> bool:
    """Tell whether a kind of write goes to a connection, or may while nobody has answered."""
    r = schema.routing.c
    query = select(r.connection_id).where(r.company_id == company_id, r.kind == kind)
    chosen = tx.execute(query).scalar_one_or_none()
    if chosen is not None:
        return bool(chosen == connection_id)
    return connection_id in {tool.id for tool in candidates(host, tx, company_id, role)}


def proposed(host: Host, tx: Connection, company_id: str, role: type) -> Evidence | None:
    """Give the answer the records speak for, where they do."""
    return bridges.proposed(host, tx, company_id, candidates(host, tx, company_id, role))


def _ask(host: Host, tx: Connection, company_id: str, kind: str, tools: Sequence[Link]) -> None:
    """Ask which tool is written to, with what the records speak for."""
    said = sentence(host, kind, tools, bridges.proposed(host, tx, company_id, tools))
    if not tasks.reword(tx, company_id, "routing", kind, said):
        tasks.ask(
            tx,
            company_id,
            "routing",
            kind,
            said,
            task_id=host.ids.new("tsk"),
            at=host.clock.now(),
            again=True,
        )


def sentence(host: Host, kind: str, tools: Sequence[Link], found: Evidence | None) -> str:
    """Ask in French whether one tool feeds the other, with the likely answer where there is one."""
    if found is not None:
        source, target = bridges.name(host, found.source), bridges.name(host, found.target)
        return (
            f"{source} envoie-t-il ses écritures à {target} ? {found.carrying} factures de "
            f"{target} sur {found.records} disent venir de {source} : oui est proposé, et les "
            f"paiements seraient inscrits dans {source} seulement. Confirmez : encaisse routing "
            f"{kind} --proposed. Sinon choisissez : encaisse routing {kind} CONNEXION. Rien n'est "
            "inscrit avant votre réponse."
        )
    names = [f"{bridges.name(host, tool)} ({tool.id})" for tool in tools]
    return (
        f"{bridges.name(host, tools[0])} envoie-t-il ses écritures à "
        f"{bridges.name(host, tools[1])}, ou l'inverse ? Aucune facture ne le dit. Dites lequel "
        f"reçoit les paiements ({', '.join(names)}), et s'il nourrit l'autre : encaisse routing "
        f"{kind} CONNEXION --feeds CONNEXION. Rien n'est inscrit avant votre réponse."
    )


def answer(
    host: Host,
    tx: Connection,
    company_id: str,
    kind: str,
    connection_id: str,
    *,
    decided_by: str,
    among: Sequence[Link] | None = None,
    feeds: Sequence[str] = (),
) -> None:
    """Record where a kind of write goes from now on, and which tools its entries are copied into.

    `among` are the connections it was chosen from; by default every one of the company.
    """
    now = host.clock.now()
    r = schema.routing
    tools = links(tx, company_id, states=("active", "paused")) if among is None else among
    tx.execute(r.delete().where(r.c.company_id == company_id, r.c.kind == kind))
    tx.execute(
        r.insert().values(
            company_id=company_id,
            kind=kind,
            connection_id=connection_id,
            decided_by=decided_by,
            decided_at=stamp(now),
            among=json.dumps(sorted(tool.id for tool in tools)),
        )
    )
    journal.append(tx, company_id, now, "routing_answered", kind, {"connection": connection_id})
    bridges.decide(host, tx, company_id, connection_id, feeds, decided_by)
    tasks.close(tx, company_id, "routing", kind, connection_id, at=now)
