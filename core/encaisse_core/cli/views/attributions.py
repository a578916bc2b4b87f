"""Tell who brought a claim, and who earns on it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from encaisse_core import referrers
from encaisse_core.cli.views.doors import percent
from encaisse_core.contracts import ATTRIBUTION, first_import
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp

Row = dict[str, Any]


def attribution(tx: Connection, company_id: str, claim_id: str) -> Row:
    """Tell who referred each import, which one earns by which rule, and under which contract."""
    seen = referrers.imports(tx, company_id, [claim_id]).get(claim_id, [])
    contract = referrers.earning(referrers.contracts(tx, company_id), seen)
    decides = first_import(seen)
    r, s, c = schema.referrer.c, schema.sighting.c, schema.connection.c
    names = {
        row.id: row.name
        for row in tx.execute(select(r.id, r.name).where(r.company_id == company_id))
    }
    tools = {
        row.id: row.connector
        for row in tx.execute(
            select(s.id, c.connector)
            .join(schema.connection, (c.company_id == s.company_id) & (c.id == s.connection_id))
            .where(s.company_id == company_id, s.claim_id == claim_id)
        )
    }
    earner = decides.referrer_id if decides is not None else None
    return {
        "rule": ATTRIBUTION.id,
        "since": ATTRIBUTION.since.isoformat(),
        "sentence": ATTRIBUTION.sentence_fr,
        "referrer": earner,
        "referrer_name": names[earner] if earner else None,
        "contract": contract and contract.id,
        "rate_percent": percent(contract.rate_ppm) if contract and contract.earns else None,
        "imports": [
            {
                "sighting": each.sighting_id,
                "connector": tools[each.sighting_id],
                "at": stamp(each.at),
                "referrer": each.referrer_id,
                "referrer_name": names[each.referrer_id] if each.referrer_id else None,
                "decides": each == decides,
            }
            for each in seen
        ],
    }
