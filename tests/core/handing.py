"""Take claims the whole way to a collector on paper, whatever tools they come from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from tests.core.paper import Paper

from encaisse_api import Connector
from encaisse_core import proposals, runner
from encaisse_core.app import App


@dataclass
class Shelf:
    """Offer real connectors beside a collector on paper."""

    known: dict[str, type[Connector]]

    def connector(self, slug: str) -> type[Connector]:
        return self.known[slug]


def approve_and_sign(app: App, company: str, paper: Paper) -> None:
    """Propose what is collectible, approve it, and let a person sign the mandate."""
    found = proposals.propose(app.host, company)
    proposals.approve(app.host, company, found, by="essai")
    runner.drain(app.host, company)
    signed = {key: (draft, "signed") for key, (draft, _) in paper.mandates.items()}
    paper.mandates = signed


def collect(paper: Paper, payment: str, procedure: str, number: str, cents: int, on: date) -> None:
    """Let the debtor of an invoice pay the collector."""
    lines = [claim.line for claim in paper.procedures[procedure].claims]
    (line,) = (line for line in lines if line.invoice_number == number)
    paper.collect(payment, procedure, line, cents, on)
