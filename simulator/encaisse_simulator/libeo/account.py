"""What one company keeps in Libeo: invoices it sent, invoices it received, and their circuit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from encaisse_simulator.desk import DailyCalls
from encaisse_simulator.paris import paris_midnight

Direction = Literal["receivable", "payable"]

TO_PAY = "À payer"
BALANCE_TO_PAY = "Solde à payer"
INFORMATION_REQUIRED = "Informations requises"
IN_APPROVAL = "En approbation"
WAITING = "En attente"
WAITING_FOR_SUPPLIER = "Attente fournisseur"
IN_VALIDATION = "En validation"
IN_PROGRESS = "En cours"
SCHEDULED = "Planifié"
PAID = "Payé"

STATUSES = (
    TO_PAY,
    BALANCE_TO_PAY,
    INFORMATION_REQUIRED,
    IN_APPROVAL,
    WAITING,
    WAITING_FOR_SUPPLIER,
    IN_VALIDATION,
    IN_PROGRESS,
    SCHEDULED,
    PAID,
)
"""Words of the tool's own screens for invoices received [libeo-st]; that an interface sends them as
they stand, and for invoices sent too, is assumed."""

TRANSFER = timedelta(days=2)
"""From a transfer's execution to the supplier's account [assumed]."""


@dataclass(frozen=True, slots=True)
class Party:
    """Name who sells or who buys; an empty SIREN is one the tool does not know."""

    name: str
    siren: str = ""


@dataclass(slots=True)
class Invoice:
    """Keep one invoice or avoir as one company sees it; amounts in cents, VAT included."""

    id: str
    number: str
    direction: Direction
    supplier: Party
    buyer: Party
    issued: date
    due: date | None
    total_cents: int
    status: str
    updated_at: datetime
    currency: str = "EUR"
    paid_cents: int = 0
    credited_cents: int = 0
    scheduled: date | None = None
    paid_at: datetime | None = None
    exported_at: datetime | None = None
    deleted_at: datetime | None = None
    document: bytes | None = None

    @property
    def balance_cents(self) -> int:
        """Give what is still owed; below zero when too much was paid [assumed]."""
        return self.total_cents - self.paid_cents - self.credited_cents

    @property
    def position(self) -> tuple[datetime, str]:
        """Give its place in the list of changes: oldest change first, then by id."""
        return (self.updated_at, self.id)

    def next_step(self) -> tuple[datetime, str] | None:
        """Tell when a scheduled transfer moves on by itself, and to which status."""
        if self.scheduled is None or self.deleted_at is not None:
            return None
        leaves = paris_midnight(self.scheduled)
        if self.status == SCHEDULED:
            return leaves, IN_PROGRESS
        return (leaves + TRANSFER, PAID) if self.status == IN_PROGRESS else None


@dataclass(frozen=True, slots=True)
class Standing:
    """State where one invoice of one company really stands: what a proof compares with."""

    number: str
    direction: Direction
    status: str
    total_cents: int
    balance_cents: int
    scheduled: date | None
    deleted: bool


@dataclass(slots=True)
class Account(DailyCalls):
    """Keep one company's invoices and its count of calls; no account sees another's."""

    siret: str
    name: str
    webhook_secret: str
    invoices: dict[str, Invoice] = field(default_factory=dict[str, Invoice])

    @property
    def siren(self) -> str:
        """Cut the SIREN from the SIRET."""
        return self.siret[:9]

    @property
    def party(self) -> Party:
        """Give the company as a party to its own invoices."""
        return Party(self.name, self.siren)

    def changes(self) -> list[Invoice]:
        """Order invoices as the list does: oldest change first [assumed]."""
        return sorted(self.invoices.values(), key=lambda invoice: invoice.position)
