"""List what the partners' portfolios and ours disagree about; nobody has to act for it to show."""

from __future__ import annotations

from sqlalchemy import Connection, select

from encaisse_api import AcceptsDirectPayments, OpensProcedures
from encaisse_core import journal
from encaisse_core.cents import euros
from encaisse_core.host import Host, links
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp


def compare(host: Host, company_id: str) -> int:
    """Write tonight's differences down, replacing yesterday's; return how many stand."""
    found: dict[tuple[str, str], str] = {}
    with host.store.begin() as tx:
        collectors = {
            link.id: link.connector
            for link in links(tx, company_id)
            if host.can(link, OpensProcedures) or host.can(link, AcceptsDirectPayments)
        }
        p, r, c = schema.procedure.c, schema.reservation.c, schema.claim.c
        elsewhere = _ended_elsewhere(tx, company_id)
        live = tx.execute(
            select(
                c.id.label("claim_id"),
                p.id,
                p.connection_id,
                p.state,
                c.number,
                c.open,
                c.state.label("claim_state"),
            )
            .join(schema.reservation, (r.company_id == p.company_id) & (r.procedure_id == p.id))
            .join(schema.claim, (c.company_id == r.company_id) & (c.id == r.claim_id))
            .where(p.company_id == company_id, r.released_at.is_(None))
            .order_by(c.number)
        )
        for row in live:
            who = collectors.get(row.connection_id, row.connection_id)
            if row.state == "active" and row.claim_id in elsewhere:
                found["settled_but_active", row.id] = (
                    f"Facture {row.number} : plus rien n'est dû, mais la procédure court encore "
                    f"chez {who}."
                )
            if row.state == "closed":
                found["closed_but_open", row.id] = (
                    f"Facture {row.number} : {who} a clos la procédure et il reste un solde."
                )
        s = schema.sighting.c
        silent = tx.execute(
            select(s.number, s.id, s.open, s.expected).where(
                s.company_id == company_id, s.presence == "live", s.open != s.expected
            )
        )
        for seen in silent:
            found["open_amount", seen.id] = (
                f"Facture {seen.number} : l'outil montre {euros(seen.open)} ouverts, nous en "
                f"attendons {euros(seen.expected)}."
            )
        _replace(host, tx, company_id, found)
    return len(found)


def _ended_elsewhere(tx: Connection, company_id: str) -> set[str]:
    """Name claims that ended by money or credits outside of the collector, which must know it."""
    c, p = schema.claim.c, schema.payment.c
    query = (
        select(c.id)
        .join(schema.payment, (p.company_id == c.company_id) & (p.claim_id == c.id))
        .where(
            c.company_id == company_id,
            c.state != "open",
            p.origin.in_(("source", "credit")),
        )
    )
    cancelled = select(c.id).where(c.company_id == company_id, c.state == "cancelled")
    return set(tx.execute(query).scalars()) | set(tx.execute(cancelled).scalars())


def _replace(
    host: Host, tx: Connection, company_id: str, found: dict[tuple[str, str], str]
) -> None:
    d = schema.difference
    before = {
        (row.kind, row.subject)
        for row in tx.execute(select(d.c.kind, d.c.subject).where(d.c.company_id == company_id))
    }
    tx.execute(d.delete().where(d.c.company_id == company_id))
    now = host.clock.now()
    for (kind, subject), sentence in sorted(found.items()):
        tx.execute(
            d.insert().values(
                company_id=company_id,
                kind=kind,
                subject=subject,
                sentence=sentence,
                seen_at=stamp(now),
            )
        )
    if set(found) - before:
        journal.append(
            tx,
            company_id,
            now,
            "differences_listed",
            company_id,
            {"new": sorted(f"{kind}:{subject}" for kind, subject in set(found) - before)},
        )
