"""Random nights of a collector that takes no declarations: it ends up claiming what is owed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select
from tests.core.houses import House, answer, nights
from tests.core.paper import invoice
from tests.core.stops_told import undeclaring
from tests.counts import examples

from encaisse_api import Money, OutcomeUnknown, Transient
from encaisse_core.clock import VirtualClock
from encaisse_core.store import schema

pytestmark = pytest.mark.slow

TOTAL, NUMBER = 200_00, "F-2"
AMOUNTS = (31_07, 17_03, 23_09, 41_13, 27_19, 11_01)
"""No sum or difference of some of these is another one."""

MOVES = {"pay", "gone", "credit"}
FAULTS = ("", "", "", "mute", "lost before", "lost after")


class Lowered:
    """Be a collector that is lowered, the tool that causes it, and the person who calls."""

    def __init__(self, house: House, r: Random) -> None:
        self.house, self.r = house, r
        self.claims, self.credited, self.fault, self.deaf = TOTAL, 0, "", False
        self.forgiving = r.random() < 0.5
        self.paid: list[int] = []
        self.left = r.sample(AMOUNTS, len(AMOUNTS))
        self.log: list[str] = []
        kind: Any = house.shelf.known["papercollector"]
        amend, find = kind.amend, kind.find_amendment

        def amended(there: Any, key: str, told: Any) -> Any:
            if self.fault == "mute":
                raise Transient("en panne")
            if self.fault == "lost before":
                raise OutcomeUnknown("coupure")
            self.heard(told.principal.minor)
            receipt = amend(there, key, told)
            if self.fault == "lost after":
                raise OutcomeUnknown("coupure")
            return receipt

        def found(there: Any, key: str, told: Any) -> Any:
            if self.deaf:
                raise Transient("en panne")
            return find(there, key, told)

        kind.amend, kind.find_amendment = amended, found

    def heard(self, principal: int) -> None:
        """Hear a lowering; nothing else is one."""
        self.log.append(f"told {principal}, claims {self.claims}")
        assert principal <= self.claims, "\n".join(self.log)
        self.claims = principal

    def show(self) -> None:
        """Let the tool show what was paid and credited by now."""
        paid = sum(self.paid) + self.credited
        changed = {"credited": Money.of_minor(self.credited)}
        self.house.paper.add(invoice(NUMBER, TOTAL, paid=paid).model_copy(update=changed))

    def happen(self, night: set[str]) -> None:
        """Let one thing happen, or nothing.

        Of two movements of money in one day the tool shows the sum, which a person is asked about.
        """
        what = self.r.choice(["pay", "pay", "gone", "credit", "fault", "deaf", "call", ""])
        if what in MOVES and night & MOVES:
            return
        night.add(what)
        if what == "pay" and self.left:
            self.paid.append(self.left.pop())
        elif what == "gone" and self.paid:
            self.left.append(self.paid.pop(self.r.randrange(len(self.paid))))
        elif what == "credit" and self.left:
            self.credited += self.left.pop()
        elif what == "fault":
            self.fault = self.r.choice(FAULTS)
        elif what == "deaf":
            self.deaf = not self.deaf
        elif what == "call":
            self.call()
        self.log.append(f"{what}: paid {self.paid}, {self.credited} credited, {self.fault}")
        self.show()

    def call(self) -> None:
        """Have the collector claim what is asked for, or leave it where it claims more."""
        t = schema.task.c
        query = select(t.about).where(t.kind == "told_and_gone", t.done_at.is_(None))
        with self.house.host.store.begin() as tx:
            found = tx.execute(query).scalars().all()
        for about in found:
            asked = json.loads(about)["principal"]
            self.claims = max(self.claims, asked) if self.forgiving else asked
            answer(self.house, "told_and_gone")
            self.log.append(f"called: claims {self.claims}")


@pytest.mark.parametrize("seed", range(examples(12)))
def test_a_collector_ends_up_claiming_what_is_owed(tmp_path: Path, seed: int) -> None:
    r = Random(f"lowered {seed}")
    house = undeclaring(tmp_path, VirtualClock(datetime(2026, 2, 1, 19, tzinfo=UTC)))
    house.open_everything()
    there = Lowered(house, r)
    for _ in range(r.randint(4, 12)):
        tonight = set[str]()
        for _ in range(r.randint(0, 2)):
            there.happen(tonight)
        house.night()
    there.fault, there.deaf = "", False
    nights(house, 3)
    there.call()
    nights(house, 2)
    owed = TOTAL - sum(there.paid) - there.credited
    told = "\n".join([f"seed {seed}: {owed} is owed, {there.claims} claimed", *there.log])
    assert house.claim(NUMBER)["open"] == owed, told
    assert there.claims == owed, told
    house.app.close()
