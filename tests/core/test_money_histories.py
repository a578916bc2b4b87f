"""Months of payments that come, go back, are corrected and paid out: books and ledger stay true.

Each seed is one history: money in any order, replies lost, statements issued and payouts handed
over now and then. What is checked at the end does not use what the host worked out on the way.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select
from tests.core.houses import House, make
from tests.core.test_attribution import refer
from tests.counts import examples

from encaisse_api import CollectorPayout, Money, PayoutLine, Rejected
from encaisse_core import accounting, earnings, journal, referrers, stating
from encaisse_core.cents import half_up
from encaisse_core.clock import VirtualClock
from encaisse_core.commissions import EXPENSE, PAYABLE, balance
from encaisse_core.store import schema
from encaisse_einvoicing.fec.columns import NAMES as COLUMNS

pytestmark = pytest.mark.slow

RATE = 300_000
STEPS = 10


class History:
    """Live one seed's months in a house."""

    def __init__(self, house: House, seed: int) -> None:
        self.house, self.random = house, Random(f"money-{seed}")
        self.referrer = refer(house, "papertool", RATE)
        with house.host.store.begin() as tx:
            told = referrers.Identity(
                siren="987654324",
                vat_id="FR14987654324",
                address="1 rue Exemple, Rennes",
                vat_regime="standard",
                self_billing="MF-2026-01",
            )
            referrers.identify(house.host, tx, house.company, self.referrer, told)
        (self.procedure,) = house.open_everything()
        self.lines = [claim.line for claim in house.paper.procedures[self.procedure].claims]
        self.paid_out: dict[str, int] = defaultdict(int)
        self.net = 0
        self.rows: list[list[str]] = []
        self.documents: dict[str, str] = {}

    @property
    def today(self) -> datetime:
        return self.house.clock.now().astimezone(UTC)

    def collect(self) -> None:
        line, name = self.random.choice(self.lines), f"p{len(self.house.paper.collected)}"
        most = line.principal.minor
        cents = self.random.choice([most, most // 2, self.random.randint(1, most)])
        self.house.paper.collect(name, self.procedure, line, cents, self.today.date())

    def change(self) -> None:
        """Reverse, reject or correct a payment, or let it come again."""
        if not self.house.paper.collected:
            return
        name = self.random.choice(sorted(self.house.paper.collected))
        known = self.house.paper.collected[name]
        how = self.random.choice(["reverse", "reject", "correct", "again"])
        line = next(li for li in self.lines if li.claim_id == known.claim_ref)
        if how == "reverse":
            self.house.paper.reverse(name, self.today.date())
        elif how == "reject":
            self.house.paper.collected[name] = known.model_copy(update={"state": "rejected"})
        else:
            cents = known.amount.minor
            if how == "correct":
                cents = self.random.randint(1, line.principal.minor)
            self.house.paper.collect(name, self.procedure, line, cents, known.received_on)

    def pay_out(self) -> None:
        """Transfer what is due: new money forth, money that left or changed back."""
        made: list[PayoutLine] = []
        for name, paid in sorted(self.house.paper.collected.items()):
            due = paid.amount.minor if paid.state == "verified" else 0
            before = self.paid_out[name]
            for cents in (-before, due) if due != before else ():
                if cents:
                    made.append(self._line(name, cents))
                    self.net += made[-1].net.minor
            self.paid_out[name] = due
        if made:
            number = len(self.house.paper.payouts)
            self.house.paper.payouts[f"v{number}"] = CollectorPayout(
                remote_id=f"v{number:03d}",
                state="executed",
                lines=tuple(made),
                net=Money.of_minor(sum(line.net.minor for line in made)),
                executed_on=self.today.date(),
                updated_at=self.today,
            )

    def _line(self, name: str, cents: int) -> PayoutLine:
        paid = self.house.paper.collected[name]
        sign = 1 if cents > 0 else -1
        fee, vat = sign * (abs(cents) // 10), sign * (abs(cents) // 50)
        return PayoutLine(
            payment_ref=name,
            procedure_ref=self.procedure,
            invoice_number=paid.invoice_number,
            gross=Money.of_minor(cents),
            fee=Money.of_minor(fee),
            fee_vat=Money.of_minor(vat),
            net=Money.of_minor(cents - fee - vat),
        )

    def hand_over(self) -> list[dict[str, object]]:
        with self.house.host.store.begin() as tx:
            done = accounting.hand_over(
                self.house.host, tx, self.house.company, accounting.Destination()
            )
            again = accounting.handed_over(tx, self.house.company)
        self.rows += done.rows
        assert again.rows == self.rows
        return done.waiting

    def issue(self) -> None:
        """Issue every month that is over, in order, and keep what was issued."""
        with self.house.host.store.begin() as tx:
            last = f"{self.house.clock.today():%Y-%m}"
            for month in range(2, 13):
                for draft in stating.drafts(
                    self.house.host, tx, self.house.company, f"2026-{month:02d}"
                ):
                    assert (draft.refusal is None) == (draft.heading.period < last)
                    if draft.refusal is None:
                        stating.issue(self.house.host, tx, self.house.company, draft)
            s = schema.commission_statement.c
            for row in tx.execute(select(s.number, s.document)):
                assert self.documents.setdefault(row.number, row.document) == row.document

    def step(self) -> None:
        for _ in range(self.random.randint(0, 3)):
            self.random.choice([self.collect, self.collect, self.change])()
        self.house.paper.lose_replies = self.random.choice([0, 0, 1, 2])
        if self.random.random() < 0.4:
            self.pay_out()
        self.house.clock.sleep(timedelta(days=self.random.randint(1, 9)).total_seconds())
        self.house.night()
        self.house.paper.lose_replies = 0
        if self.random.random() < 0.4:
            self.hand_over()
        if self.random.random() < 0.4:
            self.issue()

    def end(self) -> None:
        """Let everything that is under way arrive, and hand over and state all of it."""
        self.house.night()
        self.pay_out()
        for _ in range(3):
            self.house.night()
        assert self.hand_over() == []
        self.house.clock.sleep(timedelta(days=31).total_seconds())
        self.issue()


class Refusing(History):
    """Let the tool refuse entries now and then: what it refuses is handed over, under any amount.

    It refuses no reversal: such an entry stays wrong in its books until a person undoes it.
    """

    def __init__(self, house: House, seed: int) -> None:
        super().__init__(house, seed)
        self.refuses = False
        kind: Any = house.shelf.known["papertool"]
        record = kind.record_payment

        def record_or_refuse(there: Any, key: str, payment: Any) -> Any:
            if self.refuses:
                raise Rejected("exercice clos")
            return record(there, key, payment)

        kind.record_payment = record_or_refuse

    def step(self) -> None:
        self.refuses = self.random.random() < 0.4
        super().step()

    def end(self) -> None:
        self.refuses = False
        super().end()


SEEDS = [(History, seed) for seed in range(1, 3)]
SEEDS += [(Refusing, seed) for seed in range(1, 1 + examples(9))]


@pytest.fixture(params=SEEDS, ids=lambda each: f"{each[0].__name__}-{each[1]}")
def lived(request: pytest.FixtureRequest, tmp_path: Path, clock: VirtualClock) -> History:
    kind, seed = request.param
    print(f"{kind.__name__}, seed {seed}")
    house = make(f"sqlite:///{tmp_path / 'e.db'}", tmp_path, clock, invoices=2)
    request.addfinalizer(house.app.close)
    history: History = kind(house, seed)
    for _ in range(STEPS):
        history.step()
    history.end()
    return history


def test_books_and_ledger_stay_true_through_any_history(lived: History) -> None:
    books_close(lived)
    ledger_holds(lived)
    statements_are_the_ledger(lived)


def books_close(lived: History) -> None:
    """Add write-backs, entries handed over and transfers: 467 is nil, 411 moved by what stands."""
    house = lived.house
    assert house.paper.collected
    imported: Counter[str] = Counter()
    entries: dict[str, int] = defaultdict(int)
    for row in lived.rows:
        told = dict(zip(COLUMNS, row, strict=True))
        cents = cents_of(told["Debit"]) - cents_of(told["Credit"])
        imported[told["CompteNum"]] += cents
        entries[told["EcritureNum"]] += cents
        assert (told["CompteNum"] == "411") <= bool(told["CompAuxNum"])
    assert not any(entries.values())
    assert len(entries) <= len(house.paper.payouts)
    written = sum(cents for _, _, cents in house.paper.written)
    assert written + imported["467"] - lived.net == 0
    verified = [p for p in house.paper.collected.values() if p.state == "verified"]
    standing = sum(paid.principal.minor for paid in verified)
    assert imported["411"] - written == -standing
    assert imported["512"] == imported["401"] == 0


def cents_of(figure: str) -> int:
    whole, decimals = figure.split(",")
    return int(whole) * 100 + int(decimals)


def ledger_holds(lived: History) -> None:
    house = lived.house
    with house.host.store.begin() as tx:
        lines = [line for _, line in earnings.ledger(tx, house.company)]
        s = schema.settlement.c
        settlements = {row.id: row for row in tx.execute(select(s.id, s.state, s.fee))}
        assert journal.verify(journal.export(tx, house.company)).ok
    assert sum(balance(lines).values()) == 0
    for settlement_id, settlement in settlements.items():
        mine = [line for line in lines if line.settlement_id == settlement_id]
        earned = sum(line.amount for line in mine if line.kind != "payable")
        fee = settlement.fee if settlement.state == "verified" else 0
        assert earned == half_up(Fraction((fee or 0) * RATE, 1_000_000))
        assert 0 <= earned <= (fee or 0)
        kinds = Counter(line.kind for line in mine)
        assert kinds["accrual"] - kinds["clawback"] == (earned > 0)


def statements_are_the_ledger(lived: History) -> None:
    house = lived.house
    with house.host.store.begin() as tx:
        issued = stating.issued(tx, house.company)
        ledger = earnings.ledger(tx, house.company)
        x = schema.statement_line.c
        stated = Counter(tx.execute(select(x.line_id)).scalars())
        kind = schema.event.c.kind == "statement_issued"
        events = list(tx.execute(select(schema.event.c.body).where(kind)).scalars())
    assert stated == Counter(row["id"] for row, _ in ledger)
    lines = [line for _, line in ledger]
    sums = [row["document"]["sums"] for row in issued]
    left = sums[-1]["carried"] if sums else 0
    assert sum(s["excl_vat"] for s in sums) + left == -balance(lines).get(PAYABLE, 0)
    assert sum(s["earned"] for s in sums) == balance(lines).get(EXPENSE, 0)
    assert all(f'"{row["digest"]}"' in events[n] for n, row in enumerate(issued))
    numbers = [row["invoice_number"] for row in issued if row["invoice_number"]]
    assert [int(number[-4:]) for number in numbers] == list(range(1, len(numbers) + 1))
    assert sum(row["document"]["sums"]["excl_vat"] > 0 for row in issued) == len(numbers)
    shown = [line for row in issued for line in row["document"]["lines"]]
    assert {line["invoice_number"] for line in shown} <= {None}
