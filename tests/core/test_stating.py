"""Month after month: what is taken back after a statement comes off the next ones, once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from tests.core.houses import House, line_of
from tests.core.test_attribution import refer

from encaisse_core import referrers, stating

INVOICES = 3


def live(house: House, on: date) -> None:
    """Run the night of a day."""
    house.clock.set(datetime(on.year, on.month, on.day, 3, tzinfo=UTC))
    house.night()


def issue(house: House, period: str) -> list[dict[str, Any]]:
    with house.host.store.begin() as tx:
        return [
            stating.issue(house.host, tx, house.company, draft)
            for draft in stating.drafts(house.host, tx, house.company, period)
            if draft.refusal is None
        ]


def refusals(house: House, period: str) -> list[str | None]:
    with house.host.store.begin() as tx:
        return [draft.refusal for draft in stating.drafts(house.host, tx, house.company, period)]


def test_money_taken_back_after_a_statement_comes_off_the_next_ones(house: House) -> None:
    editor = refer(house, "papertool", 1_000_000)
    with house.host.store.begin() as tx:
        told = referrers.Identity(siren="987654324", vat_regime="franchise")
        referrers.identify(house.host, tx, house.company, editor, told)
    opened = house.open_everything()
    for name, number, cents in (("p1", "F-1", 100_00), ("p2", "F-2", 200_00)):
        line = line_of(house, opened, number)
        house.paper.collect(name, opened[0], line, cents, date(2026, 2, 10))
    house.paper.pay_out("v1", ["p1", "p2"], date(2026, 2, 12))
    live(house, date(2026, 2, 12))
    (early,) = refusals(house, "2026-02")
    assert early is not None
    assert "n'est pas fini" in early
    live(house, date(2026, 3, 3))
    (february,) = issue(house, "2026-02")
    assert february["sums"]["excl_vat"] == 30_00
    assert issue(house, "2026-02") == []

    house.paper.reverse("p2", date(2026, 3, 5))
    live(house, date(2026, 3, 5))
    live(house, date(2026, 4, 2))
    house.paper.collect("p3", opened[0], line_of(house, opened, "F-3"), 300_00, date(2026, 4, 3))
    house.paper.pay_out("v2", ["p3"], date(2026, 4, 5))
    live(house, date(2026, 4, 5))
    live(house, date(2026, 5, 2))
    (waits,) = refusals(house, "2026-04")
    assert waits is not None
    assert "2026-03" in waits
    (march,) = issue(house, "2026-03")
    (back,) = march["lines"]
    assert (back["kind"], back["payable"]) == ("clawback", -20_00)
    assert back["corrects"] == february["number"]
    assert (march["sums"]["excl_vat"], march["sums"]["carried"]) == (0, -20_00)
    assert march["invoice"]["mode"] == "nothing_to_invoice"
    (april,) = issue(house, "2026-04")
    assert (april["sums"]["payable"], april["sums"]["brought"]) == (30_00, -20_00)
    assert (april["sums"]["excl_vat"], april["sums"]["carried"]) == (10_00, 0)
    with house.host.store.begin() as tx:
        kept = [row["document"] for row in stating.issued(tx, house.company)]
    assert kept == [february, march, april]
