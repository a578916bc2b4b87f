"""Somebody pays while a procedure is being opened: the money is counted once, whenever it shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from tests.core.houses import House, approve_and_sign, payments

from encaisse_core import chaos, ingest, nightly, stops
from encaisse_core.host import links
from encaisse_core.store import schema

INVOICES = 3
FULL = {"F-1": 100_00, "F-2": 200_00, "F-3": 300_00}
PAID = {"F-1": 30_00, "F-2": 200_00}
"""What customers pay straight to the company meanwhile: a part of one invoice, all of another."""

MOMENTS = (
    "outbox.claim.after_commit",
    "read_invoices",
    "gate.confirm.after_commit",
    "opening.reserve.after_commit",
    "outbox.fence.after_commit",
    "open_procedure",
    "open_procedure.done.after_commit",
)


def look_by_day(house: House) -> None:
    """See by day what the tool shows, as after a hint."""
    with house.host.store.begin() as tx:
        (tool,) = (each for each in links(tx, house.company) if each.connector == "papertool")
    day = nightly.Night(house.company, house.clock.today())
    ingest.pull_invoices(house.host, tool)
    nightly.join(house.host, day)
    nightly.reconcile_money(house.host, day)
    stops.plan_stops(house.host, house.company)


class Overtaking:
    """Let the customers pay and a daytime look see it, once, at a moment of an opening."""

    def __init__(self, house: House, moment: str) -> None:
        self.house, self.moment, self.met, self.opening = house, moment, False, False
        for kind in house.shelf.known.values():
            for name in ("find_procedure", "read_invoices", "open_procedure"):
                if hasattr(kind, name):
                    setattr(kind, name, self._before(name, getattr(kind, name)))

    def _before(self, name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
        def overtaken(*arguments: Any) -> Any:
            self(name)
            return plain(*arguments)

        return overtaken

    def __call__(self, moment: str) -> None:
        if moment == self.moment and self.opening and not self.met:
            self.met = True
            for number, cents in PAID.items():
                self.house.paper.pay(number, cents)
            look_by_day(self.house)


def declared(house: House, number: str) -> int:
    """Sum up what the collector was told was paid directly."""
    e, c = schema.effect.c, schema.claim.c
    with house.host.store.begin() as tx:
        told = tx.execute(
            select(e.payload)
            .join(schema.claim, c.id == e.subject)
            .where(e.kind == "declare_direct_payment", e.state == "done", c.number == number)
        ).scalars()
        return sum(json.loads(payload)["amount"] for payload in told)


def handed(house: House) -> dict[str, int]:
    """Tell of each invoice what the collector was given to claim."""
    return {
        claim.line.invoice_number: claim.line.principal.minor
        for file in house.paper.procedures.values()
        for claim in file.claims
    }


def nothing_is_claimed_twice_or_forgotten(house: House) -> None:
    """Compare what is claimed there with what is owed, once everything was told."""
    given = handed(house)
    assert given["F-3"] == FULL["F-3"]
    for number, cents in FULL.items():
        paid = PAID.get(number, 0)
        assert payments(house, number) == ([("source", paid)] if paid else [])
        if number in given:
            assert given[number] - declared(house, number) == cents - paid, number
        else:
            assert paid == cents, f"{number} was left out"


@pytest.mark.parametrize(
    ("moment", "doubt"),
    [(moment, doubt) for moment in MOMENTS for doubt in (False, True)]
    + [("find_procedure", True)],  # of what was never sent nobody asks
)
def test_what_is_paid_during_an_opening_is_counted_once(
    house: House, moment: str, doubt: bool
) -> None:
    overtaking = Overtaking(house, moment)
    approve_and_sign(house)
    overtaking.opening = True
    house.paper.lose_replies = int(doubt)
    with chaos.hooked(overtaking):
        for _ in range(3):
            house.night()
    assert overtaking.met
    nothing_is_claimed_twice_or_forgotten(house)
