"""Nights on which a collector corrects what it said of payments, fees and payouts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.core.houses import (
    House,
    line_of,
    open_tasks,
)
from tests.core.paper import invoice

from encaisse_api import (
    Money,
)
from encaisse_core import (
    proposals,
    referrers,
)
from encaisse_core.store import schema


def test_a_payout_that_changed_before_it_was_executed_is_posted_as_executed(house: House) -> None:
    opened = house.open_everything()
    for name, number in (("p1", "F-1"), ("p2", "F-2")):
        house.paper.collect(
            name, opened[0], line_of(house, opened, number), 50_00, date(2026, 2, 5)
        )
    house.paper.pay_out("v1", ["p1"], date(2026, 2, 7))
    house.paper.payouts["v1"] = house.paper.payouts["v1"].model_copy(
        update={"state": "scheduled", "executed_on": None}
    )
    house.night()
    house.paper.pay_out("v1", ["p1", "p2"], date(2026, 2, 8))
    house.night()
    v = schema.voucher_line.c
    with house.host.store.begin() as tx:
        credited = tx.execute(select(func.sum(v.credit)).where(v.account == "411")).scalar_one()
    assert credited == 100_00


def referred(house: House, rate: int = 1_000_000) -> None:
    with house.host.store.begin() as tx:
        made = referrers.add(house.host, tx, house.company, "Éditeur", "editor")
        agreed = referrers.Agreed(rate, house.clock.today())
        referrers.agree(house.host, tx, house.company, made, agreed)
        c = schema.connection
        tx.execute(c.update().where(c.c.connector == "papertool").values(referrer_id=made))


def test_a_commission_follows_a_fee_that_was_lowered(house: House) -> None:
    referred(house)
    opened = house.open_everything()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-1"), 50_00, date(2026, 2, 5))
    house.night()
    house.paper.collected["p1"] = house.paper.collected["p1"].model_copy(
        update={"fee": Money.of_minor(2_00)}
    )
    house.night()
    c = schema.commission_line.c
    with house.host.store.begin() as tx:
        earned = tx.execute(select(func.sum(c.amount)).where(c.kind != "payable")).scalar_one()
    assert earned <= 2_00


def test_a_payment_rejected_after_all_is_undone_and_clawed_back(house: House) -> None:
    referred(house)
    opened = house.open_everything()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-1"), 50_00, date(2026, 2, 5))
    house.night()
    house.paper.collected["p1"] = house.paper.collected["p1"].model_copy(
        update={"state": "rejected"}
    )
    house.night()
    assert house.claim("F-1")["open"] == 100_00


def test_a_payment_corrected_at_the_collector_is_corrected_here(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-1")
    house.paper.collect("p1", opened[0], line, 50_00, date(2026, 2, 5))
    house.night()
    house.paper.collect("p1", opened[0], line, 30_00, date(2026, 2, 5))
    house.night()
    assert house.claim("F-1")["open"] == 70_00 or house.tasks() or house.count("difference")


def test_nothing_is_accrued_while_it_may_be_the_same_money(house: House) -> None:
    referred(house)
    opened = house.open_everything()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, date(2026, 2, 5))
    house.paper.pay("F-2", 40_00)
    house.night()
    assert house.claim("F-2")["hold"] == "maybe_same"
    assert house.count("commission_line") == 0


@pytest.mark.parametrize("field", ["principal", "fee"])
def test_one_odd_payment_does_not_end_the_companys_night(house: House, field: str) -> None:
    referred(house)
    opened = house.open_everything()
    line = line_of(house, opened, "F-1")
    house.paper.collect("p1", opened[0], line, 50_00, date(2026, 2, 5))
    odd = {field: Money.of_minor(-10_00)}
    if field == "principal":
        odd["amount"] = Money.of_minor(-10_00)
    house.paper.collected["p1"] = house.paper.collected["p1"].model_copy(update=odd)
    house.paper.pay("F-2", 200_00)
    house.night()
    assert [kind for kind, _, _ in house.paper.stops] == ["direct_payment"]


def test_one_invoice_without_a_figure_in_its_number_blocks_no_other(house: House) -> None:
    known = invoice("F-9", 90_00)
    house.paper.add(known.model_copy(update={"number": "SOLDE", "ref": "r-solde"}))
    house.night()
    assert proposals.propose(house.host, house.company)


def test_a_payment_that_went_back_and_came_again_counts(house: House) -> None:
    opened = house.open_everything()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-1"), 50_00, date(2026, 2, 5))
    house.night()
    house.paper.reverse("p1", date(2026, 2, 6))
    house.night()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-1"), 50_00, date(2026, 2, 5))
    house.night()
    assert house.claim("F-1")["open"] == 50_00 or open_tasks(house) or house.count("difference")


def test_what_a_payout_says_of_a_payment_nobody_could_read_waits(house: House) -> None:
    """411 would be credited with interest and indemnity: only principal touches it."""
    opened = house.open_everything()
    line = line_of(house, opened, "F-1")
    house.paper.collect("p1", opened[0], line, 140_00, date(2026, 2, 5))
    house.paper.collected["p1"] = house.paper.collected["p1"].model_copy(
        update={"principal": Money.of_minor(100_00), "indemnity": Money.of_minor(40_00)}
    )
    house.paper.pay_out("v1", ["p1"], date(2026, 2, 7))
    paid = house.paper.collected.pop("p1")  # set aside as unreadable tonight
    house.night()
    house.paper.collected["p1"] = paid
    house.night()
    v = schema.voucher_line.c
    with house.host.store.begin() as tx:
        credited = tx.execute(select(func.sum(v.credit)).where(v.account == "411")).scalar_one()
    assert credited == 100_00


def test_too_much_paid_directly_is_declared_for_what_it_settles(house: House) -> None:
    house.open_everything()
    kind = house.shelf.known["papercollector"]
    said: list[int] = []
    declare: Callable[..., Any] = kind.declare_direct_payment  # type: ignore[attr-defined]

    def hear(self: Any, key: str, payment: Any) -> Any:
        said.append(payment.amount.minor)
        return declare(self, key, payment)

    kind.declare_direct_payment = hear  # type: ignore[attr-defined]
    house.paper.pay("F-1", 150_00)
    house.night()
    assert said == [100_00]
