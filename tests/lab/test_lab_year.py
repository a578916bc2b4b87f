"""The turn of a year with MyUnisoft: equal every night, and each write-back stands once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from encaisse_lab import year_check, year_told, year_verdict
from encaisse_lab.year import Year, run
from encaisse_lab.year_calendar import TURN
from encaisse_simulator.myunisoft import plain

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SEED = 1


@pytest.fixture(scope="module")
def year() -> Iterator[Year]:
    """Live the first of the two dossiers; the proofs live both."""
    lettering, mode = year_told.DOSSIERS[SEED % 2][0]
    with run(SEED, lettering, mode, TURN) as lived:
        yield lived


def test_every_night_equals_the_books_and_each_entry_stands_once(year: Year) -> None:
    told = year_told.figures(year)
    assert year_told.sound(told), (SEED, told)
    assert told["nights"] == TURN.nights
    assert told["lettered"] > 0
    assert told["lived"]["carried_forward"] == 2
    assert told["lived"]["exercices_closed"] == 1
    assert told["lived"]["partial_letterings"] > 0
    assert told["lived"]["collected"] > 0
    assert (told["drafts"] > 0) == (told["mode"] == "pending")


def test_what_only_the_books_or_only_the_host_knows_is_a_difference(year: Year) -> None:
    customer = year.town.customers[0]
    today = year.clock.today()

    def found() -> list[tuple[str, int]]:
        each = year_check.differences(year.app, year.company_id, year.books, year.town.altered)
        return [(one.account, one.cents) for one in each]

    assert found() == []
    year.books.receive(customer, today, 1_234)
    assert found() == [(customer, 1_234)]
    year.books.give_back(customer, today, 1_234)
    assert found() == []
    year.town.altered[customer] = year.town.altered.get(customer, 0) + 5
    assert found() == [(customer, 5)]
    year.town.altered[customer] -= 5


def test_an_entry_too_many_is_doubled_and_one_too_few_is_lost(year: Year) -> None:
    def judged() -> tuple[list[str], list[str]]:
        verdict = year_verdict.judge(year.app, year.company_id, year.town)
        return verdict.doubled, verdict.lost

    standing = {(plain(move.invoice_number), move.cents) for move in year.books.moves()}
    paid = next(
        each
        for each in year.town.collected
        if (plain(each.bill.number), -each.cents) in standing and not each.went_back
    )
    name = plain(paid.bill.number)
    assert judged() == ([], [])
    paid.verified = False
    assert judged() == ([f"{name} {paid.cents}"], [])
    paid.verified = True
    year.town.collected.append(paid)
    assert judged() == ([], [f"{name} {paid.cents}"])
    year.town.collected.pop()
    assert judged() == ([], [])
