"""Recognise money that moved: once each, whoever shows it.

Collectors name their payments (`settled.py`); tools show open amounts (`observed.py`). Both become
payments of one claim (`payments.py`).
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from encaisse_core import (
    citations,
    claim_states,
    observed,
    plain_falls,
    portfolio,
    recovering,
    settled,
)
from encaisse_core.host import Host


class Reconciled(NamedTuple):
    """Count what a reconciliation found: money that moved, and claims that changed state."""

    payments: int
    states: int

    @property
    def news(self) -> bool:
        """Tell whether anything is to be told to collectors or books."""
        return bool(self.payments or self.states)


def reconcile(host: Host, company_id: str) -> Reconciled:
    """Record every payment that became visible, and bring claims up to it.

    After a restored backup what was sent since is looked up first: an entry of ours that nobody
    remembers would look like a customer's payment.
    """
    understood = recovering.recover(host, company_id)
    with host.store.begin("reconcile.money") as tx:
        host.store.one_at_a_time(tx, company_id)
        portfolio.follow_records(host, tx, company_id)
    payments = settled.follow_plain(host, company_id)
    if understood == "everything":
        payments += plain_falls.observe_plain(host, company_id)
    with host.store.begin("reconcile.money") as tx:
        host.store.one_at_a_time(tx, company_id)
        payments += settled.follow_settlements(host, tx, company_id)
        if understood != "nothing":
            handed_only = understood == "handed"
            payments += observed.observe(host, tx, company_id, handed_only=handed_only)
        states = citations.follow_citations(host, tx, company_id)
        states += _document_states(host, tx, company_id)
    return Reconciled(payments, states)


def _document_states(host: Host, tx: Connection, company_id: str) -> int:
    """Refresh claims whose sightings left, came back, or were cancelled."""
    changed = 0
    for claim_id in claim_states.stale_states(tx, company_id):
        changed += claim_states.refresh(host, tx, company_id, claim_id)
    return changed
