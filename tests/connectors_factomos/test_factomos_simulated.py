"""Reading the simulated tool in process, with everything that goes wrong there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import httpx
import pytest
from tests.connectors_factomos.books import KEY, SIREN, TOKEN, Books, payment
from tests.lent import drawn, items

from encaisse_api import Denied, Drift, Missing, Money, Page, Rejected, SourceInvoice, Transient
from encaisse_factomos.connector import FactomosConnector

Connect = Callable[..., FactomosConnector]


def test_every_open_item_comes_and_what_is_settled_does_not(
    books: Books, connector: FactomosConnector
) -> None:
    tool = books.world.factomos
    books.invoice("F-LATER")
    books.invoice("F-PENDING", due=date(2026, 5, 31))
    books.invoice("F-NO-DATE", due=None)
    books.invoice("AC-1", kind="down-payment")
    books.invoice("C-1", -18_000, kind="credit")
    tool.customer_pays(books.invoice("F-PART"), 20_000, date(2026, 4, 1))
    tool.customer_pays(books.invoice("F-PAID"), 120_000, date(2026, 4, 1))
    tool.credit_note(books.invoice("F-CREDITED"), 30_000, date(2026, 4, 1), "AV-1")
    pages, error = drawn(connector)
    assert error is None
    assert [page.end for page in pages][-1] is True
    found = items(pages)
    assert {
        number: (item.kind, item.state, item.open.minor, item.instalments[0].due_date)
        for number, item in found.items()
    } == {
        "F-LATER": ("invoice", "open", 120_000, date(2026, 3, 31)),
        "F-PENDING": ("invoice", "open", 120_000, date(2026, 5, 31)),
        "F-NO-DATE": ("invoice", "open", 120_000, None),
        "AC-1": ("down_payment", "open", 120_000, date(2026, 3, 31)),
        "C-1": ("unallocated_credit", "open", -18_000, None),
        "F-PART": ("invoice", "open", 100_000, date(2026, 3, 31)),
        "F-CREDITED": ("invoice", "open", 90_000, date(2026, 3, 31)),
        "AV-1": ("credit_note", "settled", 0, None),
    }
    assert found["F-CREDITED"].credited == Money.of_minor(30_000)
    later = found["F-LATER"]
    assert (later.debtor.siren, later.debtor.kind) == ("812345676", "company")
    assert (later.seller.siren, later.issue_date) == (SIREN, date(2026, 3, 1))


def test_a_long_list_comes_page_by_page(books: Books, connector: FactomosConnector) -> None:
    for place in range(120):
        books.invoice(f"F-{place:03}")
    pages, error = drawn(connector)
    assert error is None
    assert [(len(page.items), page.end) for page in pages] == [
        (50, False),
        (50, False),
        (20, False),
        (0, True),
    ]


def test_a_customer_is_asked_for_once_however_many_invoices(
    books: Books, connector: FactomosConnector
) -> None:
    for place in range(60):
        books.invoice(f"F-{place:03}")
    drawn(connector)
    # Two pages of contacts (the second empty), four empty lists, and three pages of `later`.
    assert books.world.factomos.calls_today(TOKEN) == 2 + 4 + 3


def test_books_without_any_invoice_are_a_complete_pass(connector: FactomosConnector) -> None:
    assert drawn(connector) == ([Page[SourceInvoice](end=True)], None)


@pytest.mark.parametrize("kind", ["truncated_list", "miscounted_list"])
@pytest.mark.parametrize("nth", [2, 3, 4])
def test_a_list_cut_short_on_any_of_its_pages_never_ends_the_pass(
    books: Books, connector: FactomosConnector, kind: str, nth: int
) -> None:
    for place in range(120):
        books.invoice(f"F-{place:03}")
    # The first request asks for `pending`, which is empty; the next three for `later`.
    books.world.faults.schedule(kind, path="^/invoices$", nth=nth)  # type: ignore[arg-type]
    pages, error = drawn(connector)
    assert books.world.faults.counts[kind] == 1
    assert isinstance(error, Transient | Drift)
    assert not any(page.end for page in pages)


def test_a_short_list_cut_with_a_count_to_match_is_noticed(
    books: Books, connector: FactomosConnector
) -> None:
    books.invoice("F-1")
    books.invoice("F-2")
    books.world.faults.schedule("truncated_list", path="^/invoices$")
    pages, error = drawn(connector)
    assert books.world.faults.counts["truncated_list"] == 1
    assert isinstance(error, Transient)
    assert not any(page.end for page in pages)


def test_a_list_of_customers_cut_short_loses_no_debtor(
    books: Books, connector: FactomosConnector
) -> None:
    for place in range(4):
        books.world.factomos.add_contact(TOKEN, f"Autre {place}")
    books.invoice("F-1")
    books.world.faults.schedule("truncated_list", path="^/contacts$")
    books.world.faults.schedule("5xx", path="^/contacts$", nth=2)
    pages, error = drawn(connector)
    assert error is None
    assert items(pages)["F-1"].debtor.siren == "812345676"


def test_an_invoice_that_moves_on_during_a_pass_is_seen(
    books: Books, connector: FactomosConnector
) -> None:
    for place in range(55):
        books.invoice(f"F-{place:03}", due=date(2026, 4, 14))
    pages = connector.pull_invoices(None)
    first = next(pages)
    assert len(first.items) == 50
    books.world.factomos.customer_pays(books.pids["F-000"], 1_000, date(2026, 4, 14))
    with pytest.raises(Transient) as caught:
        list(pages)
    assert "de 55 à 54 lignes" in caught.value.message


@pytest.mark.parametrize("kind", ["5xx", "lost_reply", "slow", "malformed", "429"])
def test_a_failing_page_ends_nothing(books: Books, connector: FactomosConnector, kind: str) -> None:
    books.invoice("F-1")
    books.world.faults.schedule(kind, path="^/invoices$", nth=2)  # type: ignore[arg-type]
    pages, error = drawn(connector)
    assert isinstance(error, Transient | Drift)
    assert not any(page.end for page in pages)


def test_a_revoked_token_denies_every_call(books: Books, connector: FactomosConnector) -> None:
    pid = books.invoice("F-1")
    books.world.faults.schedule("revoked_token")
    for call in (
        connector.probe,
        lambda: list(connector.pull_invoices(None)),
        lambda: connector.read_invoices([pid]),
        lambda: connector.fetch_document(pid),
        lambda: connector.find_payment(KEY, payment(pid)),
        lambda: connector.record_payment(KEY, payment(pid)),
    ):
        with pytest.raises(Denied):
            call()


def test_a_used_up_quota_waits_for_midnight_in_paris(books: Books, connect: Connect) -> None:
    books.world.factomos.add_company("tok-petit", "812345676", "Autre", daily_calls=1)
    connector = connect(books.transport, token="tok-petit")
    connector.probe()
    with pytest.raises(Transient) as caught:
        connector.probe()
    assert caught.value.retry_after == timedelta(hours=20)


def test_invoices_are_read_again_one_answer_each_in_order(
    books: Books, connector: FactomosConnector
) -> None:
    tool = books.world.factomos
    paid, gone, open_ = (books.invoice(number) for number in ("F-1", "F-2", "F-3"))
    tool.customer_pays(paid, 130_000, date(2026, 4, 1))
    tool.delete_invoice(gone)
    answers = connector.read_invoices([open_, gone, paid, open_])
    assert [answer.ref for answer in answers] == [open_, gone, paid, open_]
    assert [isinstance(answer, Missing) for answer in answers] == [False, True, False, False]
    settled = answers[2]
    assert isinstance(settled, SourceInvoice)
    assert (settled.state, settled.open.minor) == ("settled", -10_000)


def test_a_read_again_equals_the_pull(books: Books, connector: FactomosConnector) -> None:
    books.invoice("F-1")
    pages, _ = drawn(connector)
    assert connector.read_invoices([books.pids["F-1"]]) == [items(pages)["F-1"]]


def test_a_pid_that_is_a_path_stays_one_part_of_the_path(
    books: Books, connector: FactomosConnector
) -> None:
    pid = books.invoice("F-1")
    (answer,) = connector.read_invoices([f"../invoices/{pid}"])
    assert isinstance(answer, Missing)


def test_a_document_is_fetched_byte_for_byte_and_only_where_there_is_one(
    books: Books, connector: FactomosConnector
) -> None:
    with_one = books.invoice("F-1", document=b"%PDF-1.4 essai")
    without = books.invoice("F-2")
    assert connector.fetch_document(with_one).content == b"%PDF-1.4 essai"
    with pytest.raises(Rejected):
        connector.fetch_document(without)


def test_the_probe_says_what_the_tool_cannot(books: Books, connector: FactomosConnector) -> None:
    books.invoice("F-1")
    granted = connector.probe()
    assert granted.siren is None
    assert granted.note is not None
    assert granted.note.startswith("1 facture(s)")


class Spoiling(httpx.BaseTransport):
    """Change one word of the answers on the way."""

    def __init__(self, inner: httpx.BaseTransport, old: str, new: str) -> None:
        self.inner, self.old, self.new = inner, old.encode(), new.encode()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.inner.handle_request(request)
        body = response.read().replace(self.old, self.new)
        return httpx.Response(
            response.status_code,
            headers={"content-type": response.headers["content-type"]},
            content=body,
        )


def test_a_malformed_row_is_set_aside_and_its_page_lives(books: Books, connect: Connect) -> None:
    books.invoice("F-1", 120_000)
    books.invoice("F-2", 240_000)
    connector = connect(Spoiling(books.transport, '"2400.00"', '"2 400,00"'), token=TOKEN)
    pages, error = drawn(connector)
    assert error is None
    assert pages[-1].end
    assert set(items(pages)) == {"F-1"}
    (bad,) = [bad for page in pages for bad in page.unreadable]
    assert bad.ref == books.pids["F-2"]
    assert bad.reason.startswith(
        "Facture F-2 (Factomos) : figures_total_withvat : montant illisible"
    )
    assert "2 400,00" in bad.raw
    with pytest.raises(Drift):
        connector.read_invoices([books.pids["F-2"]])


def test_an_answer_for_another_invoice_is_no_answer(books: Books, connect: Connect) -> None:
    pid = books.invoice("F-1")
    connector = connect(Spoiling(books.transport, pid, "inv_other"), token=TOKEN)
    with pytest.raises(Drift):
        connector.read_invoices([pid])


def test_a_tool_that_refuses_the_page_beyond_the_last_row_has_ended(
    books: Books, connect: Connect
) -> None:
    books.invoice("F-1")

    class Strict(httpx.BaseTransport):
        """Refuse a page beyond the rows, as the older documentation says (code -41)."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.params.get("page") == "2":
                wrong = {"error": {"code": -41, "message": "Invalid parameter page_index"}}
                return httpx.Response(400, json=wrong)
            return books.transport.handle_request(request)

    pages, error = drawn(connect(Strict(), token=TOKEN))
    assert error is None
    assert (set(items(pages)), pages[-1].end) == ({"F-1"}, True)


def test_a_tool_that_ignores_the_status_asked_for_is_noticed(
    books: Books, connect: Connect
) -> None:
    books.invoice("F-1")

    class Deaf(httpx.BaseTransport):
        """Give every row whatever status is asked for."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            request.url = request.url.copy_remove_param("status")
            return books.transport.handle_request(request)

    pages, error = drawn(connect(Deaf(), token=TOKEN))
    assert isinstance(error, Drift)
    assert "deux fois la même page" in error.message
    assert not any(page.end for page in pages)
