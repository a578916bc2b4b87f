"""What the people around a large company do, day by day: customers, users of tools, the collector's
debtors.

Everything is drawn from the seed and the day; nothing is read from the host. What is still owed on
each invoice is kept here as these people know it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Literal

from encaisse_lab.invented import Inventor, Party
from encaisse_lab.large.bills import KEPT_IN, Bill, Tool
from encaisse_lab.large.tools import Desks
from encaisse_simulator.gcollect import GCollect

YEAR = 365

PUNCTUAL, LATE = 150, 14
"""Customers who pay in time, and customers who do not."""

LATE_PER_CENT = 8
"""Invoices of those who do not."""

TERMS = (30, 45, 60, 60)
"""Days to pay, as often as they are drawn: 60 is the legal most (L441-10 C. com.)."""

BEFORE = 181
"""Days before the first night on which invoices were issued already: since January, when the first
exercice began. Half of all the invoices are as old; most of those are paid."""

QUIET = 4
"""Days at the end without deeds, so that all that was done has been answered by the last night."""

ANSWERED_AFTER = timedelta(days=8)
"""How long the company takes to say that a contested invoice is due after all: longer than the
collector's people take to settle the matter with the debtor."""

FATES: Mapping[str, int] = {
    "in_time": 80,
    "in_parts": 8,
    "bounced": 4,
    "credited": 3,
    "part_credited": 3,
    "vanished": 2,
}
"""What becomes of an invoice of a punctual customer, before its term."""

LATE_FATES: Mapping[str, int] = {
    "collector": 30,
    "instalments": 14,
    "goes_back": 8,
    "direct": 16,
    "direct_part": 8,
    "late_credit": 8,
    "disputes": 8,
    "never": 8,
}
"""What becomes of an invoice of a late one."""

CANNOT_VANISH: frozenset[Tool] = frozenset({"myunisoft", "folder"})
"""Nothing is deleted from books; and a file put away says nothing."""

Kind = Literal[
    "collected",
    "went_back",
    "direct",
    "given_back",
    "credited",
    "disputed",
    "undisputed",
    "vanished",
]
Method = Literal["card", "bank_transfer"]
Settled = Literal["denied", "withdrawn"]
SETTLED: tuple[Settled, ...] = ("denied", "withdrawn")
"""What comes of a dispute: both times the debtor pays in the end."""
METHODS: tuple[Method, ...] = ("card", "card", "bank_transfer")
REASONS = ("goods_quality", "not_delivered", "price", "other")


@dataclass(frozen=True, slots=True)
class Deed:
    """Be one thing that happened: in cents, and whether the collector held the invoice then."""

    at: datetime
    bill: Bill
    kind: Kind
    cents: int
    held: bool
    left: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Be what somebody will do on a day: `share` in per cent of what is then owed."""

    bill: Bill
    kind: Kind
    share: int = 100


@dataclass
class Collected:
    """Be a payment at the collector that a bank takes back one day."""

    id: str
    bill: Bill
    cents: int


@dataclass(frozen=True, slots=True)
class Contested:
    """Be a dispute at the collector, and what its people will make of it."""

    id: str
    bill: Bill
    becomes: Settled


@dataclass
class People:
    """Hold everybody, and what they did."""

    chance: Random
    desks: Desks
    gcollect: GCollect
    start: date
    nights: int
    invoices: int
    bills: list[Bill] = field(default_factory=list[Bill])
    deeds: list[Deed] = field(default_factory=list[Deed])
    done: Counter[str] = field(default_factory=Counter[str])
    _planned: dict[date, list[Plan]] = field(default_factory=lambda: defaultdict(list[Plan]))
    _backs: dict[date, list[Collected]] = field(
        default_factory=lambda: defaultdict(list[Collected])
    )
    _contested: dict[date, list[Contested]] = field(
        default_factory=lambda: defaultdict(list[Contested])
    )
    _late: list[Bill] = field(default_factory=list[Bill])
    _customers: tuple[tuple[Party, ...], tuple[Party, ...]] = ((), ())
    _issued: Counter[date] = field(default_factory=Counter[date])
    _next: int = 0

    def settle_in(self, now: datetime) -> None:
        """Find the customers, and live through the days before the first night."""
        inventor = Inventor(self.chance)
        punctual = tuple(inventor.company() for _ in range(PUNCTUAL))
        self._customers = (punctual, tuple(inventor.company() for _ in range(LATE)))
        first = self.start - timedelta(days=BEFORE)
        self._spread(first, BEFORE, self.invoices // 2)
        self._spread(self.start, YEAR, self.invoices - self.invoices // 2)
        for back in range(BEFORE):
            self._work(first + timedelta(days=back), now, {})
        self.deeds.clear()
        self.done.clear()

    def day(self, number: int, now: datetime) -> None:
        """Let everybody act on the nth day, at one instant of its evening."""
        if number >= self.nights - QUIET:
            return
        today = self.start + timedelta(days=number)
        held = self.held()
        self._collect(today, now, held)
        if today.weekday() < 5:
            self._work(today, now, held)

    def held(self) -> dict[str, str]:
        """Give the open procedure each invoice is in, by its number."""
        numbers = {
            line.invoice_number
            for line in self.gcollect.procedures_ledger()
            if line.closed_at is None
        }
        return {
            bill.number: self.gcollect.procedure_ids(bill.number)[-1]
            for bill in self._late
            if bill.number in numbers and bill.rest > 0
        }

    # Customers and users.

    def _spread(self, first: date, days: int, many: int) -> None:
        """Share invoices out over working days."""
        working = [
            day for place in range(days) if (day := first + timedelta(days=place)).weekday() < 5
        ]
        self._issued.update(self.chance.choices(working, k=many))

    def _work(self, today: date, now: datetime, held: Mapping[str, str]) -> None:
        for plan in self._planned.pop(today, []):
            self._do(plan, today, now, held)
        for _ in range(self._issued[today]):
            self._issue(today)

    def _issue(self, today: date) -> None:
        self._next += 1
        late = self._happens(LATE_PER_CENT)
        kept_in = self.chance.choices(tuple(KEPT_IN), tuple(KEPT_IN.values()))[0]
        if kept_in == ("folder",):
            late = False
        fates = LATE_FATES if late else FATES
        fate = self.chance.choices(tuple(fates), tuple(fates.values()))[0]
        stays = fate == "vanished" and CANNOT_VANISH.intersection(kept_in)
        if stays or kept_in == ("folder",):
            fate = "in_time"
        customer = self.chance.choice(self._customers[late])
        due = today + timedelta(days=self.chance.choice(TERMS))
        cents = self.chance.randint(9_000, 400_000)
        bill = Bill(f"F{today:%y}{self._next:05}", customer, kept_in, today, due, cents, fate)
        self.desks.enter(bill)
        self.bills.append(bill)
        if late:
            self._late.append(bill)
        self._plan(bill)
        self.done["new"] += 1

    def _plan(self, bill: Bill) -> None:
        """Write down what its customer and its users will do of their own accord."""
        chance, due = self.chance, bill.due
        match bill.fate:
            case "in_time":
                self._on(due, -chance.randint(0, 9), Plan(bill, "direct"))
            case "in_parts":
                self._on(due, -chance.randint(10, 20), Plan(bill, "direct", chance.randint(20, 80)))
                self._on(due, -chance.randint(0, 6), Plan(bill, "direct"))
            case "bounced":
                self._on(due, -18, Plan(bill, "direct"))
                self._on(due, -12, Plan(bill, "given_back"))
                self._on(due, -5, Plan(bill, "direct"))
            case "credited":
                self._on(due, -chance.randint(3, 20), Plan(bill, "credited"))
            case "part_credited":
                self._on(due, -chance.randint(9, 20), Plan(bill, "credited", chance.randint(5, 60)))
                self._on(due, -chance.randint(0, 6), Plan(bill, "direct"))
            case "vanished":
                self._on(due, -chance.randint(3, 25), Plan(bill, "vanished"))
            case "direct":
                self._on(due, chance.randint(6, 60), Plan(bill, "direct"))
            case "direct_part":
                share = chance.randint(20, 70)
                self._on(due, chance.randint(6, 60), Plan(bill, "direct", share))
            case "late_credit":
                share = 100 if self._happens(50) else chance.randint(20, 70)
                self._on(due, chance.randint(6, 60), Plan(bill, "credited", share))
            case _:
                return

    def _on(self, due: date, days: int, plan: Plan) -> None:
        """Plan for a working day: before the term the one before, after it the one after."""
        day = due + timedelta(days=days)
        while day.weekday() >= 5:
            day += timedelta(days=1 if days > 0 else -1)
        self._planned[day].append(plan)

    def _do(self, plan: Plan, today: date, now: datetime, held: Mapping[str, str]) -> None:
        bill = plan.bill
        cents = bill.cents if plan.kind == "given_back" else bill.rest * plan.share // 100
        if cents <= 0:
            return
        match plan.kind:
            case "direct":
                self.desks.receive(bill, cents, today)
            case "given_back":
                self.desks.give_back(bill, cents, today)
            case "credited":
                self.desks.credit(bill, cents, today)
            case _:
                self.desks.remove(bill)
        self._note(now, bill, plan.kind, cents, bill.number in held)

    # Debtors at the collector.

    def _collect(self, today: date, now: datetime, held: Mapping[str, str]) -> None:
        for paid in self._backs.pop(today, []):
            self.gcollect.reverse_payment(paid.id)
            paid.bill.rest += paid.cents
            self._note(now, paid.bill, "went_back", paid.cents, held=True)
        for dispute in self._contested.pop(today, []):
            self.gcollect.resolve_dispute(dispute.id, dispute.becomes)
            dispute.bill.fate = "collector"
            self._note(now, dispute.bill, "undisputed", 0, held=True)
        for bill in self._late:
            procedure = held.get(bill.number)
            if procedure is None or not self._happens(12):
                continue
            match bill.fate:
                case "collector":
                    self._pay(bill, procedure, bill.rest, today, now)
                case "instalments":
                    few = bill.rest < bill.cents // 3
                    cents = bill.rest if few else bill.cents // 3
                    self._pay(bill, procedure, cents, today, now)
                case "goes_back":
                    share = 100 if self._happens(40) else self.chance.randint(30, 80)
                    paid = self._pay(bill, procedure, bill.rest * share // 100, today, now)
                    bill.fate = "went_back"
                    back = today + timedelta(days=self.chance.randint(2, 7))
                    self._backs[back].append(paid)
                case "disputes":
                    self._contest(bill, procedure, today)
                    self._note(now, bill, "disputed", 0, held=True)
                case _:
                    continue

    def _contest(self, bill: Bill, procedure: str, today: date) -> None:
        made = self.gcollect.debtor_disputes(procedure, self.chance.choice(REASONS), bill.number)
        bill.fate = "disputed"
        day = today + timedelta(days=self.chance.randint(2, 6))
        self._contested[day].append(Contested(made, bill, self.chance.choice(SETTLED)))

    def _pay(self, bill: Bill, procedure: str, cents: int, today: date, now: datetime) -> Collected:
        method = self.chance.choice(METHODS)
        made = self.gcollect.debtor_pays(procedure, bill.number, cents, method=method)
        bill.rest -= cents
        self._note(now, bill, "collected", cents, held=True)
        return Collected(made, bill, cents)

    # Within.

    def _note(self, now: datetime, bill: Bill, kind: Kind, cents: int, held: bool) -> None:
        self.deeds.append(Deed(now, bill, kind, cents, held, bill.rest))
        self.done[kind] += 1

    def _happens(self, per_cent: int) -> bool:
        return self.chance.randrange(100) < per_cent
