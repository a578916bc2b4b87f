"""Reading the simulated tool in process, with everything that goes wrong there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from tests.connectors_libeo.books import (
    KEY,
    Books,
    last_cursor,
)
from tests.lent import drawn, items

from encaisse_api import (
    Denied,
    Drift,
    Missing,
    Page,
    Rejected,
    Removed,
    SourceInvoice,
    Transient,
)
from encaisse_libeo.connector import LibeoConnector

Connect = Callable[..., LibeoConnector]
Payload = Callable[[str], dict[str, Any]]
DAY = date(2026, 4, 10)


def test_everything_that_stands_comes_first_and_then_only_what_changed(
    books: Books, connector: LibeoConnector
) -> None:
    tool = books.world.libeo
    sale = books.sale("F-1")
    books.sale("F-2")
    purchase = books.purchase("A-1")
    pages, error = drawn(connector)
    assert error is None and pages[-1].end
    assert {number: item.direction for number, item in items(pages).items()} == {
        "F-1": "receivable",
        "F-2": "receivable",
        "A-1": "payable",
    }
    books.world.advance(timedelta(hours=1))
    tool.customer_pays(sale, 20_000, DAY)
    tool.schedule_payment(purchase, date(2026, 4, 20))
    again, error = drawn(connector, last_cursor(pages))
    assert error is None
    told = items(again)
    assert (told["F-1"].open.minor, told["F-1"].state) == (100_000, "open")
    assert told["A-1"].flags == {"promise_to_pay"}
    books.world.advance(timedelta(days=1))
    quiet, _ = drawn(connector, last_cursor(again))
    assert set(items(quiet)) == {"F-1", "A-1"}  # the last instant is read again, nothing older
    assert last_cursor(quiet) == last_cursor(again)


def test_a_sale_goes_through_its_life(books: Books, connector: LibeoConnector) -> None:
    tool, sale = books.world.libeo, books.sale("F-1")
    seen = list[tuple[str, int, int]]()

    def look() -> None:
        (found,) = connector.read_invoices([sale])
        assert isinstance(found, SourceInvoice) and found.credited is not None
        seen.append((found.state, found.open.minor, found.credited.minor))

    look()
    tool.customer_pays(sale, 50_000, DAY)
    look()
    tool.credit_note(sale, 20_000, DAY)
    look()
    tool.customer_pays(sale, 50_000, DAY)
    look()
    tool.undo_payment(sale, 50_000, DAY)
    look()
    assert seen == [
        ("open", 120_000, 0),
        ("open", 70_000, 0),
        ("open", 50_000, 20_000),
        ("settled", 0, 20_000),
        ("open", 50_000, 20_000),
    ]


def test_a_supplier_s_payment_is_promised_then_in_flight_then_made(
    books: Books, connector: LibeoConnector
) -> None:
    purchase = books.purchase("A-1", status="À payer")
    books.world.libeo.schedule_payment(purchase, date(2026, 4, 16))
    told = list[tuple[str, frozenset[str]]]()
    for _ in range(3):
        (found,) = connector.read_invoices([purchase])
        assert isinstance(found, SourceInvoice)
        told.append((found.state, found.flags))
        books.world.advance(timedelta(days=2))
    assert told == [
        ("open", {"promise_to_pay"}),
        ("open", {"payment_in_flight"}),
        ("settled", frozenset()),
    ]


def test_a_deleted_invoice_is_told_once_and_missing_afterwards(
    books: Books, connector: LibeoConnector
) -> None:
    sale = books.sale("F-1")
    pages, _ = drawn(connector)
    books.world.advance(timedelta(minutes=5))
    books.world.libeo.delete_invoice(sale)
    after, error = drawn(connector, last_cursor(pages))
    assert error is None
    assert [gone for page in after for gone in page.removed] == [
        Removed(ref=sale, reason="deleted")
    ]
    assert connector.read_invoices([sale]) == [Missing(ref=sale)]


def test_a_long_list_comes_page_by_page(books: Books, connector: LibeoConnector) -> None:
    for place in range(120):
        books.sale(f"F-{place:03}")
    pages, error = drawn(connector)
    assert error is None
    assert [(len(page.items), page.end) for page in pages] == [
        (50, False),
        (50, False),
        (20, True),
    ]
    assert books.world.libeo.calls_today(KEY) == 3


def test_an_account_without_any_invoice_is_a_complete_pass(connector: LibeoConnector) -> None:
    assert drawn(connector) == ([Page[SourceInvoice](end=True)], None)


def test_an_invoice_that_moves_during_a_pass_is_met_twice_and_never_missed(
    books: Books, connector: LibeoConnector
) -> None:
    ids = [books.sale(f"F-{place:03}") for place in range(60)]
    pull = connector.pull_invoices(None)
    first = next(pull)
    books.world.advance(timedelta(minutes=1))
    books.world.libeo.customer_pays(ids[0], 1_000, DAY)
    rest = list(pull)
    assert rest[-1].end
    assert items([first])["F-000"].open.minor == 120_000
    assert items([first, *rest])["F-000"].open.minor == 119_000
    assert len(items([first, *rest])) == 60


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_list_cut_against_its_count_never_ends_the_pass(
    books: Books, connector: LibeoConnector, nth: int
) -> None:
    for place in range(120):
        books.sale(f"F-{place:03}")
    books.world.faults.schedule("miscounted_list", nth=nth)
    pages, error = drawn(connector)
    assert isinstance(error, Drift)
    assert not any(page.end for page in pages)


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_list_cut_with_a_count_to_match_loses_a_night_and_nothing_else(
    books: Books, connector: LibeoConnector, nth: int
) -> None:
    for place in range(120):
        books.sale(f"F-{place:03}")
        books.world.advance(timedelta(seconds=1))
    books.world.faults.schedule("truncated_list", nth=nth)
    short, error = drawn(connector)
    assert error is None and books.world.faults.counts["truncated_list"] == 1
    assert len(items(short)) < 120
    rest, error = drawn(connector, last_cursor(short))
    assert error is None
    assert set(items(short)) | set(items(rest)) == {f"F-{place:03}" for place in range(120)}


@pytest.mark.parametrize("kind", ["5xx", "lost_reply", "slow", "malformed", "429"])
def test_a_failing_page_ends_nothing(books: Books, connector: LibeoConnector, kind: str) -> None:
    for place in range(60):
        books.sale(f"F-{place:03}")
    books.world.faults.schedule(kind, nth=2)  # type: ignore[arg-type]
    pages, error = drawn(connector)
    assert isinstance(error, Transient | Drift)
    assert not any(page.end for page in pages)
    rest, error = drawn(connector, last_cursor(pages))
    assert error is None
    assert len(items(pages) | items(rest)) == 60


def test_under_any_faults_a_pass_that_ends_has_read_everything(connect: Connect) -> None:
    from tests.connectors_libeo.books import open_books

    ended = 0
    for seed in range(40):
        books = open_books()
        books.world.faults.chooser.seed(seed)
        for place in range(70):
            books.sale(f"F-{place:03}")
        books.world.faults.draw({"5xx": 0.1, "malformed": 0.1, "miscounted_list": 0.2})
        pages, error = drawn(connect(books.transport))
        if error is None:
            ended += 1
            assert len(items(pages)) == 70, f"seed {seed}"
        else:
            assert not any(page.end for page in pages), f"seed {seed}"
    assert 0 < ended < 40


def test_a_revoked_key_denies_every_call(books: Books, connector: LibeoConnector) -> None:
    sale = books.sale("F-1")
    books.world.faults.schedule("revoked_token")
    for call in (
        connector.probe,
        lambda: list(connector.pull_invoices(None)),
        lambda: connector.read_invoices([sale]),
        lambda: connector.fetch_document(sale),
    ):
        with pytest.raises(Denied):
            call()


def test_a_request_to_slow_down_is_obeyed(books: Books, connector: LibeoConnector) -> None:
    books.world.faults.retry_after = 90
    books.world.faults.schedule("429")
    with pytest.raises(Transient) as caught:
        connector.probe()
    assert caught.value.retry_after == timedelta(seconds=90)


def test_invoices_are_read_again_one_answer_each_in_order(
    books: Books, connector: LibeoConnector
) -> None:
    one, two = books.sale("F-1"), books.purchase("A-1")
    pages, _ = drawn(connector)
    found = items(pages)
    assert connector.read_invoices([two, "inv_none", one, two]) == [
        found["A-1"],
        Missing(ref="inv_none"),
        found["F-1"],
        found["A-1"],
    ]


def test_an_id_that_is_a_path_stays_one_part_of_the_path(
    books: Books, connector: LibeoConnector
) -> None:
    sale = books.sale("F-1")
    strange = f"../invoices/{sale}"
    assert connector.read_invoices([strange]) == [Missing(ref=strange)]


def test_a_document_is_fetched_byte_for_byte_and_only_where_there_is_one(
    books: Books, connector: LibeoConnector
) -> None:
    tool = books.world.libeo
    said = (KEY, "F-1", "Client", "812345676", DAY, DAY, 100)
    pdf = tool.add_receivable(*said, document=b"%PDF-1.4 essai")
    xml = tool.add_receivable(*said, document=b"<?xml version='1.0'?><Invoice/>")
    found = connector.fetch_document(pdf)
    assert (found.content, found.filename) == (b"%PDF-1.4 essai", f"{pdf}.pdf")
    assert connector.fetch_document(xml).media_type == "application/xml"
    with pytest.raises(Rejected):
        connector.fetch_document(books.sale("F-2"))
