"""Name what each claim is spoken for by: a proposal, a procedure, a collector not heard out yet."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, exists, or_, select

from encaisse_core.claim_states import standing_claim
from encaisse_core.store import schema
from encaisse_core.store.engine import instant

HEARD_OUT = timedelta(hours=12)
"""How long after a procedure ended its collector is read once more: a list may have been cut."""


def spoken_for(tx: Connection, company_id: str) -> dict[str, str]:
    """Name what each claim is spoken for by, or was until its collector was heard out."""
    r = schema.reservation.c
    query = select(r.claim_id, r.proposal_id, r.procedure_id).where(
        r.company_id == company_id, r.released_at.is_(None)
    )
    held = {row.claim_id: row.procedure_id or row.proposal_id for row in tx.execute(query)}
    return _unheard(tx, company_id) | held


def _unheard(tx: Connection, company_id: str) -> dict[str, str]:
    """Name the procedures that are over, of which the collector may have told nothing yet.

    It may say that one is over, and what came in only when it is asked next, or in a list that was
    cut short: it is heard once more, hours later, before anything of it is proposed again. What
    nobody could read of its payments since may be one on this claim. What is not heard of a claim
    is not of the one it is part of by now.
    """
    r, p, x = schema.reservation.c, schema.procedure.c, schema.connection.c
    c, u = schema.claim.c, schema.unreadable.c
    unread = exists().where(
        u.company_id == p.company_id,
        u.connection_id == p.connection_id,
        u.stream == "payments",
        u.seen_at >= p.opened_at,
    )
    query = (
        select(
            r.claim_id,
            r.procedure_id,
            r.released_at,
            x.pulled_at,
            c.merged_into,
            unread.label("unread"),
        )
        .join(schema.procedure, (p.company_id == r.company_id) & (p.id == r.procedure_id))
        .join(schema.connection, (x.company_id == p.company_id) & (x.id == p.connection_id))
        .join(schema.claim, (c.company_id == r.company_id) & (c.id == r.claim_id))
        .where(
            r.company_id == company_id,
            r.released_at.is_not(None),
            x.state.in_(("active", "paused")),
            or_(c.state == "open", c.merged_into.is_not(None)),
        )
    )
    found: dict[str, str] = {}
    for row in tx.execute(query):
        heard_out = instant(row.released_at) + HEARD_OUT
        if row.unread or row.pulled_at is None or instant(row.pulled_at) < heard_out:
            claim_id = row.claim_id
            if row.merged_into is not None:
                claim_id = standing_claim(tx, company_id, claim_id)
            found[claim_id] = row.procedure_id
    return found
