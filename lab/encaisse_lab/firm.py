"""Keep the company's books in MyUnisoft as an accounting firm does.

Sales are entered from Factomos, the bank brings what customers pay, and what collection proposes
waits for the accountant, who looks at it in the afternoon. Where Factomos sends its entries itself,
over a bridge, the accountant only enters credit notes and letters. Numbers are written as the
import takes them, letters and digits only: the books spell every invoice otherwise than Factomos.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta

from encaisse_lab.invented import Party, with_key
from encaisse_lab.samples import FIRST_EVENING, Sample, Samples
from encaisse_simulator.bridge import Bridge
from encaisse_simulator.myunisoft import Bookkeeping, Choices, plain
from encaisse_simulator.myunisoft.refusals import Refused
from encaisse_simulator.world import World

PARTNER_SECRET = "secret-partenaire-de-demonstration"
COUNTERPART = "4671000000"
"""Account of what the collector holds for the company."""

YEARS = tuple((date(year, 1, 1), date(year, 12, 31)) for year in (2025, 2026))

ROLL_OVER_DAY = 3
"""The afternoon on which the firm closes 2025: open items get new ids in 2026."""

LOOKED_AT_LATER = 3
"""Every so many entries one waits for another day: people have other things to do."""


@dataclass
class Firm:
    """Be the accountant of one company, and what is entered so far."""

    books: Bookkeeping
    token: str
    customers: dict[str, str] = field(default_factory=dict[str, str])
    seen: list[str] = field(default_factory=list[str])
    unlettered: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    closed: bool = False
    bridge: Bridge | None = None

    @property
    def access(self) -> Mapping[str, str]:
        """Give what the company types to connect its dossier."""
        return {
            "token": self.token,
            "partner_secret": PARTNER_SECRET,
            "counterpart": COUNTERPART,
        }

    def holds(self, sample: Sample) -> bool:
        """Tell whether an invoice is in the years the dossier has."""
        return sample.in_books and sample.issued >= YEARS[0][0]

    def ref(self, sample: Sample) -> str:
        """Give the name the connector calls an invoice by."""
        number = plain(sample.number)
        return f"{self.customers[sample.debtor.name]}/{sample.issued.year}/{number}"

    def enter(self, sample: Sample) -> None:
        """Book one invoice or avoir with what was paid and credited of it so far."""
        who, number = self._customer(sample.debtor), plain(sample.number)
        if sample.cents < 0:
            self.books.credit(number, who, sample.issued, -sample.cents)
            return
        if self.bridge is None:
            self.books.issue(number, who, sample.issued, (sample.due, sample.cents))
        if sample.paid:
            self.receive(sample, sample.paid, FIRST_EVENING - timedelta(days=12))
        if sample.credited:
            self.credit(sample, sample.credited, FIRST_EVENING - timedelta(days=9))

    def receive(self, sample: Sample, cents: int, on: date) -> None:
        """Book what a customer paid into the company's bank, unless the bridge brings it."""
        if self.holds(sample) and self.bridge is None:
            who, number = self._customer(sample.debtor), plain(sample.number)
            self.books.receive(who, on, cents, number=number)
            self.letter(who, number, sample.issued)

    def credit(self, sample: Sample, cents: int, on: date) -> None:
        """Book an avoir under the number of its invoice, and letter it where it can be."""
        if self.holds(sample):
            who, number = self._customer(sample.debtor), plain(sample.number)
            self.books.credit(f"AV{number}", who, on, cents, of=number)
            self.letter(who, number, sample.issued)

    def letter(self, customer: str, number: str, issued: date) -> None:
        """Letter an invoice now, or once its year is closed: lines of two years do not meet."""
        if issued.year == YEARS[-1][0].year or self.closed:
            self._try_to_letter(customer, number)
        elif (customer, number) not in self.unlettered:
            self.unlettered.append((customer, number))

    def afternoon(self, day: int) -> None:
        """Look at what collection proposes; on one day close the year before."""
        for draft in self.books.drafts():
            first_look = draft not in self.seen
            if first_look:
                self.seen.append(draft)
            if first_look and len(self.seen) % LOOKED_AT_LATER == 0:
                continue
            self.books.validate(draft)
        if day == ROLL_OVER_DAY:
            self.books.carry_forward(YEARS[0][0])
            self.closed = True
            for customer, number in self.unlettered:
                self._try_to_letter(customer, number)

    def _try_to_letter(self, customer: str, number: str) -> None:
        """Letter, or leave it where the tool refuses: a payment that went back stands alone."""
        with suppress(Refused):
            self.books.letter_invoice(customer, number)

    def _customer(self, debtor: Party) -> str:
        """Give a customer's account, opened when first needed."""
        if debtor.name not in self.customers:
            self.customers[debtor.name] = self.books.add_customer(
                debtor.name,
                siren=debtor.siren or "",
                vat_number=debtor.vat_id or "",
                street=debtor.street,
                postcode=debtor.postcode,
                city=debtor.city,
            )
        return self.customers[debtor.name]


def take_on(world: World, known: Samples) -> Firm:
    """Open the dossier and generate its key.

    A second entry under one id lands twice there: nothing but a look-up prevents a double.
    """
    tool = world.myunisoft
    tool.choices = Choices(duplicate_partner_id="accept")
    tool.register_partner(PARTNER_SECRET)
    cabinet = tool.add_firm("Cabinet de démonstration", with_key("9990000010001"))
    company = known.company
    books = tool.add_dossier(cabinet, company.name, company.siren or "", YEARS)
    return Firm(books, tool.society_key(books.society_id))


def enter_autumn(firm: Firm, known: Samples) -> None:
    """Enter what happened before the first evening."""
    for sample in known.in_books:
        if firm.holds(sample):
            firm.enter(sample)
