"""Do what documents say of each other: a credit note reduces the invoice it names.

A folder of documents shows no open amounts; what an avoir takes off an invoice is only said by its
reference to it (BG-3). Where a tool that follows money shows either of the two, its own figures
say it already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from encaisse_core import claim_states
from encaisse_core.holds import hold_once
from encaisse_core.host import Host, links
from encaisse_core.join import normalise_number
from encaisse_core.payments import add_payment
from encaisse_core.sightings import record_of
from encaisse_core.store import schema
from encaisse_core.store.engine import rows

CREDIT_NOTE = "credit_note"


def follow_citations(host: Host, tx: Connection, company_id: str) -> int:
    """Impute credit notes on what they name, and ask about invoices that name invoices.

    Returns how many credit notes were imputed.
    """
    documents = _documents(host, tx, company_id)
    if not _any_cites(tx, company_id, documents):
        return 0
    claims = _claims(tx, company_id, documents)
    by_number: dict[str, list[Mapping[str, Any]]] = {}
    for claim in claims.values():
        by_number.setdefault(normalise_number(claim["number"]), []).append(claim)
    imputed = 0
    for claim in claims.values():
        for cited in _cited(claim, by_number):
            if claim["kind"] == CREDIT_NOTE:
                imputed += _impute(host, tx, company_id, claim, cited)
            elif cited["open"] > 0:
                _ask_which(host, tx, company_id, claim, cited)
    return imputed


def _documents(host: Host, tx: Connection, company_id: str) -> list[str]:
    """Name the connections that show documents and no money."""
    return [
        link.id
        for link in links(tx, company_id, states=("active", "paused", "ended"))
        if not host.follows_money(link)
    ]


def _any_cites(tx: Connection, company_id: str, documents: Sequence[str]) -> bool:
    s = schema.sighting.c
    citing = select(s.id).where(
        s.company_id == company_id,
        s.connection_id.in_(documents),
        s.record.like('%"credits":["%'),
    )
    return bool(documents) and tx.execute(citing.limit(1)).first() is not None


def _claims(tx: Connection, company_id: str, documents: Sequence[str]) -> dict[str, dict[str, Any]]:
    """List claims shown by documents only, with the numbers their records cite."""
    c, s = schema.claim.c, schema.sighting.c
    other = schema.sighting.alias("other")
    elsewhere = select(other.c.id).where(
        other.c.company_id == c.company_id,
        other.c.claim_id == c.id,
        other.c.connection_id.not_in(documents),
    )
    query = (
        select(c.id, c.number, c.kind, c.open, c.currency, s.record)
        .join(schema.sighting, (s.company_id == c.company_id) & (s.claim_id == c.id))
        .where(c.company_id == company_id, s.connection_id.in_(documents), ~elsewhere.exists())
        .order_by(c.issue_date, c.id)
    )
    found: dict[str, dict[str, Any]] = {}
    for row in rows(tx.execute(query)):
        claim = found.setdefault(row["id"], row | {"cites": set()})
        if '"credits":["' in row["record"]:
            claim["cites"] |= set(record_of(row["record"]).credits)
    return found


def _cited(
    claim: Mapping[str, Any], by_number: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Iterator[Mapping[str, Any]]:
    """Give the claims a document names; a number two claims bear names neither."""
    for number in sorted(claim["cites"]):
        named = by_number.get(normalise_number(number), [])
        if len(named) == 1 and named[0]["id"] != claim["id"] and named[0]["kind"] != CREDIT_NOTE:
            yield named[0]


def _impute(
    host: Host,
    tx: Connection,
    company_id: str,
    credit: Mapping[str, Any],
    cited: Mapping[str, Any],
) -> bool:
    """Take a credit note off the invoice it names, as far as both go."""
    c, e = schema.claim.c, schema.echeance.c
    opens = dict(
        tx.execute(
            select(c.id, c.open).where(
                c.company_id == company_id, c.id.in_([credit["id"], cited["id"]])
            )
        ).all()
    )
    cents = min(-opens[credit["id"]], opens[cited["id"]])
    if cents <= 0 or credit["currency"] != cited["currency"]:
        return False
    today = host.clock.today().isoformat()
    add_payment(host, tx, company_id, cited["id"], cents, cited["currency"], today, "credit")
    left = cents
    parts = tx.execute(
        select(e.id, e.open)
        .where(e.company_id == company_id, e.claim_id == credit["id"], e.open < 0)
        .order_by(e.ref)
    ).all()
    for part in parts:
        used = min(left, -part.open)
        left -= used
        tx.execute(
            schema.echeance.update()
            .where(e.company_id == company_id, e.id == part.id)
            .values(open=e.open + used)
        )
    claim_states.refresh(host, tx, company_id, credit["id"])
    return True


def _ask_which(
    host: Host,
    tx: Connection,
    company_id: str,
    citing: Mapping[str, Any],
    cited: Mapping[str, Any],
) -> None:
    hold_once(
        host,
        tx,
        company_id,
        cited["id"],
        "cited",
        f"La facture {citing['number']} cite la facture {cited['number']} : elle la rectifie, ou "
        "solde un acompte. Dites si celle-ci reste due à côté (--lift) ou non (--keep).",
    )
