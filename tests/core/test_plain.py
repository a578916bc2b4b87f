"""Payments recorded set after set give the rows they give one by one, on both databases."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select
from tests.core.houses import House, add_tool, answer, line_of, make, open_tasks, payments
from tests.core.merging import semantic
from tests.core.paper import invoice
from tests.core.test_attribution import refer

from encaisse_api import Instalment, Money
from encaisse_core import earnings, journal, plain
from encaisse_core.cents import half_up
from encaisse_core.cli.views.explaining import explain
from encaisse_core.clock import VirtualClock
from encaisse_core.commissions import balance
from encaisse_core.store import schema

INVOICES = 12
EVENING = datetime(2026, 2, 2, 19, 0, tzinfo=UTC)


class History:
    """Live one seed's nights in a house: money from both sides, in any order."""

    def __init__(self, house: House, seed: int) -> None:
        self.house, self.random = house, Random(f"plain-{seed}")
        refer(house, "papertool", 300_000)
        for number in self.random.sample(range(1, INVOICES + 1), 3):
            self.in_two_parts(number)
        self.papers = [house.paper]
        if self.random.random() < 0.7:
            self.papers.append(add_tool(house))
        house.open_everything()

    def in_two_parts(self, number: int) -> None:
        item = invoice(f"F-{number}", 100_00 * number)
        half = Money.of_minor(50_00 * number)
        parts = tuple(
            Instalment(ref=str(part), due_date=date(2026, 1, 4 + part), amount=half, open=half)
            for part in (1, 2)
        )
        self.house.paper.add(item.model_copy(update={"instalments": parts}))

    def pay(self) -> None:
        """Let tools show that an invoice was paid, whole or in part: all of them, or one."""
        number = f"F-{self.random.randint(1, INVOICES)}"
        most = min(paper.invoices[f"r-{number}"].open.minor for paper in self.papers)
        if most > 0:
            cents = self.random.choice([most, most, self.random.randint(1, most)])
            for paper in self.random.sample(self.papers, self.random.randint(1, len(self.papers))):
                paper.pay(number, cents)

    def collect(self) -> None:
        paper = self.house.paper
        name, file = self.random.choice(sorted(paper.procedures.items()))
        line = self.random.choice(file.claims).line
        most = line.principal.minor
        cents = self.random.choice([most, most, self.random.randint(1, most)])
        paper.collect(f"p{len(paper.collected)}", name, line, cents, self.today)

    def reverse(self) -> None:
        if self.house.paper.collected:
            name = self.random.choice(sorted(self.house.paper.collected))
            self.house.paper.reverse(name, self.today)

    def go_back(self) -> None:
        """Let a tool show again what it showed as paid, or another status or currency."""
        paper = self.random.choice(self.papers)
        known = paper.invoices[f"r-F-{self.random.randint(1, INVOICES)}"]
        again = self.random.choice(
            [{"open": known.total, "state": "open"}, {"state": "cancelled"}, {"state": "unknown"}]
        )
        if "open" in again:
            parts = [p.model_copy(update={"open": p.amount}) for p in known.instalments]
            again["instalments"] = tuple(parts)  # type: ignore[assignment]
        paper.add(known.model_copy(update=again))

    def answer(self) -> None:
        for kind in ("maybe_same", "amount_rose", "unknown_status"):
            if any(asked == kind for _, asked, _ in open_tasks(self.house)):
                verdict = self.random.choice(["same", "different"])
                how = {"verdict": verdict} if kind == "maybe_same" else {"lift": True}
                answer(self.house, kind, **how)
                return

    @property
    def today(self) -> date:
        return self.house.clock.now().date()

    def step(self) -> None:
        for _ in range(self.random.randint(2, 8)):
            self.random.choice(
                [*[self.pay] * 3, *[self.collect] * 3, self.reverse, self.go_back, self.answer]
            )()
        if self.house.paper.collected and self.random.random() < 0.4:
            name = self.random.choice(sorted(self.house.paper.collected))
            self.house.paper.pay_out(f"v{len(self.house.paper.payouts)}", [name], self.today)
        self.house.night()


def lived(
    url: str, folder: Path, seed: int, nights: int, request: pytest.FixtureRequest
) -> tuple[House, dict[str, list[dict[str, Any]]]]:
    house = make(url, folder, VirtualClock(EVENING), invoices=INVOICES)
    request.addfinalizer(house.app.close)
    history = History(house, seed)
    for _ in range(nights):
        history.step()
    with house.host.store.begin() as tx:
        assert journal.verify(journal.export(tx, house.company)).ok
    return house, without_drawn_ids(semantic(house))


def without_drawn_ids(
    exported: dict[str, list[dict[str, Any]]],
) -> dict[str, list[dict[str, Any]]]:
    """Leave out the ids of commission lines, drawn in the order they are written in."""
    lines = [{k: v for k, v in row.items() if k != "id"} for row in exported["commission_line"]]
    return exported | {"commission_line": sorted(lines, key=repr)}


def sets_told(house: House, kind: str = "payments_seen") -> int:
    e = schema.event.c
    with house.host.store.begin() as tx:
        bodies = tx.execute(select(e.body).where(e.kind == kind)).scalars()
        return sum(len(json.loads(body)["facts"]) for body in bodies)


def both_ways(
    url: str, folder: Path, seed: int, nights: int, request: pytest.FixtureRequest
) -> int:
    print(f"seed {seed}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "AT_LEAST", 1)
        patch.setattr(plain, "AT_ONCE", 2)
        sets, exported = lived(url, folder / "sets", seed, nights, request)
    one_by_one = f"sqlite:///{folder / 'one.db'}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "AT_LEAST", 10**9)
        single, expected = lived(one_by_one, folder / "one", seed, nights, request)
    assert sets_told(single) == sets_told(single, "commissions_accrued") == 0
    if (
        sets.count("connection") == 2 and nights > 2
    ):  # of two tools the store must ask which is first
        assert sets_told(sets, "commissions_accrued") > 0
    for table, wanted in expected.items():
        assert exported[table] == wanted, f"seed {seed}, table {table}"
    return sets_told(sets)


def test_sets_and_single_payments_give_the_same_rows(
    database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    assert both_ways(database_url, tmp_path, 1, 1, request) > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 30))
def test_any_history_gives_the_same_rows_set_after_set(
    seed: int, database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    assert both_ways(database_url, tmp_path, seed, 8, request) > 0


def test_a_payment_of_a_set_is_told_in_the_story_of_its_claim(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "AT_LEAST", 1)
    house.night()
    for number in ("F-1", "F-2"):
        house.paper.pay(number, 100_00)
    house.night()
    assert payments(house, "F-2") == [("source", 100_00)]
    claim_id = str(house.claim("F-2")["id"])
    with house.host.store.begin() as tx:
        story = explain(house.host, tx, house.company, claim_id)
    told = [event["kind"] for event in story["events"]]
    assert told[-2:] == ["payment_seen", "claim_moved"]
    assert "100,00" in story["events"][-2]["sentence"].replace("\u202f", " ")
    assert story["events"][-1]["body"] == {"state": "open", "open": 100_00}


def story_of(url: str, folder: Path, at_least: int) -> list[tuple[str, str, dict[str, Any], str]]:
    """Live a payment and its commission; tell the claim's story, ids by the order they come in."""
    house = make(url, folder, VirtualClock(EVENING), invoices=3)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(plain, "AT_LEAST", at_least)
            refer(house, "papertool", 300_000)
            (procedure,) = house.open_everything()
            for number in ("F-2", "F-3"):
                line = line_of(house, [procedure], number)
                house.paper.collect(f"p-{number}", procedure, line, 100_00, date(2026, 2, 4))
            house.night()
        told = sets_told(house), sets_told(house, "commissions_accrued")
        assert told == ((2, 2) if at_least == 1 else (0, 0))
        claim_id = str(house.claim("F-2")["id"])
        with house.host.store.begin() as tx:
            story = explain(house.host, tx, house.company, claim_id)
    finally:
        house.app.close()
    known: dict[str, str] = {}

    def same(said: object) -> Any:
        if isinstance(said, dict):
            return {name: same(value) for name, value in said.items()}
        if isinstance(said, str) and re.fullmatch(r"[a-z]+_[0-9A-Z]{26}", said):
            return known.setdefault(said, f"{said[:3]}_{len(known)}")
        return said

    return [
        (each["kind"], same(each["subject"]), same(each["body"]), each["sentence"])
        for each in story["events"]
    ]


def test_a_set_is_told_as_its_payments_and_commissions_alone_would_be(
    database_url: str, tmp_path: Path
) -> None:
    sets = story_of(database_url, tmp_path / "sets", 1)
    alone = story_of(f"sqlite:///{tmp_path / 'one.db'}", tmp_path / "one", 10**9)
    kinds = [kind for kind, *_ in alone]
    assert (kinds.count("payment_seen"), kinds.count("commission_accrual")) == (1, 1)
    assert sets == alone


def test_commissions_of_a_set_are_a_share_of_each_fee(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "AT_LEAST", 1)
    referrer = refer(house, "papertool", 300_000)
    (procedure,) = house.open_everything()
    for number, cents in (("F-1", 100_00), ("F-3", 123_45)):
        line = line_of(house, [procedure], number)
        house.paper.collect(f"p-{number}", procedure, line, cents, date(2026, 2, 4))
    house.night()
    assert sets_told(house, "commissions_accrued") == 2
    with house.host.store.begin() as tx:
        lines = [line for _, line in earnings.ledger(tx, house.company)]
        fees = {row.id: row.fee for row in tx.execute(select(schema.settlement))}
        assert journal.verify(journal.export(tx, house.company)).ok
    assert {line.referrer_id for line in lines} == {referrer}
    assert {line.settlement_id: line.amount for line in lines} == {
        settlement: half_up(Fraction(fee * 3, 10)) for settlement, fee in fees.items()
    }
    assert sum(balance(lines).values()) == 0
    house.night()
    assert house.count("commission_line") == 2
