"""Follow what the company itself owes: its amounts as the tool shows them, and no payment.

A purchase that goes down is the company's own spending. Taken for a customer's money it would be
allocated, found to be too much, and asked to be paid back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from encaisse_api import SourceInvoice
from encaisse_core import journal, portfolio
from encaisse_core.host import Host
from encaisse_core.store import schema


def follow(host: Host, tx: Connection, row: Mapping[str, Any], invoice: SourceInvoice) -> None:
    """Bring a purchase's échéances, and what we expect its tool to show, up to its record."""
    company_id, claim_id = row["company_id"], row["claim_id"]
    e, s = schema.echeance.c, schema.sighting.c
    for instalment in invoice.instalments:
        tx.execute(
            schema.echeance.update()
            .where(e.company_id == company_id, e.claim_id == claim_id, e.ref == instalment.ref)
            .values(open=instalment.open.minor)
        )
    tx.execute(
        schema.sighting.update()
        .where(s.company_id == company_id, s.id == row["id"])
        .values(expected=row["open"], expected_credited=row["credited"])
    )
    journal.append(
        tx,
        company_id,
        host.clock.now(),
        "purchase_followed",
        claim_id,
        {"open": row["open"]},
    )
    portfolio.refresh(host, tx, company_id, claim_id)
