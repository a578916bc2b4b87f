"""Invent an autumn of invoices from a seed, each with its truth.

The truth (`true_id`, what should become of it) stays in the lab: no record carries it, so that a
wrong join is counted against what was meant and not against what was concluded.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Literal

from encaisse_lab.invented import Inventor, Party

Syntax = Literal["facturx", "cii", "ubl"]
Kind = Literal["invoice", "down_payment", "credit_note"]

COLLECTIBLE = "collectible"
"""What should become of an invoice that may be handed over; otherwise the id of the rule."""

FIRST_EVENING = date(2026, 2, 2)
"""Monday: the company connects its tools."""

GOOD_DEBTORS = 14
"""Customers whose overdue invoices are all in order: enough for every role to have its own."""

TWICE_SEEN = 34
"""Invoices both in the books and in the folder; the respelled ones among them."""

RESPELLED = 5

IN_LIBEO = 8
"""Invoices the company also keeps in Libeo."""

BILLS = 3
"""Invoices the company received and pays through Libeo."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Be one invoice as it truly is.

    `books` tells how Factomos holds it (None: it does not), `file` how the folder does, under
    `file_number` where it is written differently. `paid` and `credited` are cents settled before
    the first evening. `fate` is `collectible` or the rule that must stop it.
    """

    true_id: str
    number: str
    seller: Party
    debtor: Party
    issued: date
    due: date | None
    cents: int
    fate: str
    kind: Kind = "invoice"
    currency: str = "EUR"
    in_books: bool = True
    in_libeo: bool = False
    has_document: bool = True
    file: Syntax | None = None
    file_number: str | None = None
    process: str = "S1"
    paid: int = 0
    credited: int = 0
    credits: str | None = None

    @property
    def owed(self) -> int:
        """Give what is owed on the first evening, in cents."""
        return self.cents - self.paid - self.credited

    @property
    def written(self) -> str:
        """Give the number as the file writes it."""
        return self.file_number or self.number


@dataclass(frozen=True, slots=True)
class Samples:
    """Hold a whole set: the company, its invoices, and files nobody can read."""

    company: Party
    invoices: tuple[Sample, ...]
    bills: tuple[tuple[Party, str, int], ...] = ()
    broken: tuple[str, ...] = ("tronque.pdf", "entites.xml", "vide.xml")

    @property
    def in_books(self) -> list[Sample]:
        """List what Factomos holds."""
        return [sample for sample in self.invoices if sample.in_books]

    @property
    def in_libeo(self) -> list[Sample]:
        """List what Libeo holds too."""
        return [sample for sample in self.invoices if sample.in_libeo]

    @property
    def in_folder(self) -> list[Sample]:
        """List what the folder holds."""
        return [sample for sample in self.invoices if sample.file is not None]

    @property
    def collectible(self) -> list[Sample]:
        """List what may be handed over on the first evening."""
        return [sample for sample in self.invoices if sample.fate == COLLECTIBLE]


@dataclass
class _Book:
    """Number invoices in the order they are issued and keep amounts apart."""

    chance: Random
    company: Party
    serial: int = 100
    amounts: set[int] = field(default_factory=set[int])
    drawn: list[Sample] = field(default_factory=list[Sample])

    def cents(self) -> int:
        """Draw a total with 20 % VAT in whole cents, never the same twice."""
        while True:
            net = self.chance.randrange(9_000, 420_000) // 5 * 5
            total = net + net // 5
            if total not in self.amounts:
                self.amounts.add(total)
                return total

    def overdue(self) -> tuple[date, date]:
        """Draw an issue date of the autumn and a due date passed on the first evening."""
        issued = date(2025, 9, 5) + timedelta(days=self.chance.randrange(110))
        return issued, issued + timedelta(days=30)

    def later(self) -> tuple[date, date]:
        """Draw an issue date and a due date after the last night of the longest demo."""
        issued = date(2026, 1, 20) - timedelta(days=self.chance.randrange(12))
        return issued, issued + timedelta(days=60)

    def add(
        self,
        debtor: Party,
        dates: tuple[date, date | None],
        fate: str,
        *,
        cents: int | None = None,
        number: str | None = None,
    ) -> Sample:
        """Write an invoice down under the next number of its year."""
        issued, due = dates
        self.serial += 1
        sample = Sample(
            true_id=f"inv-{len(self.drawn) + 1:03d}",
            number=number or f"FA-{issued.year}-{self.serial:04d}",
            seller=self.company,
            debtor=debtor,
            issued=issued,
            due=due,
            cents=cents or self.cents(),
            fate=fate,
        )
        self.drawn.append(sample)
        return sample

    def change(self, sample: Sample, **changes: object) -> Sample:
        """Give an invoice its particulars."""
        changed = replace(sample, **changes)  # type: ignore[arg-type]
        self.drawn[self.drawn.index(sample)] = changed
        return changed


def samples(seed: int) -> Samples:
    """Draw the set of a seed; the same seed gives the same set."""
    chance = Random(f"samples-{seed}")
    people = Inventor(chance)
    book = _Book(chance, people.company())
    good = [people.company() for _ in range(GOOD_DEBTORS)]
    _ordinary(book, good)
    _look_alikes(book, people.company())
    _particular(book, people)
    _into_the_folder(book)
    _into_libeo(book)
    bills = tuple((people.company(), f"FRN-{n:04d}", book.cents()) for n in range(1, BILLS + 1))
    return Samples(company=book.company, invoices=tuple(book.drawn), bills=bills)


def _ordinary(book: _Book, good: list[Party]) -> None:
    """Give each good customer one to three overdue invoices, some a later one beside."""
    for place, debtor in enumerate(good):
        for _ in range(2 + (place % 3 == 0)):
            book.add(debtor, book.overdue(), COLLECTIBLE)
        if place % 2:
            book.add(debtor, book.later(), "not_due")
    part = book.add(good[0], book.overdue(), COLLECTIBLE)
    book.change(part, paid=part.cents // 4)
    credited = book.add(good[1], book.overdue(), COLLECTIBLE)
    book.change(credited, credited=credited.cents // 5)
    deposit = book.add(good[2], book.overdue(), COLLECTIBLE)
    book.change(deposit, kind="down_payment")


def _look_alikes(book: _Book, debtor: Party) -> None:
    """Invoice the same sum three months running: three claims, whatever they share."""
    cents = book.cents()
    for month in (9, 10, 11):
        issued = date(2025, month, 28)
        book.add(debtor, (issued, issued + timedelta(days=30)), COLLECTIBLE, cents=cents)


def _particular(book: _Book, people: Inventor) -> None:
    """Draw one of each that must not be handed over, with the rule that says why."""
    public, person, nobody = people.public_body(), people.person(), people.unidentified()
    foreign, creditor = people.foreigner(), people.company()
    credited, suspect, mixed = people.company(), people.company(), people.company()
    book.change(book.add(public, book.overdue(), "public_debtor"), file="ubl")
    book.add(person, book.overdue(), "debtor_unidentified")
    book.add(nobody, book.overdue(), "debtor_unidentified")
    book.change(book.add(foreign, book.overdue(), "debtor_kind_unknown"), file="ubl")
    _credits(book, creditor, credited)
    _suspects(book, suspect)
    book.add(mixed, (book.overdue()[0], None), "due_date_missing")
    book.add(mixed, book.overdue(), "below_minimum", cents=960)
    old = date(2020, 11, 10)
    book.add(mixed, (old, old + timedelta(days=30)), "prescribed", number="FA-2020-0077")
    foreign_money = book.add(mixed, book.overdue(), "currency")
    book.change(foreign_money, currency="CHF", in_books=False, file="cii")
    at_issue = book.add(mixed, book.overdue(), "paid_at_issue")
    paid = at_issue.cents
    book.change(at_issue, process="S2", paid=paid, in_books=False, file="facturx")
    stranger, supplier = people.company(), people.company()
    theirs = book.add(mixed, book.overdue(), "not_our_invoice", number="2025/118")
    book.change(theirs, seller=stranger, in_books=False, file="cii")
    purchase = book.add(book.company, book.overdue(), "not_our_invoice", number="F25-00931")
    book.change(purchase, seller=supplier, in_books=False, file="facturx")


def _credits(book: _Book, creditor: Party, credited: Party) -> None:
    """Owe one customer money nobody allocated, and another one a credit note in the folder."""
    book.add(creditor, book.overdue(), "unallocated_credit")
    row = book.add(creditor, book.overdue(), "not_an_invoice", cents=-31_200, number="AV-2025-0009")
    book.change(row, kind="credit_note")
    first = book.add(credited, book.overdue(), "unallocated_credit")
    book.change(first, file="facturx")
    dates = (first.issued + timedelta(days=9), None)
    note = book.add(credited, dates, "not_an_invoice", cents=-24_000, number="AV-2025-0010")
    book.change(note, kind="credit_note", in_books=False, file="ubl", credits=first.number)


def _suspects(book: _Book, debtor: Party) -> None:
    """Show one debt under two numbers that share nothing else to tell them apart: a person asks."""
    dates = book.overdue()
    first = book.add(debtor, dates, "possible_duplicate")
    second = book.add(debtor, dates, "possible_duplicate", cents=first.cents)
    book.change(second, in_books=False, file="cii")


def _into_the_folder(book: _Book) -> None:
    """Put invoices of the books into the folder too, five under another writing of the number."""
    fit = [s for s in book.drawn if s.in_books and s.file is None and s.fate in FOUND_TWICE]
    syntaxes: tuple[Syntax, ...] = ("facturx", "cii", "ubl")
    chosen = book.chance.sample(fit, TWICE_SEEN)
    plain = [s for s in chosen if s.kind == "invoice"]
    respelled = plain[:RESPELLED]
    for place, sample in enumerate(chosen):
        changed = book.change(sample, file=syntaxes[place % 3])
        if sample in respelled:
            number, written = WRITINGS[respelled.index(sample)](sample.number)
            book.change(changed, number=number, file_number=written)


def _into_libeo(book: _Book) -> None:
    """Put invoices of the books into Libeo too."""
    fit = [
        s
        for s in book.drawn
        if s.in_books and s.fate == COLLECTIBLE and s.kind == "invoice" and not s.credited
    ]
    for sample in book.chance.sample(fit, IN_LIBEO):
        book.change(sample, in_libeo=True)


FOUND_TWICE = (COLLECTIBLE, "not_due")
"""Only ordinary invoices: what is wrong with the others is told by one source alone."""


def _lower(number: str) -> tuple[str, str]:
    return number, number.lower()


def _spaced(number: str) -> tuple[str, str]:
    return number, number.replace("-", " ")


def _slashed(number: str) -> tuple[str, str]:
    return number, number.replace("-", "/")


def _padded(number: str) -> tuple[str, str]:
    """Write a plain serial with leading zeros in the books and without in the file."""
    serial = number.rpartition("-")[2]
    return f"CT-000{serial}", f"CT-{serial.lstrip('0')}"


def _all_at_once(number: str) -> tuple[str, str]:
    serial = number.rpartition("-")[2]
    return f"CT-00{serial}", f"ct {serial.lstrip('0')}"


WRITINGS = (_lower, _spaced, _slashed, _padded, _all_at_once)
"""How tools rewrite a number: case, separators, zeros, and all of it."""
