"""The chart of accounts of a dossier, its journals, exercices and ways to pay."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

LetteringMethod = Literal["MONO", "MULTI"]
"""À-nouveaux detailed and lettered again each exercice, or not [D]."""

JOURNAL_TYPES: dict[str, tuple[int, str]] = {
    "ACH": (1, "Achat"),
    "VTE": (2, "Vente"),
    "BQ": (3, "Banque"),
    "CAISSE": (4, "Caisse"),
    "OD": (5, "Opérations Diverses"),
    "AN": (10, "À Nouveaux"),
    "OD_EXC": (15, "OD Extra-comptable"),
}
"""Code, id [D] and name; names of OD and OD_EXC are ours [S]."""


@dataclass(frozen=True, slots=True)
class Term:
    """Say when an invoice falls due: days, then end of month, then a day of the month [D]."""

    id: int
    label: str
    days: int
    end_of_month: bool = False
    day: int | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """Name one person at a customer's."""

    first_name: str
    last_name: str
    email: str = ""
    phone: str = ""
    role: str = ""


@dataclass(slots=True)
class Company:
    """Keep what is known of the company behind a customer account."""

    name: str
    siren: str = ""
    ceo: str = ""
    vat_number: str = ""
    address_number: str = ""
    street_type: str = ""
    street: str = ""
    complement: str = ""
    postcode: str = ""
    city: str = ""
    country: str = "FRANCE"
    contacts: tuple[Contact, ...] = ()
    archived: bool = False
    term: Term | None = None

    @property
    def full_street(self) -> str:
        """Join the parts of the street."""
        return " ".join(
            each for each in (self.address_number, self.street_type, self.street) if each
        )


@dataclass(slots=True, eq=False)
class Account:
    """Keep one account; `company` for tiers accounts 40 and 41 only [D]."""

    id: int
    number: str
    name: str
    company: Company | None = None
    closed: bool = False

    @property
    def is_customer(self) -> bool:
        """Tell whether customers' receivables stand here."""
        return self.number.startswith("411")


@dataclass(slots=True, eq=False)
class Journal:
    """Keep one journal."""

    id: int
    code: str
    name: str
    type: str
    account: Account | None = None
    locked: bool = False


@dataclass(frozen=True, slots=True)
class PaymentType:
    """Name a way to pay: the historic code, and the one MAD gives [D]."""

    id: int
    code: str
    mad_code: str
    name: str


PAYMENT_TYPES = (
    ("VIRT", "VIR", "Virement"),
    ("CB", "CB", "Carte bancaire"),
    ("CHQ", "CHQ", "Chèque"),
    ("ESP", "ESP", "Espèces"),
    ("LCR", "LCR", "Lettre de change relevé"),
    ("PRLV", "PRE", "Prélèvement"),
)
"""Historic code, TRA code, name [D]."""


@dataclass(slots=True, eq=False)
class Exercice:
    """Keep one exercice, both days included."""

    id: int
    start: date
    end: date
    closed_on: date | None = None

    def holds(self, day: date) -> bool:
        """Tell whether a day is inside."""
        return self.start <= day <= self.end


@dataclass(slots=True)
class Parameters:
    """Keep the accounting parameters of a dossier that matter to receivables [D]."""

    customer_term: Term | None = None
    autolettering: bool = False
    maximum_difference_cents: int = 90
    tiers_length: int = 10
    comptability: Literal["ENGA", "TRESO"] = "ENGA"
    locks: list[tuple[date, date]] = field(default_factory=list[tuple[date, date]])
    """Periods an accountant closed to entries."""
