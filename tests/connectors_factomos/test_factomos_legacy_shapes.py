"""The older interface as documented, in payloads written by hand with values of our own.

Shapes: README of github.com/thefloatingstone/factomos (736e606), sections 9, 17 and 20.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import cast

from encaisse_api import Money, Reminder, Seller
from encaisse_factomos import mapping
from encaisse_factomos.legacy.reminders import reminders_of
from encaisse_factomos.listing import Listing
from encaisse_factomos.rows import InvoiceRow, LegacyContactRow, LegacyInvoiceRow

Payload = Callable[[str], Mapping[str, object]]
TODAY = date(2026, 4, 14)


def late(payload: Payload) -> list[LegacyInvoiceRow]:
    rows = Listing("invoices", "Essai", payload("legacy_invoices_later")).rows(50)
    found = [mapping.row_of(row, LegacyInvoiceRow) for row in rows]
    return cast("list[LegacyInvoiceRow]", found)


def test_a_page_says_its_places_as_text_and_as_number(payload: Payload) -> None:
    listing = Listing("invoices", "Essai", payload("legacy_invoices_later"))
    assert listing.total() == 53
    assert len(listing.rows(50)) == 3


def test_late_rows_are_a_credit_an_invoice_and_a_down_payment(payload: Payload) -> None:
    owes = mapping.debtor(late(payload)[1], None)
    read = [mapping.invoice(row, owes, Seller()) for row in late(payload)]
    assert [(one.ref, one.kind, one.open) for one in read] == [
        ("310488", "unallocated_credit", Money.of_minor(-90_00)),
        ("310487", "invoice", Money.of_minor(49_56)),
        ("310402", "down_payment", Money.of_minor(300_00)),
    ]
    assert [one.instalments[0].due_date for one in read] == [
        None,
        date(2026, 4, 3),
        date(2026, 4, 1),
    ]
    assert {one.document_ref for one in read} == {None}
    assert read[1].issue_date == date(2026, 3, 4)


def test_each_of_them_is_worth_a_card_and_on_their_due_day_only_the_credit(
    payload: Payload,
) -> None:
    rows = late(payload)
    assert [mapping.needs_card(row, TODAY) for row in rows] == [True, True, True]
    assert [mapping.needs_card(row, date(2026, 4, 1)) for row in rows] == [True, False, False]


def test_the_row_of_one_dialect_is_none_of_the_other(payload: Payload) -> None:
    raw = cast("list[object]", payload("legacy_invoices_later")["invoices"])[1]
    assert not isinstance(mapping.row_of(raw, LegacyInvoiceRow), mapping.Unreadable)
    assert isinstance(mapping.row_of(raw, InvoiceRow), mapping.Unreadable)


def test_a_card_names_the_debtor_by_its_siret(payload: Payload) -> None:
    card = LegacyContactRow.model_validate(payload("legacy_client")["client"])
    found = mapping.debtor(late(payload)[1], card)
    assert (card.pid, found.ref, found.siren) == ("8131", "8131", "812345676")
    assert found.address is not None and found.address.city == "Vannes"
    assert found.contacts[0].email == "compta@fournil.example.org"


def test_the_history_tells_reminders_in_winter_and_summer_time(payload: Payload) -> None:
    found = reminders_of(payload("legacy_mails"), "310487", "Essai")
    assert found == [
        Reminder(at=datetime(2026, 1, 12, 8, 15, tzinfo=UTC), kind="reminder1"),
        Reminder(at=datetime(2026, 4, 10, 7, 15, tzinfo=UTC), kind="reminder2"),
    ]
