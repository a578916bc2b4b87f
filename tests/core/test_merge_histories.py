"""Merges undone at once and later, through random histories of two tools."""

from __future__ import annotations

from random import Random

import pytest
from sqlalchemy import select
from tests.core.houses import House, line_of, open_tasks
from tests.core.merging import (
    changed,
    merge,
    pay,
    second_tool,
    semantic,
    sums,
    unmerge,
)

from encaisse_core.store import schema

pytestmark = pytest.mark.slow

INVOICES = 3


class Twice:
    """Play random money over invoices two tools show under two numbers, and a collector."""

    def __init__(self, house: House, seed: int) -> None:
        self.house, self.random = house, Random(seed)
        self.opened = house.open_everything() if self.random.random() < 0.6 else []
        self.second = second_tool(house)
        self.count = 0
        house.night()

    def act(self) -> None:
        kind = self.random.choice(("first", "second", "both", "back", "collect", "night", "night"))
        n = self.random.randint(1, 3)
        self.count += 1
        cents = self.random.randint(1, 30) * 100 * n + self.count
        if kind == "night":
            self.night()
        elif kind == "collect" and self.opened:
            line = line_of(self.house, self.opened, f"F-{n}")
            on = self.house.clock.today()
            self.house.paper.collect(f"p{self.count}", self.opened[0], line, cents, on)
        elif kind == "back" and self.random.random() < 0.5:
            self.undo(n)
        for paper, number, kinds in (
            (self.house.paper, f"F-{n}", ("first", "both")),
            (self.second, f"X-{n}", ("second", "both")),
        ):
            if kind in kinds and cents <= paper.invoices[f"r-{number}"].open.minor:
                pay(paper, number, cents)

    def undo(self, n: int) -> None:
        """Let the tool that showed it show that the newest direct payment went back."""
        p, s = schema.payment.c, schema.sighting.c
        self.night()
        with self.house.host.store.begin() as tx:
            undone = select(p.reverses).where(p.reverses.is_not(None))
            found = tx.execute(
                select(p.amount, s.number)
                .join(schema.sighting, s.id == p.shown_by)
                .where(p.origin == "source", p.amount > 0, p.id.not_in(undone))
                .where(s.number.in_((f"F-{n}", f"X-{n}")))
                .order_by(p.created_at.desc(), p.id.desc())
            ).first()
        if found is not None:
            paper = self.house.paper if found.number.startswith("F") else self.second
            pay(paper, found.number, -found.amount)
        self.night()

    def night(self) -> None:
        self.house.night()
        for task, kind, _ in open_tasks(self.house):
            if kind == "maybe_same":
                from encaisse_core.cli import answering

                given = answering.Answer("autre argent", "essai", verdict="different")
                answering.answer(self.house.host, self.house.company, task, given)


@pytest.mark.parametrize("seed", range(1, 3))
def test_a_merge_undone_at_once_leaves_the_store_as_it_was(house: House, seed: int) -> None:
    played = Twice(house, seed)
    for _ in range(played.random.randint(2, 10)):
        played.act()
    played.night()
    for n in (1, 2, 3):
        if house.claim(f"F-{n}")["hold"] or house.claim(f"X-{n}")["hold"]:
            continue
        before = semantic(house)
        merge_id = merge(house, f"F-{n}", f"X-{n}")
        sums(house)
        unmerge(house, merge_id)
        assert changed(before, semantic(house)) == [], f"seed {seed}, F-{n}"


@pytest.mark.parametrize("seed", range(101, 103))
def test_a_merge_undone_later_gives_each_claim_what_its_own_tool_says(
    house: House, seed: int
) -> None:
    played = Twice(house, seed)
    for _ in range(played.random.randint(0, 5)):
        played.act()
    played.night()
    made = {}
    for n in (1, 2, 3):
        if not house.claim(f"F-{n}")["hold"] and not house.claim(f"X-{n}")["hold"]:
            made[n] = merge(house, f"F-{n}", f"X-{n}")
    for _ in range(played.random.randint(1, 6)):
        played.act()
        sums(house)
    played.night()
    for merge_id in made.values():
        unmerge(house, merge_id)
    for _ in range(3):
        played.night()
        sums(house)
    for n in made:
        held = house.claim(f"F-{n}")["hold"], house.claim(f"X-{n}")["hold"]
        shown = (
            house.paper.invoices[f"r-F-{n}"].open.minor,
            played.second.invoices[f"r-X-{n}"].open.minor,
        )
        owed = house.claim(f"F-{n}")["open"], house.claim(f"X-{n}")["open"]
        told = f"seed {seed}, {n}: owed {owed}, tools show {shown}, held {held}"
        for is_held, there, here in zip(held, shown, owed, strict=True):
            if is_held is None:
                assert max(0, there) == here, told
