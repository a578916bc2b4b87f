"""Everything the decision needs to know of one claim, gathered before anything is decided.

The gathering reads the store; the deciding (`decide.py`) is pure. So a decision can be replayed
years later from these facts alone, and each rule is tested with one changed field.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from encaisse_api.source import Flag, InvoiceKind, InvoiceState
from encaisse_core.cents import Cents

DebtorKind = Literal["company", "individual", "public", "unknown"]
Insolvency = Literal["none", "sauvegarde", "redressement", "liquidation", "unknown"]
ClaimState = Literal["open", "settled", "cancelled", "unseen"]


@dataclass(frozen=True, slots=True)
class EcheanceFacts:
    """Give one échéance: the unit that is due and collectible. `open` is what is still owed."""

    id: str
    due_date: date | None
    open: Cents
    due_estimated: bool = False


@dataclass(frozen=True, slots=True)
class SightingFacts:
    """Give what one tool says of the claim today.

    List the sightings of every connection that has not ended; `live` is False for a record its tool
    no longer knows. `open` is comparable between tools: what the tool shows, less the allocations
    it has not been told yet; None where the tool does not follow payments (a folder of files), so
    that its silence is not taken for a contradiction. `pulled_at` is the connection's last complete
    pull, an aware instant, None when it never completed one.
    """

    tool: str
    total: Cents
    open: Cents | None
    state: InvoiceState
    pulled_at: datetime | None
    live: bool = True


@dataclass(frozen=True, slots=True)
class DebtorFacts:
    """Identify who owes. `checked_at` dates the standing, which is `unknown` until checked.

    `legal_category` is INSEE's four-digit catégorie juridique.
    """

    name: str = ""
    kind: DebtorKind = "unknown"
    siren: str | None = None
    vat_id: str | None = None
    legal_category: str | None = None
    ceased: bool = False
    insolvency: Insolvency = "unknown"
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """Gather one claim's facts at the instant `gathered_at` (aware).

    `seller_siren` is the seller the records state, or the SIREN of the account they were read from
    where the tool only holds its owner's own invoices. `seller_abroad` when it states none but a
    VAT number of another country. `flags` is the union over all live
    sightings: one tool is enough to stop. `credited` is how much of the total credit notes took
    away. `unallocated_credits` is what the same customer has to its credit, as a positive amount.
    `hold` is the word the claim was put on hold under, `hold_text` the sentence asked to a person.
    `possible_duplicates` are the numbers of the other invoices an unanswered question links it to.
    `procedure` names the live procedure or reserved proposal; leave it None when deciding for that
    very procedure. `pa_statuses` are the life-cycle codes now in force at the platform.
    `acknowledged_on` is the last act that interrupts prescription (C. civ. 2240: a part payment).
    """

    claim_id: str
    number: str
    issue_date: date
    company_siren: str
    seller_siren: str | None
    gathered_at: datetime
    echeances: tuple[EcheanceFacts, ...]
    sightings: tuple[SightingFacts, ...]
    debtor: DebtorFacts | None
    total: Cents
    seller_abroad: bool = False
    kind: InvoiceKind = "invoice"
    direction: Literal["receivable", "payable"] = "receivable"
    state: ClaimState = "open"
    currency: str = "EUR"
    credited: Cents = 0
    flags: frozenset[Flag] = frozenset()
    unallocated_credits: Cents = 0
    hold: str | None = None
    hold_text: str | None = None
    possible_duplicates: tuple[str, ...] = ()
    procedure: str | None = None
    pa_statuses: frozenset[int] = frozenset()
    acknowledged_on: date | None = None

    @property
    def live(self) -> tuple[SightingFacts, ...]:
        """List the sightings whose tool still shows the invoice."""
        return tuple(sighting for sighting in self.sightings if sighting.live)


@dataclass(frozen=True, slots=True)
class Policy:
    """Set what the company may choose; the law and the charter are in the rules.

    `same_group` lists SIRENs settled inside the group. `standing_within` requires that the
    debtor's standing was checked at most so long ago; None where no tool can check it. `version`
    is recorded with each decision: change it whenever a value or a rule changes.
    """

    version: str = "2026-1"
    minimum: Cents = 1000
    fresh_within: timedelta = timedelta(hours=24)
    same_group: frozenset[str] = frozenset()
    standing_within: timedelta | None = None
