"""Nights on which money is told twice, late or corrected: it stays counted once."""

from __future__ import annotations

import contextlib
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.core.houses import (
    House,
    add_tool,
    answer,
    line_of,
    make,
    payments,
)
from tests.core.paper import invoice

from encaisse_api import Money, ProcedureState
from encaisse_core import (
    ingest,
    nightly,
    observed,
    proposals,
    reconcile,
)
from encaisse_core.clock import VirtualClock
from encaisse_core.host import links
from encaisse_core.store import schema


def test_nothing_is_written_while_it_may_be_the_same_money(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-2")
    house.paper.collect("p1", opened[0], line, 40_00, date(2026, 2, 5))
    house.paper.pay("F-2", 40_00)  # somebody typed the collector's payment in by hand
    house.night()
    assert house.claim("F-2")["hold"] == "maybe_same"
    assert house.paper.written == []  # "rien n'est inscrit avant votre réponse"


def test_what_a_night_read_before_it_died_is_not_proposed_again(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-2")
    house.paper.collect("p1", opened[0], line, 200_00, date(2026, 2, 5))
    closed = datetime(2026, 2, 5, 13, tzinfo=UTC)
    house.paper.states[opened[0]] = ProcedureState(
        remote_id=opened[0], state="closed", updated_at=closed
    )
    nightly.pull(house.host, nightly.Night(house.company, house.clock.today()))
    assert proposals.propose(house.host, house.company) == [], "its list may have been cut short"
    house.clock.sleep(timedelta(days=1).total_seconds())
    nightly.pull(house.host, nightly.Night(house.company, house.clock.today()))
    made = proposals.propose(house.host, house.company)
    with house.host.store.begin() as tx:
        p = schema.proposal.c
        annexes = list(tx.execute(select(p.annex).where(p.id.in_(made))).scalars())
    assert annexes, "what else the closed procedure had is proposed"
    assert not any('"F-2"' in annex for annex in annexes)


def test_said_to_be_the_same_money_it_is_not_written_again(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-2")
    # the write-back cannot go out tonight, so that only the answer decides
    house.paper.bug = ZeroDivisionError("x")
    house.paper.collect("p1", opened[0], line, 40_00, date(2026, 2, 5))
    house.paper.pay("F-2", 40_00)
    house.night()
    house.paper.bug = None
    answer(house, "maybe_same", verdict="same")
    house.night()
    house.night()
    assert house.paper.written == []
    assert house.paper.invoices["r-F-2"].open.minor == 160_00


@pytest.mark.slow
def test_an_unanswered_question_does_not_answer_itself_after_ten_days(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-2")
    house.paper.collect("p1", opened[0], line, 40_00, date(2026, 2, 5))
    house.night()
    house.paper.pay("F-2", 40_00)
    for _ in range(14):
        house.night()
    assert payments(house, "F-2") == [("collector", 40_00)]
    assert house.claim("F-2")["open"] == 160_00


def test_different_money_shown_by_two_tools_is_one_payment(house: House) -> None:
    second = add_tool(house)
    opened = house.open_everything()
    line = line_of(house, opened, "F-4")
    house.paper.collect("p1", opened[0], line, 50_00, date(2026, 2, 5))
    house.paper.pay("F-4", 50_00)
    second.pay("F-4", 50_00)  # one direct transfer, both tools show it
    house.night()
    answer(house, "maybe_same", verdict="different")
    assert sorted(payments(house, "F-4")) == [("collector", 50_00), ("source", 50_00)]


def test_one_tool_that_is_a_night_late_does_not_double_the_money(house: House) -> None:
    second = add_tool(house)
    house.night()
    house.paper.pay("F-8", 100_00)
    house.night()
    house.paper.pay("F-8", 150_00)
    second.pay("F-8", 250_00)  # the second tool catches up with both at once
    house.night()
    assert sum(cents for _, cents in payments(house, "F-8")) == 250_00
    assert house.claim("F-8")["open"] == 550_00


def test_a_correction_both_tools_make_is_no_payment(house: House) -> None:
    second = add_tool(house)
    house.night()
    house.paper.add(invoice("F-4", 350_00))
    second.add(invoice("F-4", 350_00))
    house.night()
    assert payments(house, "F-4") == []
    assert house.claim("F-4")["open"] == 350_00


def test_a_cancelled_invoice_is_not_a_payment(house: House) -> None:
    house.open_everything()
    known = house.paper.invoices["r-F-2"]
    nothing = Money.of_minor(0)
    parts = tuple(i.model_copy(update={"open": nothing}) for i in known.instalments)
    house.paper.add(
        known.model_copy(update={"state": "cancelled", "open": nothing, "instalments": parts})
    )
    house.night()
    assert payments(house, "F-2") == []
    assert [kind for kind, _, _ in house.paper.stops] == ["withdraw"]


def test_two_workers_recognise_a_payment_once_on_postgresql(
    request: pytest.FixtureRequest, tmp_path: Path, clock: VirtualClock, monkeypatch: Any
) -> None:
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from conftest import fresh_postgres

    house = make(fresh_postgres(request), tmp_path, clock)
    try:
        house.night()
        house.paper.pay("F-8", 100_00)
        clock.sleep(60)
        with house.host.store.begin() as tx:
            tool = next(each for each in links(tx, house.company) if each.connector == "papertool")
        ingest.pull_invoices(house.host, tool)
        barrier = threading.Barrier(2, timeout=10)
        real = observed._different

        def together(*args: Any) -> Any:
            found = real(*args)
            with contextlib.suppress(threading.BrokenBarrierError):
                barrier.wait(3)
            return found

        monkeypatch.setattr(observed, "_different", together)
        errors: list[BaseException] = []

        def work() -> None:
            try:
                reconcile.reconcile(house.host, house.company)
            except BaseException as error:
                errors.append(error)

        workers = [threading.Thread(target=work) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert payments(house, "F-8") == [("source", 100_00)], errors
    finally:
        house.app.close()
