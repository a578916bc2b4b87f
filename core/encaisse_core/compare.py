"""List what the partners disagree about, with us and with each other, and since when.

Nobody has to act for it to show, and no collector has to be connected. A difference is a row as
long as it stands: it is opened and closed by events, so that its age is its own.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select

from encaisse_api import AcceptsDirectPayments, OpensProcedures, PullsInvoices
from encaisse_core import facts, journal
from encaisse_core.bridges import name
from encaisse_core.cents import euros
from encaisse_core.host import Host, Link, links
from encaisse_core.store import schema
from encaisse_core.store.engine import instant, rows, stamp
from encaisse_core.tool_differences import Difference, Told, between, only_in

ARRIVES_WITHIN = timedelta(days=2)
"""How long an invoice may take from the tool that issued it to the books."""


Said = tuple[str, str, int, int | None, list[str], str | None, str]
"""What a record says that another may contradict, as read: only what differs is made a `Told`."""


_SAID = tuple(field.name for field in fields(Difference))


def compare(host: Host, company_id: str) -> int:
    """Bring the list of differences up to tonight; return how many stand."""
    with host.store.begin("compare.keep") as tx:
        host.store.one_at_a_time(tx, company_id)
        found = [
            *_with_collectors(host, tx, company_id),
            *_not_explained(tx, company_id),
            *_between_tools(host, tx, company_id),
        ]
        _keep(host, tx, company_id, {(each.kind, each.subject): each for each in found})
    return len(found)


def _with_collectors(host: Host, tx: Connection, company_id: str) -> Iterator[Difference]:
    """Compare claims in procedures with where their procedure stands."""
    collectors = {
        link.id: name(host, link)
        for link in links(tx, company_id)
        if host.can(link, OpensProcedures) or host.can(link, AcceptsDirectPayments)
    }
    p, r, c = schema.procedure.c, schema.reservation.c, schema.claim.c
    elsewhere = _ended_elsewhere(tx, company_id)
    live = tx.execute(
        select(c.id.label("claim_id"), p.id, p.connection_id, p.state, c.number, c.open)
        .join(schema.reservation, (r.company_id == p.company_id) & (r.procedure_id == p.id))
        .join(schema.claim, (c.company_id == r.company_id) & (c.id == r.claim_id))
        .where(p.company_id == company_id, r.released_at.is_(None))
        .order_by(c.number)
    )
    for row in live.all():
        who = collectors.get(row.connection_id, row.connection_id)
        subject = f"{row.id}:{row.claim_id}"
        if row.state == "active" and row.claim_id in elsewhere:
            yield Difference(
                "settled_but_active",
                subject,
                f"Facture {row.number} : plus rien n'est dû, mais la procédure court encore chez "
                f"{who}.",
                f"L'arrêt est demandé chaque nuit ; s'il tarde, appelez {who}.",
                row.claim_id,
                "encaisse",
                "plus rien n'est dû",
                who,
                "en cours",
            )
        if row.state == "closed":
            yield Difference(
                "closed_but_open",
                subject,
                f"Facture {row.number} : {who} a clos la procédure et il reste un solde.",
                f"Demandez à {who} pourquoi, ou confiez-la de nouveau : encaisse propose.",
                row.claim_id,
                "encaisse",
                f"reste {euros(row.open)}",
                who,
                "close",
            )


def _ended_elsewhere(tx: Connection, company_id: str) -> set[str]:
    """Name claims handed over that ended outside of the collector, which must know it."""
    c, p, r = schema.claim.c, schema.payment.c, schema.reservation.c
    paid = exists().where(
        p.company_id == c.company_id, p.claim_id == c.id, p.origin.in_(("source", "credit"))
    )
    query = (
        select(c.id)
        .join(schema.reservation, (r.company_id == c.company_id) & (r.claim_id == c.id))
        .where(
            r.company_id == company_id,
            r.released_at.is_(None),
            c.state != "open",
            or_(c.state == "cancelled", paid),
        )
    )
    return set(tx.execute(query).scalars())


def _not_explained(tx: Connection, company_id: str) -> Iterator[Difference]:
    """List records whose open amount is not what we can explain."""
    s = schema.sighting.c
    silent = tx.execute(
        select(s.number, s.id, s.claim_id, s.open, s.expected)
        .where(
            s.company_id == company_id,
            s.open != s.expected,
            s.connection_id.in_(
                select(schema.connection.c.id).where(schema.connection.c.company_id == company_id)
            ),
            s.presence == "live",
        )
        .order_by(s.number, s.id)
    )
    for seen in silent.all():
        yield Difference(
            "open_amount",
            seen.id,
            f"Facture {seen.number} : l'outil montre {euros(seen.open)} ouverts, nous en attendons "
            f"{euros(seen.expected)}.",
            "Répondez à la question posée sur cette facture : encaisse tasks.",
            seen.claim_id,
            "l'outil",
            euros(seen.open),
            "encaisse",
            euros(seen.expected),
        )


def _between_tools(host: Host, tx: Connection, company_id: str) -> Iterator[Difference]:
    """Compare what tools say of each claim, and look for what the books do not have."""
    by_id = {link.id: link for link in links(tx, company_id) if host.can(link, PullsInvoices)}
    if len(by_id) < 2:
        return
    s, c = schema.sighting.c, schema.claim.c
    written = facts.collected_untold(tx, company_id)
    ledgers = [by_id[each] for each in _ledgers(tx, company_id) if each in by_id]
    live = (s.company_id == company_id, s.presence == "live", s.connection_id.in_(by_id))
    found = tx.execute(
        select(
            s.claim_id,
            s.connection_id,
            s.number,
            s.total,
            s.open,
            s.untold,
            s.created_at,
            s.record,
            c.number.label("claim_number"),
            c.state.label("claim_state"),
        )
        .join(schema.claim, (c.company_id == s.company_id) & (c.id == s.claim_id))
        .where(*live, or_(_may_lack(by_id, ledgers), s.claim_id.in_(_in_several(live))))
        .order_by(c.number, c.id, s.remote_ref)
    )
    follows = {link.id: host.follows_money(link) for link in by_id.values()}
    names = {link.id: name(host, link) for link in by_id.values()}
    claims: dict[str, list[Any]] = {}
    shown: dict[str, list[Said]] = {}
    for row in found:
        record = json.loads(row.record)  # as stored by us: its model would be built for nothing
        if record["direction"] == "payable":
            continue
        behind = row.untold + written.get((row.claim_id, row.connection_id), 0)
        claims.setdefault(row.claim_id, []).append(row)
        shown.setdefault(row.claim_id, []).append(
            (
                row.connection_id,
                row.number,
                row.total,
                row.open - behind if follows[row.connection_id] else None,
                sorted(part["due_date"] for part in record["instalments"] if part["due_date"]),
                record["debtor"]["siren"],
                record["debtor"]["name"] or "",
            )
        )
    read_at = {ledger.id: _read_at(tx, ledger) for ledger in ledgers}
    order = list(by_id)
    for claim_id, said in shown.items():
        first = claims[claim_id][0]
        missing: list[Link] = []
        if first.claim_state == "open":
            known = {each[0] for each in said}
            missing = [ledger for ledger in ledgers if ledger.id not in known]
        if not missing and all(each[1:] == said[0][1:] for each in said):
            continue  # most claims, most nights: all tools say the same
        number = str(first.claim_number)
        said.sort(key=lambda each: order.index(each[0]))
        tools = [_told(each, names) for each in said]
        yield from between(claim_id, number, _one_each(tools))
        since = instant(min(str(row.created_at) for row in claims[claim_id]))
        for ledger in missing:
            if read_at[ledger.id] >= stamp(since + ARRIVES_WITHIN):
                yield only_in(claim_id, number, tools[0], names[ledger.id], ledger.id)


def _in_several(live: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Choose the claims that several records show: what is shown once, nobody contradicts."""
    s = schema.sighting.c
    return select(s.claim_id).where(*live).group_by(s.claim_id).having(func.count() > 1)


def _may_lack(by_id: Collection[str], ledgers: Sequence[Link]) -> ColumnElement[bool]:
    """Choose records of open claims that are not in all of the books by being shown there."""
    kept = {ledger.id for ledger in ledgers}
    lacking = [connection_id for connection_id in by_id if kept - {connection_id}]
    return and_(schema.claim.c.state == "open", schema.sighting.c.connection_id.in_(lacking))


def _told(said: Said, names: Mapping[str, str]) -> Told:
    connection_id, number, total, open_, dues, siren, debtor = said
    return Told(
        connection_id=connection_id,
        tool=names[connection_id],
        number=number,
        total=total,
        open=open_,
        due_dates=tuple(map(date.fromisoformat, dues)),
        debtor_siren=siren,
        debtor_name=debtor,
    )


def _one_each(tools: list[Told]) -> list[Told]:
    """Keep one row of each connection: two of one tool are for that tool to sort out."""
    return list({told.connection_id: told for told in reversed(tools)}.values())[::-1]


def _ledgers(tx: Connection, company_id: str) -> list[str]:
    """Name the connections whose books are kept: those another tool feeds, else where we write."""
    b, r = schema.bridge.c, schema.routing.c
    fed = tx.execute(
        select(b.to_id).where(b.company_id == company_id).distinct().order_by(b.to_id)
    ).scalars()
    routed = select(r.connection_id).where(
        r.company_id == company_id, r.kind == "record_payment", r.connection_id.is_not(None)
    )
    return [str(each) for each in fed.all() or tx.execute(routed).scalars().all()]


def _read_at(tx: Connection, link: Link) -> str:
    """Tell when a connection was last read whole; nothing sorts before the text of never."""
    c = schema.connection.c
    pulled = tx.execute(
        select(c.pulled_at).where(c.company_id == link.company_id, c.id == link.id)
    ).scalar_one()
    return str(pulled or "")


def _keep(
    host: Host, tx: Connection, company_id: str, found: dict[tuple[str, str], Difference]
) -> None:
    """Open what is new, close what is over, and let the rest keep its age."""
    d = schema.difference
    now = host.clock.now()
    before = {
        (row["kind"], row["subject"]): row
        for row in rows(tx.execute(select(d).where(d.c.company_id == company_id)))
    }
    for key in sorted(set(before) - set(found)):
        row = before[key]
        tx.execute(
            d.delete().where(
                d.c.company_id == company_id, d.c.kind == key[0], d.c.subject == key[1]
            )
        )
        body: dict[str, journal.JSON] = {"kind": key[0], "since": row["since"]}
        subject = row["claim_id"] or key[1]
        journal.append(tx, company_id, now, "difference_closed", subject, body)
    for key, each in sorted(found.items()):
        if key not in before:
            tx.execute(d.insert().values(company_id=company_id, since=stamp(now), **asdict(each)))
            subject = each.claim_id or each.subject
            journal.append(tx, company_id, now, "difference_opened", subject, {"kind": each.kind})
        elif any(before[key][field] != getattr(each, field) for field in _SAID):
            tx.execute(
                d.update()
                .where(d.c.company_id == company_id, d.c.kind == key[0], d.c.subject == key[1])
                .values(**asdict(each))
            )
