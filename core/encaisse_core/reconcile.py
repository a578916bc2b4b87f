"""Recognise money that moved: once each, whoever shows it.

Collectors name their payments (`settled.py`); tools show open amounts (`observed.py`). Both become
payments of one claim (`payments.py`).
"""

from __future__ import annotations

from sqlalchemy import Connection

from encaisse_core import observed, portfolio, settled
from encaisse_core.host import Host


def reconcile(host: Host, company_id: str) -> int:
    """Record every payment that became visible; return how many."""
    with host.store.begin() as tx:
        host.store.one_at_a_time(tx, company_id)
        portfolio.follow_records(host, tx, company_id)
        found = settled.follow_settlements(host, tx, company_id)
        found += observed.observe(host, tx, company_id)
        found += _document_states(host, tx, company_id)
    return found


def _document_states(host: Host, tx: Connection, company_id: str) -> int:
    """Refresh claims whose sightings left, came back, or were cancelled."""
    changed = 0
    for claim_id in portfolio.stale_states(tx, company_id):
        changed += portfolio.refresh(host, tx, company_id, claim_id)
    return changed
