"""What people do around one dossier of MyUnisoft, day by day: its customers, and its accountant.

Everything is drawn from the seed and the day; nothing is read from the host. What is still owed on
each invoice is kept here as these people know it, so that a customer pays what he owes and not what
anybody's books say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Literal

from encaisse_lab.invented import Inventor, Party
from encaisse_lab.year_calendar import YEARS, Calendar
from encaisse_simulator.gcollect import GCollect
from encaisse_simulator.myunisoft import Bookkeeping
from encaisse_simulator.myunisoft.refusals import Refused

Way = Literal["direct", "collector", "never"]

CUSTOMERS = 7
ADDRESS = ("Rue", "DES TILLEULS")
WAYS: Mapping[Way, int] = {"direct": 55, "collector": 35, "never": 10}
"""How customers pay an invoice: to the company, only once a collector asks, or not at all."""

BEFORE = timedelta(days=50)
"""How long before the first night invoices were issued already."""

Fate = Literal["posted", "altered", "rejected"]
FATES: Mapping[Fate, int] = {"posted": 84, "altered": 8, "rejected": 8}
"""What the accountant makes of a draft of ours, once he looks at it."""

Method = Literal["card", "bank_transfer"]
METHODS: tuple[Method, ...] = ("card", "bank_transfer")

PDF = b"%PDF-1.4\n% an invoice in name only\n%%EOF\n"


@dataclass
class Bill:
    """Be one invoice as its customer knows it; `rest` is what he still owes, in cents."""

    number: str
    customer: str
    issued: date
    due: date
    cents: int
    way: Way
    rest: int
    received: list[int] = field(default_factory=list[int])


@dataclass
class Collected:
    """Be one payment of a customer at the collector, which a bank may still take back."""

    id: str
    bill: Bill
    cents: int
    verified_on: date
    goes_back_on: date | None
    verified: bool = False
    went_back: bool = False


@dataclass
class Town:
    """Hold the people of one dossier, and what they did."""

    chance: Random
    books: Bookkeeping
    gcollect: GCollect
    calendar: Calendar
    customers: tuple[str, ...]
    bills: list[Bill] = field(default_factory=list[Bill])
    collected: list[Collected] = field(default_factory=list[Collected])
    done: dict[str, int] = field(default_factory=dict[str, int])
    looked_at_on: dict[str, date] = field(default_factory=dict[str, date])
    altered: dict[str, int] = field(default_factory=dict[str, int])
    """By account, what the accountant's corrections of our entries moved, debit less credit."""
    corrected_from: dict[str, int] = field(default_factory=dict[str, int])
    """By entry, what we wrote before he corrected it."""
    left_alone: set[str] = field(default_factory=set[str])
    """Accounts with an entry corrected today: nothing else is entered there before tomorrow."""
    locked_until: date | None = None
    _next: int = 0

    @property
    def _more(self) -> float:
        """Give how likely one more invoice is today: on average, the calendar's pace."""
        return self.calendar.pace / (1 + self.calendar.pace)

    def day(self, today: date) -> None:
        """Let everybody act for a day; at week-ends only customers of the collector do."""
        self.left_alone.clear()
        self._pay_collector(today)
        self._take_back(today)
        if today.weekday() >= 5:
            return
        self._lock(today)
        self._decide(today)
        self.issue(today)
        self._pay(today)
        self._credit(today)
        self._bounce(today)
        self._letter()
        self._end_year(today)

    # Customers.

    def issue(self, today: date) -> None:
        """Bill somebody; in January some of it is typed in late, with a date of last year."""
        while self._happens(self._more):
            self._next += 1
            number = f"F{today:%y}-{self._next:04}"
            customer = self.chance.choice(self.customers)
            cents = self.chance.randint(9_000, 400_000)
            issued = self._dated(today)
            due = issued + timedelta(days=self.chance.choice((0, 8, 30)))
            way = self.chance.choices(tuple(WAYS), tuple(WAYS.values()))[0]
            parts: list[tuple[date | None, int]] = [(due, cents)]
            if self._happens(0.15):
                first = cents // 3
                parts = [(due, first), (due + timedelta(days=30), cents - first)]
            elif self._happens(0.08):
                parts = [(None, cents)]
            self.books.issue(number, customer, issued, *parts, document=PDF)
            self.bills.append(Bill(number, customer, issued, due, cents, way, cents))
            self._count("invoices")

    def _pay(self, today: date) -> None:
        """Receive on the bank what customers send, with the invoice's number or without."""
        for bill in self.bills:
            late = bill.way == "collector" and self._happens(0.01)
            if (
                bill.rest <= 0
                or today < bill.due
                or self._alone(bill)
                or not (bill.way == "direct" or late)
            ):
                continue
            if not self._happens(0.05):
                continue
            cents = bill.rest if self._happens(0.5) else self._part(bill.rest)
            named = self._happens(0.75)
            self.books.receive(
                bill.customer, self._dated(today), cents, number=bill.number if named else ""
            )
            bill.rest -= cents
            bill.received += [cents] if named else []
            self._count("receipts" if named else "receipts_unallocated")

    def _credit(self, today: date) -> None:
        """Grant an avoir on what somebody still owes, under the invoice's number or its own."""
        owing = [bill for bill in self.bills if bill.rest > 0 and not self._alone(bill)]
        if not owing or not self._happens(0.06):
            return
        bill = self.chance.choice(owing)
        cents = bill.rest if self._happens(0.3) else self._part(bill.rest)
        self._next += 1
        of = bill.number if self._happens(0.6) else ""
        self.books.credit(f"AV{today:%y}-{self._next:04}", bill.customer, today, cents, of=of)
        bill.rest -= cents
        self._count("credit_notes")

    def _bounce(self, today: date) -> None:
        """Let the bank take a receipt back, as the accountant then enters it."""
        paid = [bill for bill in self.bills if bill.received and not self._alone(bill)]
        if not paid or not self._happens(0.03):
            return
        bill = self.chance.choice(paid)
        cents = bill.received.pop()
        self.books.give_back(bill.customer, today, cents, number=bill.number)
        bill.rest += cents
        self._count("bounced")

    def _pay_collector(self, today: date) -> None:
        """Pay the collector, for some of the invoices it holds."""
        held = {
            line.invoice_number
            for line in self.gcollect.procedures_ledger()
            if line.closed_at is None and line.creditor_siren == self.books.siren
        }
        for bill in self.bills:
            if bill.way != "collector" or bill.number not in held or bill.rest <= 0:
                continue
            if not self._happens(0.12):
                continue
            cents = bill.rest if self._happens(0.5) else self._part(bill.rest)
            procedure = self.gcollect.procedure_ids(bill.number, bill.issued.year)[-1]
            method = self.chance.choice(METHODS)
            paid = self.gcollect.debtor_pays(procedure, bill.number, cents, method=method)
            verified = today + timedelta(days=1 if method == "bank_transfer" else 0)
            back = today + timedelta(days=self.chance.randint(2, 9))
            lost = back if self._happens(0.12) else None
            self.collected.append(Collected(paid, bill, cents, verified, lost))
            bill.rest -= cents
            self._count("collected")

    def _take_back(self, today: date) -> None:
        """Let banks take some payments back; tell what the collector has verified by tonight."""
        for paid in self.collected:
            paid.verified = paid.verified or paid.verified_on <= today
            if paid.goes_back_on == today:
                self.gcollect.reverse_payment(paid.id)
                paid.went_back = True
                paid.bill.rest += paid.cents
                self._count("collected_went_back")

    # The accountant.

    def _lock(self, today: date) -> None:
        """Now and then close the days that are over to entries, for less than a week."""
        if self.locked_until is not None and today >= self.locked_until:
            self.books.unlock_periods()
            self.locked_until = None
        elif self.locked_until is None and self._happens(0.06):
            ended = today - timedelta(days=1)
            self.books.lock_period(ended - timedelta(days=30), ended)
            self.locked_until = today + timedelta(days=self.chance.randint(1, 5))
            self._count("periods_locked")

    def _decide(self, today: date) -> None:
        """Look at the drafts whose turn has come: post, correct or refuse them."""
        waiting = self.books.drafts()
        for name in waiting:
            on = today + timedelta(days=self.chance.randint(0, 12))
            self.looked_at_on.setdefault(name, on)
        for name in waiting:
            if self.looked_at_on[name] <= today:
                self._settle(name)

    def _settle(self, name: str, *, last: bool = False) -> None:
        """Decide one draft; beside another one of its invoice it is posted as it is."""
        draft = self.books.draft(name)
        fate = self.chance.choices(tuple(FATES), tuple(FATES.values()))[0]
        beside = [self.books.draft(other).invoice_number for other in self.books.drafts()]
        if last or beside.count(draft.invoice_number) > 1:
            fate = "posted"
        self.looked_at_on.pop(name, None)
        if fate == "rejected":
            self.books.reject(name)
        elif fate == "altered":
            was = abs(draft.cents)
            cents = max(1, was + self.chance.choice((-1, 1)) * self.chance.randint(1, 900))
            self.books.validate(name, cents=cents)
            more = (cents - was) if draft.cents > 0 else (was - cents)
            self.altered[draft.account] = self.altered.get(draft.account, 0) + more
            self.corrected_from[name] = draft.cents
            self.left_alone.add(draft.account)
        else:
            self.books.validate(name)
        self._count(f"drafts_{fate}")

    def _end_year(self, today: date) -> None:
        """Write the à-nouveaux, provisionally, then for good once every draft was looked at."""
        if today == self.calendar.opened:
            self.books.open_exercice(*YEARS[1])
        elif today in self.calendar.carried:
            self.books.carry_forward(self.calendar.ended, close=False)
            self._count("carried_forward")
        elif today == self.calendar.closed:
            for name in self.books.drafts():
                self._settle(name, last=True)
            self.books.carry_forward(self.calendar.ended)
            self._count("exercices_closed")

    def _letter(self) -> None:
        """Letter what can be: an invoice with all that names it, sometimes with what names none."""
        owing: dict[str, list[str]] = {}
        for item in self.books.open_items():
            if item.invoice_number and item.invoice_number not in owing.setdefault(
                item.account, []
            ):
                owing[item.account].append(item.invoice_number)
        for account, numbers in sorted(owing.items()):
            if account in self.left_alone or not self._happens(0.12):
                continue
            chosen = self.chance.sample(numbers, k=min(len(numbers), self.chance.choice((1, 1, 2))))
            if self._happens(0.4):
                chosen.append("")
            self._try_to_letter(account, chosen)

    def _try_to_letter(self, account: str, numbers: list[str]) -> None:
        """Letter, or leave it for later where the tool refuses: lines of two years, one alone."""
        try:
            code = self.books.letter_invoice(account, *numbers)
        except (Refused, ValueError):
            return
        self._count("partial_letterings" if code.startswith("*") else "letterings")

    # Within.

    def _dated(self, today: date) -> date:
        """Give the date of a document typed in today: of today, or of the days before.

        While the ended year is open, late papers of it still come in.
        """
        ended = self.calendar.ended
        if ended < today and today < self.calendar.closed and self._happens(0.2):
            return ended - timedelta(days=self.chance.randint(0, 5))
        return today

    def _part(self, cents: int) -> int:
        return max(1, cents * self.chance.randint(15, 85) // 100)

    def _alone(self, bill: Bill) -> bool:
        return bill.customer in self.left_alone

    def _happens(self, often: float) -> bool:
        return self.chance.random() < often

    def _count(self, what: str) -> None:
        self.done[what] = self.done.get(what, 0) + 1


def settle_in(chance: Random, books: Bookkeeping, gcollect: GCollect, calendar: Calendar) -> Town:
    """Open the customers' accounts."""
    inventor = Inventor(chance)
    parties = [inventor.company() for _ in range(CUSTOMERS)]
    customers = tuple(_account(books, party) for party in parties)
    town = Town(chance, books, gcollect, calendar, customers)
    for back in range(BEFORE.days, 0, -1):
        town.issue(calendar.start - timedelta(days=back))
    return town


def _account(books: Bookkeeping, party: Party) -> str:
    kind, street = ADDRESS
    return books.add_customer(
        party.name,
        siren=party.siren or "",
        address_number="4",
        street_type=kind,
        street=street,
        postcode=party.postcode,
        city=party.city.upper(),
        term=books.term(30, end_of_month=True),
    )
