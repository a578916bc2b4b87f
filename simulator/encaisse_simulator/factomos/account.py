"""The books of one company in Factomos: contacts, invoices, payments, and their outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from encaisse_simulator.desk import DailyCalls

InvoiceKind = Literal["invoice", "down-payment", "credit"]

STATUSES = (
    "avoir",
    "later",
    "paid",
    "paid-avoir",
    "partially-paid",
    "partially-paid-avoir",
    "pending",
)
"""Documented statuses [fac-legacy]."""


@dataclass(slots=True)
class Contact:
    """Keep one customer card [fields fac-legacy]."""

    pid: str
    company_name: str
    siret: str = ""
    vat_number: str = ""
    address: str = ""
    postcode: str = ""
    city: str = ""
    country: str = "FR"
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    language: str = "fr"
    analytic_code: str = ""
    category: Literal["client", "fournisseur", "prospect"] = "client"


@dataclass(frozen=True, slots=True)
class Payment:
    """Keep one payment line; negative cents undo an earlier one."""

    payment_id: str
    cents: int
    kind: str
    reference: str
    on: date
    via: Literal["api", "user"]


@dataclass(frozen=True, slots=True)
class Mail:
    """Keep one e-mail sent of an invoice: its model (`reminder3`, `invoice`) and when it left."""

    number: int
    template: str
    at: datetime


@dataclass(slots=True)
class Invoice:
    """Keep one invoice, credit or avoir; amounts in cents, VAT included."""

    pid: str
    number: str
    contact: Contact
    issued: date
    due: date | None
    total_cents: int
    kind: InvoiceKind = "invoice"
    recurring: bool = False
    title: str = ""
    document: bytes | None = None
    document_key: str | None = None
    tags: tuple[str, ...] = ()
    credited_cents: int = 0
    origin_pid: str | None = None
    is_avoir: bool = False
    payments: list[Payment] = field(default_factory=list[Payment])
    mails: list[Mail] = field(default_factory=list[Mail])

    @property
    def paid_cents(self) -> int:
        """Add the payments, reversals taken off."""
        return sum(payment.cents for payment in self.payments)

    @property
    def due_cents(self) -> int:
        """Give what is still owed; below zero when too much was paid [assumed]."""
        return self.total_cents - self.paid_cents - self.credited_cents

    def status(self, today: date) -> str:
        """Work the documented status out on a day in Paris; `later` means overdue.

        How the tool chooses between them is assumed; a credit entered as a negative invoice is
        `later` once its date has passed, as in the vendor's own example.
        """
        if self.is_avoir:
            return "avoir"
        settled = self.due_cents <= 0 < self.total_cents or self.due_cents == 0
        if self.credited_cents:
            return "paid-avoir" if settled else "partially-paid-avoir"
        if settled:
            return "paid"
        if self.paid_cents:
            return "partially-paid"
        return "later" if self.due is not None and self.due < today else "pending"


@dataclass(slots=True)
class Account(DailyCalls):
    """Keep one company's books and its count of calls."""

    siren: str
    name: str
    contacts: dict[str, Contact] = field(default_factory=dict[str, Contact])
    invoices: dict[str, Invoice] = field(default_factory=dict[str, Invoice])
    serials: dict[str, str] = field(default_factory=dict[str, str])
    paid_so_far: int = 0
    _listed: list[Invoice] | None = None
    _by_status: tuple[date, dict[str, list[Invoice]]] = field(
        default_factory=lambda: (date.min, dict[str, list[Invoice]]())
    )

    def enrol(self, pid: str) -> None:
        """Give a thing the number under which the older interface knows it."""
        self.serials[pid] = str(4_000 + 7 * len(self.serials))

    def serial(self, pid: str) -> str:
        """Tell that number."""
        return self.serials[pid]

    def named(self, serial: str) -> str | None:
        """Find what bears a number, None where nothing does."""
        return next((pid for pid, known in self.serials.items() if known == serial), None)

    def new_payment(self) -> str:
        """Number a payment made through the older interface."""
        self.paid_so_far += 1
        return str(90_000 + self.paid_so_far)

    def moved(self) -> None:
        """Forget the order and the statuses worked out: an invoice came, went or was settled."""
        self._listed, self._by_status = None, (date.min, {})

    def listed(self) -> list[Invoice]:
        """Order invoices as the lists do: issue date, then number [assumed]."""
        if self._listed is None:
            every = self.invoices.values()
            self._listed = sorted(every, key=lambda invoice: (invoice.issued, invoice.number))
        return self._listed

    def of_status(self, status: str, today: date) -> list[Invoice]:
        """List those of one status on a day, worked out once: a list is read by the page."""
        if self._by_status[0] != today or not self._by_status[1]:
            found: dict[str, list[Invoice]] = {each: [] for each in STATUSES}
            for invoice in self.listed():
                found[invoice.status(today)].append(invoice)
            self._by_status = (today, found)
        return self._by_status[1][status]
