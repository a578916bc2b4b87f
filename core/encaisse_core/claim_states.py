"""Keep each claim's open amount and state true to its échéances and sightings."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Connection, Text, bindparam, select

from encaisse_core import journal
from encaisse_core.host import Host
from encaisse_core.store import schema
from encaisse_core.store.said import Said
from encaisse_core.store.schema import owed
from encaisse_core.store.schema.base import holding
from encaisse_core.store.upsert import among


def number_of(tx: Connection, company_id: str, claim_id: str) -> str:
    """Give a claim's invoice number."""
    c = schema.claim.c
    return str(
        tx.execute(
            select(c.number).where(c.company_id == company_id, c.id == claim_id)
        ).scalar_one()
    )


def standing_claim(tx: Connection, company_id: str, claim_id: str) -> str:
    """Name the claim that owes today what this one was made for: itself, or what it is part of."""
    c = schema.claim.c
    while True:
        into = tx.execute(
            select(c.merged_into).where(c.company_id == company_id, c.id == claim_id)
        ).scalar_one_or_none()
        if into is None:
            return claim_id
        claim_id = str(into)


_C, _E, _S = schema.claim.c, schema.echeance.c, schema.sighting.c
_COMPANY, _CLAIM = bindparam("of_company", type_=Text), bindparam("of_claim", type_=Text)
_STOOD = Said(select(_C.state, _C.open).where(_C.company_id == _COMPANY, _C.id == _CLAIM))
_OPENS = Said(select(_E.open).where(_E.company_id == _COMPANY, _E.claim_id == _CLAIM))
_SHOWN = Said(select(_S.presence, _S.state).where(_S.company_id == _COMPANY, _S.claim_id == _CLAIM))
_MOVED = Said(
    schema.claim.update()
    .where(_C.company_id == _COMPANY, _C.id == _CLAIM)
    .values(state=bindparam("now_state", type_=Text), open=bindparam("now_open", type_=BigInteger))
)
"""Made once: each payment and each record that joins asks them."""


def refresh(host: Host, tx: Connection, company_id: str, claim_id: str) -> bool:
    """Work a claim's open amount and state out again; return whether anything changed."""
    named = {"of_company": company_id, "of_claim": claim_id}
    stood = _STOOD.run(tx, named).fetchone()
    assert stood is not None
    total = sum(row[0] for row in _OPENS.run(tx, named).fetchall())
    state = state_of(total, [(row[0], row[1]) for row in _SHOWN.run(tx, named).fetchall()])
    if tuple(stood) == (state, total):
        return False
    _MOVED.run(tx, {**named, "now_state": state, "now_open": total})
    journal.append(
        tx, company_id, host.clock.now(), "claim_moved", claim_id, {"state": state, "open": total}
    )
    return True


def state_of(open_cents: int, sightings: Sequence[tuple[str, str]]) -> str:
    """Tell a claim's state from what is owed and how its sightings stand."""
    if any(state == "cancelled" for presence, state in sightings if presence == "live"):
        return "cancelled"
    if open_cents == 0:
        return "settled"
    if not any(presence == "live" for presence, _ in sightings):
        return "unseen"
    return "open"


def stale_states(tx: Connection, company_id: str) -> list[str]:
    """List claims whose state no longer follows from their sightings.

    A state other than what is owed comes of records that left or were cancelled, now or before:
    only claims that have such a record, or such a state, are looked at.
    """
    c, s = schema.claim.c, schema.sighting.c
    odd = select(s.claim_id).where(s.company_id == company_id, holding(owed.ODD))
    suspects = (
        odd.where(s.claim_id.is_not(None)),
        select(c.id).where(c.company_id == company_id, c.state.in_(("unseen", "cancelled"))),
        select(c.id).where(c.company_id == company_id, holding(owed.STALE)),
    )
    found: set[str] = set()
    for query in suspects:
        found.update(tx.execute(query).scalars())
    if not found:
        return []
    query = (
        select(c.id, c.state, c.open, s.presence, s.state.label("shown"))
        .join(schema.sighting, (s.company_id == c.company_id) & (s.claim_id == c.id))
        .where(c.company_id == company_id, among(tx, c.id, sorted(found)))
        .order_by(c.id)
    )
    seen: dict[str, tuple[str, int, list[tuple[str, str]]]] = {}
    for row in tx.execute(query):
        seen.setdefault(row.id, (row.state, row.open, []))[2].append((row.presence, row.shown))
    return [
        claim_id
        for claim_id, (state, cents, sightings) in seen.items()
        if state != state_of(cents, sightings)
    ]
