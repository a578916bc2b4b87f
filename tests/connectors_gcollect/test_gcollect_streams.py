"""Streams of changes: durable pages, a cursor that never runs ahead, one bad row set aside."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.connectors_gcollect.counter import (
    answer,
    at_counter,
    html,
    items_of,
    listing,
    payload,
)

from encaisse_api import CursorLost, Drift, PartnerError, Rejected, Since, Token

SEEN = Since(at=datetime(2026, 9, 22, 22, 40, tzinfo=UTC), after_id="pay_70")


def moved(number: int, at: str) -> dict[str, object]:
    return payload("procedure", id=f"prc_{number}", updated_at=at)


def test_a_first_pass_asks_for_everything_and_its_cursor_is_the_last_row() -> None:
    first = listing(
        moved(1, "2026-09-16T02:00:00.000001Z"),
        moved(2, "2026-09-16T02:00:00.000002Z"),
        cursor="c1",
        total=3,
    )
    last = listing(moved(3, "2026-09-17T02:00:00.000000Z"), total=3)
    connector, counter = at_counter(answer(first), answer(last))
    pages = list(connector.pull_progress(None))
    assert [page.end for page in pages] == [False, True]
    assert [[item.remote_id for item in page.items] for page in pages] == [
        ["prc_1", "prc_2"],
        ["prc_3"],
    ]
    assert pages[0].cursor == Since(
        at=datetime(2026, 9, 16, 2, 0, 0, 2, tzinfo=UTC), after_id="prc_2"
    )
    assert pages[1].cursor == Since(at=datetime(2026, 9, 17, 2, tzinfo=UTC), after_id="prc_3")
    assert dict(counter.sent[0].url.params) == {"limit": "100"}
    assert dict(counter.sent[1].url.params) == {"limit": "100", "cursor": "c1"}


def test_a_later_pass_asks_for_what_changed_after_the_last_row() -> None:
    connector, counter = at_counter(answer(listing()))
    list(connector.pull_payments_collected(SEEN))
    params = counter.sent[0].url.params
    assert params["updated_since"] == "2026-09-22T22:40:00Z"
    assert params["after_id"] == "pay_70"


def test_an_empty_page_does_not_move_the_cursor() -> None:
    connector, _ = at_counter(answer(listing()), answer(listing()))
    (page,) = connector.pull_payments_collected(SEEN)
    assert (page.cursor, page.end, page.items) == (SEEN, True, ())
    (untouched,) = connector.pull_payouts(None)
    assert untouched.cursor is None


@pytest.mark.parametrize("since", [Token(value="x"), SEEN.model_copy(update={"version": 2})])
def test_a_cursor_that_is_not_ours_starts_the_stream_again(since: Since | Token) -> None:
    connector, counter = at_counter()
    with pytest.raises(CursorLost):
        list(connector.pull_progress(since))
    assert counter.sent == []


def test_one_bad_row_is_listed_raw_and_the_page_lives() -> None:
    bad = payload("payment", id="pay_bad", amount={"amount": 12.5, "currency": "EUR"})
    rows = listing(payload("payment"), bad, "not a row", payload("payment", id="pay_99"))
    connector, _ = at_counter(answer(rows))
    (page,) = connector.pull_payments_collected(None)
    assert [item.remote_id for item in page.items] == ["pay_70", "pay_99"]
    assert [row.ref for row in page.unreadable] == ["pay_bad", None]
    assert "amount.amount" in page.unreadable[0].reason
    assert '"pay_bad"' in page.unreadable[0].raw
    assert page.end


def test_a_payment_whose_sum_is_wrong_is_set_aside_with_the_reason() -> None:
    wrong = payload("payment", amount={"amount": "1.00", "currency": "EUR"})
    connector, _ = at_counter(answer(listing(wrong)))
    (page,) = connector.pull_payments_collected(None)
    assert not page.items
    assert "somme de ses lignes" in page.unreadable[0].reason


def test_a_payment_without_any_invoice_is_set_aside() -> None:
    connector, _ = at_counter(answer(listing(payload("payment", allocations=[]))))
    (page,) = connector.pull_payments_collected(None)
    assert not page.items
    assert len(page.unreadable) == 1


def test_a_contradictory_payout_is_set_aside() -> None:
    row = payload("payout", net={"amount": "1.00", "currency": "EUR"})
    connector, _ = at_counter(answer(listing(row)))
    (page,) = connector.pull_payouts(None)
    assert (page.items, len(page.unreadable)) == ((), 1)


def test_rows_out_of_order_stop_the_pass_because_the_cursor_would_skip_some() -> None:
    rows = listing(moved(2, "2026-09-17T02:00:00Z"), moved(1, "2026-09-16T02:00:00Z"))
    connector, _ = at_counter(answer(rows))
    with pytest.raises(Drift, match="plus ancienne"):
        list(connector.pull_progress(None))


def test_a_page_lost_on_the_way_leaves_the_pass_without_an_end() -> None:
    first = listing(moved(1, "2026-09-16T02:00:00Z"), cursor="c1", total=2)
    connector, _ = at_counter(answer(first), html(200))
    pages = connector.pull_progress(None)
    assert not next(pages).end
    with pytest.raises(PartnerError):
        next(pages)


def test_fewer_rows_than_announced_never_end_a_pass() -> None:
    connector, _ = at_counter(answer(listing(moved(1, "2026-09-16T02:00:00Z"), total=2)))
    with pytest.raises(Drift, match="1 lignes sur 2"):
        list(connector.pull_progress(None))


def test_a_row_met_twice_because_it_changed_while_paging_is_fine() -> None:
    first = listing(moved(1, "2026-09-16T02:00:00Z"), cursor="c1", total=1)
    again = listing(moved(1, "2026-09-16T02:00:05Z"), total=1)
    connector, _ = at_counter(answer(first), answer(again))
    assert len(items_of(connector.pull_progress(None))) == 2


@pytest.mark.parametrize("stream", ["progress", "payments_collected", "payouts"])
def test_another_creditors_rows_are_left_alone_and_passed_over(stream: str) -> None:
    row = {"progress": "procedure", "payments_collected": "payment", "payouts": "payout"}[stream]
    theirs = payload(row, id="theirs", creditor_id="cre_boussole")
    connector, _ = at_counter(answer(listing(payload(row), theirs)))
    (page,) = getattr(connector, f"pull_{stream}")(None)
    assert len(page.items) == 1
    assert not page.unreadable
    assert page.cursor.after_id == "theirs", "or the next pass would stop at their row for ever"


def test_without_a_chosen_creditor_the_only_one_is_asked_for() -> None:
    connector, counter = at_counter(
        answer(payload("me")), answer(listing(payload("procedure"))), account=None
    )
    assert len(items_of(connector.pull_progress(None))) == 1
    assert counter.sent[0].url.path == "/v1/me"


def test_an_access_to_several_creditors_reads_nothing_until_one_is_chosen() -> None:
    connector, counter = at_counter(answer(payload("me_two_creditors")), account=None)
    with pytest.raises(Rejected, match="Choisissez"):
        list(connector.pull_payments_collected(None))
    assert len(counter.sent) == 1
