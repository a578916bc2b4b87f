"""Tell the stories of money a tool shows and a collector names: what tests of both orders share."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from tests.core.houses import House, add_tool, answer, line_of, open_tasks, payments
from tests.core.paper import Paper

from encaisse_api import Money, RecordsPayments, Transient
from encaisse_core import accounting, routing
from encaisse_core.store import schema


def unheard(house: House) -> list[bool]:
    """Let the collector name no payment for as long as what is returned holds True."""
    kind = house.shelf.known["papercollector"]
    pull: Callable[..., Any] = kind.pull_payments_collected  # type: ignore[attr-defined]
    down = [True]

    def pull_or_fail(self: Any, since: Any) -> Any:
        if down[0]:
            raise Transient("en panne")
        return pull(self, since)

    kind.pull_payments_collected = pull_or_fail  # type: ignore[attr-defined]
    return down


def tomorrow(house: House) -> date:
    return (house.clock.now() + timedelta(days=1)).date()


def collected(house: House, number: str, cents: int) -> list[str]:
    """Open everything and let the collector receive some of an invoice; give the procedures."""
    opened = house.open_everything()
    house.paper.collect("p1", opened[0], line_of(house, opened, number), cents, tomorrow(house))
    return opened


def declared(house: House) -> int:
    return sum(kind == "direct_payment" for kind, _, _ in house.paper.stops)


def declared_cents(house: House) -> int:
    """Add what the collector was told the company received."""
    e = schema.effect.c
    with house.host.store.begin() as tx:
        query = select(e.payload).where(e.kind == "declare_direct_payment", e.state == "done")
        return sum(json.loads(payload)["amount"] for payload in tx.execute(query).scalars())


def kinds(house: House) -> set[str]:
    return {kind for _, kind, _ in open_tasks(house)}


def sentences(house: House, kind: str) -> list[str]:
    t = schema.task.c
    with house.host.store.begin() as tx:
        query = select(t.sentence).where(t.kind == kind, t.done_at.is_(None)).order_by(t.id)
        return list(tx.execute(query).scalars())


def typed_first(house: House, cents: int = 40_00, typed: int = 40_00) -> list[str]:
    """Let somebody type a collector's payment in while the collector cannot be read."""
    opened = house.open_everything()
    down = unheard(house)
    line = line_of(house, opened, "F-2")
    house.paper.collect("p1", opened[0], line, cents, tomorrow(house))
    house.paper.pay("F-2", typed)
    house.night()
    assert payments(house, "F-2") == [("source", typed)]
    assert declared(house) == 0, "it may be the collector's own, which could not be asked"
    down[0] = False
    house.night()
    return opened


def said_again(house: House, **changed: Any) -> None:
    """Let the collector say something else of its payment; it is read at the next night."""
    was = house.paper.collected["p1"]
    now = house.clock.now() + timedelta(hours=1)
    house.paper.collected["p1"] = was.model_copy(update=changed | {"updated_at": now})


def said_amount(house: House, cents: int) -> None:
    """Let the collector say another amount of its payment, all of it principal."""
    money = Money.of_minor(cents)
    said_again(house, amount=money, principal=money)


def hand_over(house: House) -> accounting.Handed:
    bank = accounting.Destination(code="BQ", name="Banque")
    with house.host.store.begin() as tx:
        return accounting.hand_over(house.host, tx, house.company, bank)


def moved_to(house: House, opened: list[str], number: str) -> None:
    line = line_of(house, opened, number)
    said_again(house, claim_ref=line.claim_id, invoice_number=number)


def two_tools(house: House, target: str) -> dict[str, Paper]:
    """Connect a second tool, and say which of the two our entries are written into."""
    papers = {"papertool": house.paper, "othertool": add_tool(house)}
    answer_routing(house, target)
    return papers


def answer_routing(house: House, target: str) -> None:
    """Say which tool our entries are written into."""
    with house.host.store.begin() as tx:
        among = routing.candidates(house.host, tx, house.company, RecordsPayments)
        chosen = next(each.id for each in among if each.connector == target)
        routing.answer(
            house.host,
            tx,
            house.company,
            "record_payment",
            chosen,
            decided_by="essai",
            among=among,
        )


def failing(papers: dict[str, Paper], *, until: bool) -> None:
    for paper in papers.values():
        paper.bug = ZeroDivisionError("x") if until else None


def asked_of_the_tool(house: House) -> list[str]:
    """Let the collector name a payment that cannot be written, and a tool show an equal one."""
    opened = house.open_everything()
    house.paper.bug = ZeroDivisionError("x")
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, tomorrow(house))
    house.paper.pay("F-2", 40_00)
    house.night()
    assert house.claim("F-2")["hold"] == "maybe_same"
    return opened


def the_same_then(house: House) -> tuple[int, int]:
    """Say it is the same, let the tool be written to again: what the claim owes, and the tool."""
    answer(house, "maybe_same", verdict="same")
    house.paper.bug = None
    for _ in range(3):
        house.night()
    assert declared(house) == 0
    assert sentences(house, "maybe_same") == []
    return house.claim("F-2")["open"], house.paper.invoices["r-F-2"].open.minor
