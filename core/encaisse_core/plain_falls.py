"""Record what tools show as paid, where nobody has to think about it, set after set.

What is shown otherwise, or may be money known already, is explained record by record
(`observed.py`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, exists, literal, or_, select

from encaisse_core import outbox, plain
from encaisse_core.host import Host
from encaisse_core.observed import following_money
from encaisse_core.store import schema


def observe_plain(host: Host, company_id: str) -> int:
    """Record what tools show as paid where nobody has to think about it; return how many.

    Plain is a fall of one record's open amount by money alone, on a claim no collector told of and
    no entry of ours concerns. Its other tools have yet to tell it.
    """
    s, c, e = schema.sighting.c, schema.claim.c, schema.echeance.c
    other, k, t, f = schema.sighting.alias("o"), schema.settlement.c, schema.task.c, schema.effect.c
    with host.store.begin() as tx:
        following = following_money(host, tx, company_id)
    today = host.clock.today().isoformat()
    fall = s.expected - s.open
    query = (
        select(
            s.id.label("told_by"),
            s.claim_id,
            e.id.label("echeance_id"),
            fall.label("amount"),
            (e.open - fall).label("rest"),
            c.currency,
            literal(today).label("paid_on"),
            s.connection_id,
            s.remote_ref,
            s.record,
        )
        .join(schema.claim, (c.company_id == s.company_id) & (c.id == s.claim_id))
        .join(schema.echeance, (e.company_id == c.company_id) & (e.claim_id == c.id))
        .where(
            s.company_id == company_id,
            s.open != s.expected,
            (s.connection_id + "").in_(following),  # the column alone, SQLite would sort a tool's
            s.state.not_in(("cancelled", "unknown")),
            s.open < s.expected,
            s.untold == 0,
            s.credited == s.expected_credited,
            *plain.plain_claim(fall, None),
            ~exists().where(
                other.c.company_id == s.company_id,
                other.c.claim_id == s.claim_id,
                other.c.id != s.id,
                or_(other.c.open != other.c.expected, other.c.untold != 0),
            ),
            ~exists().where(k.company_id == s.company_id, k.claim_id == s.claim_id),
            ~exists().where(
                t.company_id == s.company_id, t.subject == s.claim_id, t.done_at.is_(None)
            ),
            ~exists().where(
                f.company_id == s.company_id,
                f.kind.in_(tuple(outbox.ENTRIES)),
                f.subject == s.claim_id,
            ),
        )
        .order_by(s.connection_id, s.remote_ref)
    )
    return plain.sets(
        host,
        company_id,
        "source",
        query,
        (s.connection_id, s.remote_ref),
        _keep_plain,
        still=_plainly_owed,
    )


def _plainly_owed(row: Sequence[Any]) -> bool:
    """Tell whether a record is an invoice to a customer, still in its claim's currency."""
    record = json.loads(row[plain.SELECTED])
    told = (record["kind"], record["direction"], record["currency"])
    return told == ("invoice", "receivable", row[plain.CURRENCY])


def _keep_plain(host: Host, tx: Connection) -> None:
    """Expect what the records of a set show; the claims' other tools have yet to tell it."""
    s, t = schema.sighting.c, plain.staged.c
    tx.execute(
        schema.sighting.update()
        .where(s.company_id == t.company_id, s.id == t.told_by)
        .values(expected=s.open)
    )
    tx.execute(
        schema.sighting.update()
        .where(s.company_id == t.company_id, s.claim_id == t.claim_id, s.id != t.told_by)
        .values(untold=s.untold + t.amount)
    )
