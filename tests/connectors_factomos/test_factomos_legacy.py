"""The older interface in process: the same facts as REST v1, its refusals, its blind write."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.connectors_factomos.books import KEY, TOKEN, payment
from tests.connectors_factomos.legacy_books import LegacyBooks, context, open_legacy_books

from encaisse_api import (
    CursorLost,
    Denied,
    Drift,
    Missing,
    Money,
    OutcomeUnknown,
    PartnerError,
    Receipt,
    Rejected,
    Reminder,
    Since,
    SourceInvoice,
    Token,
    Transient,
)
from encaisse_factomos.connector import FactomosConnector
from encaisse_lab.record_factomos import LEGACY_TOKEN

LATER = date(2026, 3, 31)


@pytest.fixture
def legacy() -> LegacyBooks:
    return open_legacy_books()


def pulled(connector: Any, since: Any = None) -> dict[str, SourceInvoice]:
    pages = list(connector.pull_invoices(since))
    assert pages[-1].end
    assert not any(page.unreadable for page in pages)
    return {item.number: item for page in pages for item in page.items}


def facts(found: dict[str, SourceInvoice]) -> dict[str, object]:
    """Give what both interfaces must agree on: everything but ids, documents and cards."""
    return {
        number: (
            item.kind,
            item.state,
            item.issue_date,
            item.total,
            item.open,
            item.credited,
            [(part.due_date, part.amount, part.open) for part in item.instalments],
            item.debtor.name,
            item.seller,
        )
        for number, item in found.items()
    }


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["invoice", "down-payment", "credit"]),
        st.integers(1, 500_000),  # cents
        st.sampled_from([None, -400, -30, -1, 0, 1, 30]),  # days from today to the due date
        st.sampled_from(["", "part", "all", "over", "credited", "all credited"]),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(MOVES)
def test_both_interfaces_tell_the_same_business(moves: list[tuple[str, int, Any, str]]) -> None:
    books = open_legacy_books()
    tool, today = books.world.factomos, date(2026, 4, 14)
    for place, (kind, cents, days, then) in enumerate(moves):
        due = None if days is None else today + timedelta(days=days)
        amount = -cents if kind == "credit" else cents
        pid = books.invoice(f"F-{place}", amount, due=due, issued=date(2026, 1, 5), kind=kind)
        if kind != "credit" and then in ("part", "all", "over"):
            paid = {"part": max(1, cents // 3), "all": cents, "over": cents + 100}[then]
            tool.customer_pays(pid, paid, today)
        elif kind != "credit" and then:
            tool.credit_note(pid, cents if then == "all credited" else max(1, cents // 4), today)
    connector, _ = books.connector()
    rest = FactomosConnector(
        context(books.world, books.transport, {"Authorization": f"Bearer {TOKEN}"})
    )
    assert facts(pulled(connector)) == facts(pulled(rest))


def test_ids_are_the_older_ones_and_no_document_is_offered(legacy: LegacyBooks) -> None:
    legacy.invoice("F-1", document=b"%PDF-1.4 essai")
    connector, _ = legacy.connector()
    found = pulled(connector)["F-1"]
    assert found.ref == legacy.ref("F-1")
    assert found.ref.isdecimal()
    assert found.document_ref is None
    assert not hasattr(connector, "fetch_document")
    assert (found.debtor.siren, found.debtor.kind) == ("812345676", "company")


def test_a_card_is_asked_once_and_only_where_it_may_matter(legacy: LegacyBooks) -> None:
    tool = legacy.world.factomos
    others = [tool.add_contact(TOKEN, f"Client {n}", siret="81234567600017") for n in range(4)]
    for place in range(60):
        legacy.invoice(f"L-{place:02}")
    tool.add_invoice("P-1", others[0], date(2026, 4, 1), date(2026, 5, 1), 10_000)
    tool.add_invoice("P-2", others[1], date(2026, 4, 1), None, 10_000)
    tool.add_invoice("C-1", others[2], date(2026, 4, 1), LATER, -5_000, kind="credit")
    paid = tool.add_invoice("S-1", others[3], date(2026, 2, 1), LATER, 10_000)
    tool.customer_pays(paid, 10_000, LATER)
    connector, between = legacy.connector()
    found = pulled(connector)
    assert between.count("getClient") == 2  # the late customer, and the one with a credit
    assert found["C-1"].debtor.siren == "812345676"
    assert found["P-1"].debtor.siren is None
    assert (found["P-1"].debtor.name, found["P-2"].debtor.name) == ("Client 0", "Client 1")


def test_what_is_read_again_before_an_effect_names_its_debtor(legacy: LegacyBooks) -> None:
    legacy.invoice("F-1")
    gone = legacy.ref("F-1")
    kept = legacy.invoice("F-2")
    paid = legacy.invoice("F-3")
    tool = legacy.world.factomos
    tool.delete_invoice(legacy.pids["F-1"])
    tool.customer_pays(paid, 130_000, date(2026, 4, 1))
    connector, _ = legacy.connector()
    refs = [tool.serial(paid), gone, tool.serial(kept)]
    settled, missing, open_ = connector.read_invoices(refs)
    assert isinstance(settled, SourceInvoice) and isinstance(open_, SourceInvoice)
    assert (settled.state, settled.open.minor, settled.debtor.siren) == (
        "settled",
        -10_000,
        "812345676",
    )
    assert missing == Missing(ref=gone)
    assert open_ == pulled(connector)["F-2"]


def test_reminders_are_told_by_day_and_model_and_by_nothing_else(legacy: LegacyBooks) -> None:
    pid = legacy.invoice("F-1")
    tool = legacy.world.factomos
    second = datetime(2026, 4, 10, 7, 30, tzinfo=UTC)
    tool.send_mail(pid, "reminder2", second)
    tool.send_mail(pid, "invoice", datetime(2026, 3, 1, 8, 0, tzinfo=UTC))
    tool.send_mail(pid, "reminder1", datetime(2026, 1, 10, 8, 0, tzinfo=UTC))
    connector, _ = legacy.connector()
    assert connector.reminders(legacy.ref("F-1")) == [
        Reminder(at=datetime(2026, 1, 10, 8, 0, tzinfo=UTC), kind="reminder1"),
        Reminder(at=second, kind="reminder2"),
    ]
    assert connector.reminders(tool.serial(legacy.invoice("F-2"))) == []
    with pytest.raises(Rejected):
        connector.reminders("999")


@pytest.mark.parametrize(
    "spoilt",
    [
        {"email_date": "02/11/15"},
        {"email_date": "2026-02-30 10:00:00"},
        {"email_date": None},
        {"invoice_id": "7"},
        {"template_type": "reminder 3 à Camille"},
    ],
)
def test_a_reminder_nobody_can_read_is_told_without_what_it_said(
    legacy: LegacyBooks, spoilt: dict[str, object]
) -> None:
    pid = legacy.invoice("F-1")
    legacy.world.factomos.send_mail(pid, "reminder1", datetime(2026, 4, 1, tzinfo=UTC))

    def alter(form: dict[str, str], answer: httpx.Response) -> httpx.Response:
        said = answer.json()
        said["invoice-emails"][0].update(spoilt, email_content="Chère Camille Exemple")
        return httpx.Response(200, json=said)

    connector, _ = legacy.connector(alter)
    with pytest.raises(Drift) as caught:
        connector.reminders(legacy.ref("F-1"))
    assert "Camille" not in caught.value.raw + caught.value.message.replace("à Camille", "")


def test_a_payment_is_written_once_and_named_by_the_vendor(legacy: LegacyBooks) -> None:
    legacy.invoice("F-1")
    connector, between = legacy.connector()
    receipt = connector.record_payment_blind(KEY, payment(legacy.ref("F-1")))
    assert receipt == Receipt(remote_id="90001", amount=Money.of_minor(50_000))
    assert between.asked[-1] == {
        "action": "createPayment",
        "invoice_id": legacy.ref("F-1"),
        "montant": "500.00",
        "type": "other",
        "reference": KEY,
        "payment_date": "2026-04-10",
    }
    assert legacy.world.factomos.payment_references(legacy.pids["F-1"]) == [KEY]
    assert not hasattr(connector, "find_payment")


@pytest.mark.parametrize("kind", ["lost_reply", "slow_after", "5xx_after", "malformed", "5xx"])
def test_a_blind_write_in_doubt_is_neither_repeated_nor_called_done(
    legacy: LegacyBooks, kind: str
) -> None:
    legacy.invoice("F-1")
    connector, between = legacy.connector()
    legacy.world.faults.schedule(kind)  # type: ignore[arg-type]
    with pytest.raises(OutcomeUnknown):
        connector.record_payment_blind(KEY, payment(legacy.ref("F-1")))
    assert between.count("createPayment") == 1
    assert len(legacy.world.ledger()) == (0 if kind == "5xx" else 1)


@pytest.mark.parametrize(
    "said",
    [
        {"error": {"code": 0, "message": "OK"}},
        {"payment_id": "", "error": {"code": 0}},
        {"payment_id": "90001"},
        {"payment_id": "90001", "error": {"code": False}},
        {"payment_id": "90001", "error": "OK"},
    ],
)
def test_a_success_that_is_not_whole_is_doubt(legacy: LegacyBooks, said: object) -> None:
    legacy.invoice("F-1")
    connector, _ = legacy.connector(lambda form, answer: httpx.Response(200, json=said))
    with pytest.raises(OutcomeUnknown):
        connector.record_payment_blind(KEY, payment(legacy.ref("F-1")))


def test_a_payment_on_an_invoice_that_is_gone_is_refused_by_name(legacy: LegacyBooks) -> None:
    connector, _ = legacy.connector()
    with pytest.raises(Rejected) as caught:
        connector.record_payment_blind(KEY, payment("999"))
    assert caught.value.message.startswith("Facture F-1, règlement de 500,00 €")


def test_taken_back_keys_deny_every_call(legacy: LegacyBooks) -> None:
    legacy.invoice("F-1")
    ref = legacy.ref("F-1")
    legacy.world.factomos.legacy.revoke(LEGACY_TOKEN)
    connector, _ = legacy.connector()
    for call in (
        connector.probe,
        lambda: list(connector.pull_invoices(None)),
        lambda: connector.read_invoices([ref]),
        lambda: connector.reminders(ref),
        lambda: connector.record_payment_blind(KEY, payment(ref)),
    ):
        with pytest.raises(Denied):
            call()


@pytest.mark.parametrize("kind", ["5xx", "lost_reply", "slow", "malformed", "429"])
@pytest.mark.parametrize("nth", [1, 2, 4])
def test_a_failing_page_ends_nothing(legacy: LegacyBooks, kind: str, nth: int) -> None:
    legacy.invoice("F-1")
    legacy.world.faults.schedule(kind, nth=nth)  # type: ignore[arg-type]
    connector, _ = legacy.connector()
    pages = []
    with pytest.raises((Transient, Drift)):
        for page in connector.pull_invoices(None):
            pages.append(page)
    assert not any(page.end for page in pages)


def test_a_list_cut_short_with_a_total_to_match_is_noticed(legacy: LegacyBooks) -> None:
    for place in range(4):
        legacy.invoice(f"F-{place}")

    def cut(form: dict[str, str], answer: httpx.Response) -> httpx.Response:
        said = answer.json()
        if form.get("invoice_status") == "later" and form["page_index"] == "0":
            said["invoices"] = said["invoices"][:2]
            said["pagination"].update(last_row=1, total_invoices=2)
        return httpx.Response(200, json=said)

    connector, _ = legacy.connector(cut)
    with pytest.raises(PartnerError):
        list(connector.pull_invoices(None))


def test_a_used_up_quota_waits_for_midnight_in_paris(legacy: LegacyBooks) -> None:
    legacy.world.factomos.add_company("tok-petit", "812345676", "Autre", daily_calls=1)
    legacy.world.factomos.add_legacy_access("tok-petit", LEGACY_TOKEN, "invented-secret!")
    connector, _ = legacy.connector()
    connector.probe()
    with pytest.raises(Transient) as caught:
        connector.probe()
    assert caught.value.retry_after == timedelta(hours=20)


@pytest.mark.parametrize("size", [0, 1, 49, 50, 51, 120])
def test_a_pass_goes_on_from_any_of_its_pages(legacy: LegacyBooks, size: int) -> None:
    for place in range(size):
        legacy.invoice(f"F-{place:03}")
    legacy.invoice("P-1", due=date(2026, 5, 31))
    connector, _ = legacy.connector()
    pages = list(connector.pull_invoices(None))
    for number, page in enumerate(pages[:-1]):
        rest = list(connector.pull_invoices(page.cursor))
        assert [p.items for p in rest] == [p.items for p in pages[number + 1 :]]


def test_a_list_that_moved_on_since_is_read_again_from_its_first_row(legacy: LegacyBooks) -> None:
    for place in range(120):
        legacy.invoice(f"F-{place:03}")
    connector, _ = legacy.connector()
    first = next(iter(connector.pull_invoices(None)))
    tool = legacy.world.factomos
    tool.customer_pays(legacy.pids["F-000"], 120_000, date(2026, 4, 14))  # a row less before
    legacy.invoice("F-200")  # and one more behind: the total is the same
    rest = pulled(connector, first.cursor)
    assert set(rest) == {f"F-{place:03}" for place in range(1, 120)} | {"F-200"}


@pytest.mark.parametrize(
    "wrong",
    [
        Token(value="x"),
        Token(value="[]"),
        Token(value=json.dumps(["sold", 1, 2, 3, "m"])),
        Token(value=json.dumps(["later", "x", 2, 3, "m"])),
        Since(at=datetime(2026, 4, 14, tzinfo=UTC)),
    ],
)
def test_a_mark_of_nobody_starts_the_snapshot_again(legacy: LegacyBooks, wrong: Any) -> None:
    connector, _ = legacy.connector()
    with pytest.raises(CursorLost):
        list(connector.pull_invoices(wrong))
