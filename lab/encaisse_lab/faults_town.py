"""A small company whose few invoices meet everything the host does, for cases that must be fast.

Each invoice has a customer and a fate of its own, so that what should stand at each partner follows
from the fates alone. The books close a year on the way, so that open items change their names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Literal, get_args

import httpx

from encaisse_core.clock import PARIS, VirtualClock
from encaisse_lab.checker import Effect
from encaisse_lab.faults_post import COLLECTOR_SECRET, EVENTS, PARTNER_SECRET, Post
from encaisse_lab.invented import Inventor, Party
from encaisse_simulator.myunisoft import HOST as MYUNISOFT_HOST
from encaisse_simulator.myunisoft import Bookkeeping, Choices
from encaisse_simulator.transport import SimTransport
from encaisse_simulator.world import World

Fate = Literal["full", "parts", "reversed", "direct", "lowered", "credited", "double"]
FATES: tuple[Fate, ...] = get_args(Fate)

SIREN = "987654324"
TOKEN, CLIENT, SECRET = "jeton-de-pannes", "pannes", "secret-de-pannes"
FUNDS = "4671000000"
SIGNER, MAIL = "Dominique Exemple", "direction@example.org"

FIRST = date(2026, 2, 2)
EVENING = time(18, 30)
NIGHTLY_AT = time(4, 10)
NIGHTS = (1, 2, 3, 4, 8, 28)
"""Days after the first evening on which a night is run; the last one is of March."""

TOLD_ON = (1, 2, 3)
"""Days on which partners tell what happened; what is told later is lost."""

CLOSES_ON = 2
"""The day the books close 2025, and open again the day before it, closed to entries till then."""

IN_FACTOMOS: frozenset[Fate] = frozenset({"full", "direct", "lowered"})
"""Invoices a second tool shows too."""

PDF = b"%PDF-1.4\n% an invoice in name only\n%%EOF\n"


@dataclass
class Bill:
    """Be one invoice: its fate, its customer, and what partners call it."""

    number: str
    fate: Fate
    customer: Party
    issued: date
    due: date
    cents: int
    account: str = ""
    pid: str = ""
    paid: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class Act:
    """Be one deed about one invoice, from a day on; cents of principal."""

    day: int
    fate: Fate
    deed: Literal["pays_collector", "goes_back", "pays_directly", "is_credited"]
    cents: int = 0


@dataclass
class Town:
    """Hold the partners of one company and let its people live through the days."""

    seed: int
    clock: VirtualClock
    world: World
    books: Bookkeeping
    bills: dict[Fate, Bill]
    post: Post
    left: list[Act] = field(default_factory=list["Act"])
    """What people are still to do."""

    def first(self, fate: Fate) -> int:
        """Give what is paid or credited first of an invoice that is settled in parts."""
        return self.bills[fate].cents // 3

    def sign(self) -> None:
        """Let a person sign every mandate that waits."""
        for mandate in self.world.gcollect.pending_mandates():
            self.world.gcollect.sign_mandate(mandate, name=SIGNER, email=MAIL)

    def day(self, number: int) -> None:
        """Let people act on the day after a night: each act once, and as soon as it can happen."""
        with self.world.faults.paused():
            self.sign()
            for act in list(self.left):
                if act.day <= number and self._happens(act):
                    self.left.remove(act)
            if number == CLOSES_ON:
                self.books.carry_forward(date(FIRST.year - 1, 1, 1))
                self.books.unlock_periods()
            elif number == CLOSES_ON - 1:
                today = self.clock.today()
                self.books.lock_period(today, today)
            for draft in self.books.drafts():
                self.books.validate(draft)
        self.post.collect(self.world, number)

    def _happens(self, act: Act) -> bool:
        """Do one act; False while the procedure or the entry it follows is not there yet."""
        bill, today = self.bills[act.fate], self.clock.today()
        opened = self.world.gcollect.procedure_ids(bill.number, bill.issued.year)
        if not opened or (act.deed == "goes_back" and not self._entered(bill)):
            return False
        match act.deed:
            case "pays_collector":
                bill.paid.append(
                    self.world.gcollect.debtor_pays(opened[-1], bill.number, act.cents)
                )
            case "goes_back":
                self.world.gcollect.reverse_payment(bill.paid[0])
            case "pays_directly":
                self.books.receive(bill.account, today, act.cents, number=bill.number)
                if bill.pid:
                    self.world.factomos.customer_pays(bill.pid, act.cents, today, "VIR CLIENT")
            case "is_credited":
                of = bill.number
                self.books.credit(f"AV{of}", bill.account, today, act.cents, of=of)
                if bill.pid:
                    self.world.factomos.credit_note(bill.pid, act.cents, today)
        return True

    def _entered(self, bill: Bill) -> bool:
        """Tell whether the books show what a customer paid to the collector."""
        return any(
            entry.kind == "payment_draft" and entry.invoice_number == bill.number
            for entry in self.world.ledger()
            if entry.partner == "myunisoft" and entry.via == "api"
        )

    def expected(self) -> Counter[Effect]:
        """Work out from the fates what calls of ours must have written at each partner, once."""
        wanted: Counter[Effect] = Counter()
        for bill in self.bills.values():
            wanted["gcollect", bill.number, "mandate_requested", bill.cents] += 1
            wanted["gcollect", bill.number, "procedure_opened", bill.cents] += 1
        name = {fate: bill.number for fate, bill in self.bills.items()}
        full, parts = self.bills["full"].cents, self.bills["parts"].cents
        back, first = self.bills["reversed"].cents, self.first("parts")
        wanted["myunisoft", name["full"], "payment_draft", full] += 1
        wanted["myunisoft", name["parts"], "payment_draft", first] += 1
        wanted["myunisoft", name["parts"], "payment_draft", parts - first] += 1
        wanted["myunisoft", name["reversed"], "payment_draft", back] += 1
        wanted["myunisoft", name["reversed"], "reversal_draft", -back] += 1
        wanted["gcollect", name["direct"], "direct_payment", self.bills["direct"].cents] += 1
        wanted["gcollect", name["lowered"], "procedure_amended", 0] += 1
        wanted["gcollect", name["credited"], "procedure_withdrawn", 0] += 1
        return wanted


def settle_in(
    seed: int, *, first: date = FIRST, make: Callable[[int, datetime], World] = World
) -> Town:
    """Open the accounts, issue the invoices; the same seed gives the same town.

    `first` is the day of the first evening.
    """
    chance = Random(f"faults-{seed}")
    start = datetime.combine(first, EVENING, PARIS).astimezone(UTC)
    clock, world = VirtualClock(start), make(seed, start)
    clock.on_advance.append(world.set_now)
    tool = world.myunisoft
    tool.choices = Choices(duplicate_partner_id="accept")
    tool.register_partner(PARTNER_SECRET)
    cabinet = tool.add_firm("Cabinet Exemple", "81234567600017")
    years = [(date(year, 1, 1), date(year, 12, 31)) for year in (first.year - 1, first.year)]
    books = tool.add_dossier(cabinet, "Atelier Exemple SARL", SIREN, years)
    world.gcollect.register_creditor(
        SIREN, "Atelier Exemple SARL", CLIENT, SECRET, webhook_secret=COLLECTOR_SECRET
    )
    _subscribe(world, books)
    world.factomos.add_company(TOKEN, SIREN, "Atelier Exemple SARL")
    inventor = Inventor(chance)
    bills: dict[Fate, Bill] = {}
    for place, fate in enumerate(FATES):
        issued = first - timedelta(days=91 if fate in ("parts", "credited") else 31)
        due = issued + timedelta(days=chance.randint(5, 20))
        cents = chance.randint(20_000, 300_000) * 3
        bill = Bill(f"F{place + 1:03d}", fate, inventor.company(), issued, due, cents)
        _enter(world, books, bill)
        bills[fate] = bill
    town = Town(seed, clock, world, books, bills, Post(seed))
    town.left = _acts(town)
    stumble(town)
    return town


def _subscribe(world: World, books: Bookkeeping) -> None:
    """Let the cabinet ask its tool to tell what changes in the dossier."""
    with httpx.Client(transport=SimTransport(world)) as http:
        answer = http.post(
            f"https://{MYUNISOFT_HOST}/api/v1/webhook",
            headers={
                "X-Third-Party-Secret": PARTNER_SECRET,
                "Authorization": f"Bearer {world.myunisoft.society_key(books.society_id)}",
            },
            json={
                "postUrl": "https://encaisse.example/hooks",
                "onEvents": EVENTS,
                "accountingFolderId": [str(books.society_id)],
            },
        )
        answer.raise_for_status()


def _acts(town: Town) -> list[Act]:
    """Say what happens to each invoice; parts of one come in the order listed."""
    cents = {fate: bill.cents for fate, bill in town.bills.items()}
    part = {fate: town.first(fate) for fate in FATES}
    return [
        Act(1, "full", "pays_collector", cents["full"]),
        Act(1, "parts", "pays_collector", part["parts"]),
        Act(1, "reversed", "pays_collector", cents["reversed"]),
        Act(1, "double", "pays_collector", part["double"]),
        Act(1, "double", "pays_directly", part["double"]),
        Act(1, "direct", "pays_directly", cents["direct"]),
        Act(1, "lowered", "is_credited", part["lowered"]),
        Act(1, "credited", "is_credited", cents["credited"]),
        Act(2, "parts", "pays_collector", cents["parts"] - part["parts"]),
        Act(2, "reversed", "goes_back"),
    ]


def _enter(world: World, books: Bookkeeping, bill: Bill) -> None:
    who = bill.customer
    bill.account = books.add_customer(
        who.name, siren=who.siren or "", street=who.street, postcode=who.postcode, city=who.city
    )
    books.issue(bill.number, bill.account, bill.issued, (bill.due, bill.cents), document=PDF)
    if bill.fate in IN_FACTOMOS:
        card = world.factomos.add_contact(
            TOKEN,
            who.name,
            siret=who.siret or "",
            address=who.street,
            postcode=who.postcode,
            city=who.city,
            email=who.email,
        )
        bill.pid = world.factomos.add_invoice(
            bill.number, card, bill.issued, bill.due, bill.cents, document=PDF
        )


def stumble(town: Town) -> None:
    """Spoil the answer of one write of each kind the collector dedupes: each is then looked up."""
    for path in SPOILT:
        town.world.faults.schedule("5xx_after", method="POST|PATCH", path=path)


SPOILT = (
    r"/mandates$",
    r"/procedures$",
    r"/direct_payments$",
    r"/withdraw",
    r"/pause",
    r"/procedures/[^/]+$",
)
"""Addresses of the collector's writes."""


def paris(day: int, at: time) -> datetime:
    """Give an instant of the nth day after the first evening."""
    return datetime.combine(FIRST + timedelta(days=day), at, PARIS).astimezone(UTC)


def day_of(instant: datetime) -> int:
    """Give how many days after the first evening an instant is."""
    return (instant.astimezone(PARIS).date() - FIRST).days
