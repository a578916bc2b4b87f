"""One dossier de production: a company's books as its accountant keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from encaisse_simulator.myunisoft.entries import Document, Entry, Line
from encaisse_simulator.myunisoft.plan import (
    Account,
    Exercice,
    Journal,
    LetteringMethod,
    Parameters,
    PaymentType,
)


@dataclass(frozen=True, slots=True)
class Firm:
    """Name a cabinet, and the schéma that holds its dossiers."""

    schema_id: int
    firm_id: int
    name: str
    siret: str


@dataclass(slots=True, eq=False)
class Dossier:
    """Keep a company's books; drafts stand apart from posted entries."""

    society_id: int
    firm: Firm
    name: str
    siren: str
    siret: str
    reference: str
    method: LetteringMethod
    city: str = "LYON"
    postcode: str = "69003"
    street: str = "1 RUE DE L'EXEMPLE"
    active: bool = True
    parameters: Parameters = field(default_factory=Parameters)
    accounts: dict[int, Account] = field(default_factory=dict[int, Account])
    journals: dict[int, Journal] = field(default_factory=dict[int, Journal])
    payment_types: dict[int, PaymentType] = field(default_factory=dict[int, PaymentType])
    exercices: list[Exercice] = field(default_factory=list[Exercice])
    posted: dict[int, Entry] = field(default_factory=dict[int, Entry])
    pending: dict[int, Entry] = field(default_factory=dict[int, Entry])
    codes: dict[int, int] = field(default_factory=dict[int, int])
    """Lettering codes given out so far, by account id."""
    partial_codes: set[tuple[int, str]] = field(default_factory=set[tuple[int, str]])
    """Codes given out for a partial lettering, without star."""
    dropped: list[Document] = field(default_factory=list[Document])
    """Invoices left for the accountant to book."""

    def account(self, number: str) -> Account | None:
        """Find an account by its number."""
        return next((each for each in self.accounts.values() if each.number == number), None)

    def journal(self, kind: str) -> Journal:
        """Give the first journal of a type."""
        return next(each for each in self.journals.values() if each.type == kind)

    def payment_type(self, code: str) -> PaymentType:
        """Find a way to pay by its historic code."""
        return next(each for each in self.payment_types.values() if each.code == code)

    def exercice_of(self, day: date) -> Exercice | None:
        """Find the exercice a day is in."""
        return next((each for each in self.exercices if each.holds(day)), None)

    def exercice_named(self, exercice_id: int) -> Exercice | None:
        """Find an exercice by id."""
        return next((each for each in self.exercices if each.id == exercice_id), None)

    def before(self, exercice: Exercice) -> Exercice | None:
        """Find the exercice before one."""
        earlier = [each for each in self.exercices if each.end < exercice.start]
        return max(earlier, key=lambda each: each.start, default=None)

    def after(self, exercice: Exercice) -> Exercice | None:
        """Find the exercice after one."""
        later = [each for each in self.exercices if each.start > exercice.end]
        return min(later, key=lambda each: each.start, default=None)

    def label_of(self, exercice: Exercice) -> str:
        """Name an exercice by its distance to the first open one: N, N-1, N+1 [D]."""
        ordered = sorted(self.exercices, key=lambda each: each.start)
        current = next(
            (place for place, each in enumerate(ordered) if each.closed_on is None),
            len(ordered) - 1,
        )
        distance = ordered.index(exercice) - current
        return f"N{distance:+d}" if distance else "N"

    def lines(self) -> Iterator[tuple[Entry, Line]]:
        """Go through posted lines, oldest entry first."""
        for entry in self.posted.values():
            for line in entry.lines:
                yield entry, line

    def line(self, line_id: int) -> tuple[Entry, Line] | None:
        """Find a posted line."""
        return next((pair for pair in self.lines() if pair[1].id == line_id), None)

    def by_partner_id(self, partner_id: str) -> list[Entry]:
        """Find the entries of a partner's id, posted first, then pending."""
        both = (*self.posted.values(), *self.pending.values())
        return [each for each in both if each.origin.partner_id == partner_id]

    def is_locked(self, day: date) -> bool:
        """Tell whether an accountant closed this day to entries."""
        return any(start <= day <= end for start, end in self.parameters.locks)

    def group(self, account: Account, code: str) -> list[tuple[Entry, Line]]:
        """Find the lines of an account under a lettering code, exactly as stored."""
        return [
            (entry, line)
            for entry, line in self.lines()
            if line.account is account and line.lettering == code
        ]
