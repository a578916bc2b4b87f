"""Rows as Factomos documents them become what the host understands, or are set aside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, cast

import pytest

from encaisse_api import Debtor, Money, Seller, SourceInvoice, Unreadable
from encaisse_factomos import mapping
from encaisse_factomos.identity import identify
from encaisse_factomos.rows import ContactRow

Payload = Callable[[str], Mapping[str, object]]
NOBODY = Debtor()
OURS = Seller(siren="987654324")


def euros(amount: str) -> Money:
    return Money.model_validate({"amount": amount})


def read(raw: object) -> SourceInvoice:
    row = mapping.row_of(raw)
    assert not isinstance(row, Unreadable), row
    return mapping.invoice(row, NOBODY, OURS)


def reason(raw: object) -> str:
    row = mapping.row_of(raw)
    if isinstance(row, Unreadable):
        return row.reason
    with pytest.raises(mapping.Unusable) as refused:
        mapping.invoice(row, NOBODY, OURS)
    return str(refused.value)


@pytest.fixture
def later(payload: Payload) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", payload("invoices_later")["invoices"])


def test_an_overdue_invoice_is_open_and_due(later: list[dict[str, Any]]) -> None:
    found = read(later[0])
    assert (found.ref, found.number, found.kind) == ("inv-later-1", "F03260041", "invoice")
    assert (found.state, found.direction) == ("open", "receivable")
    assert found.issue_date == date(2026, 3, 4)
    assert (found.total, found.open, found.credited) == (
        euros("1500.60"),
        euros("1500.60"),
        euros("0"),
    )
    assert [(i.due_date, i.open) for i in found.instalments] == [
        (date(2026, 4, 3), euros("1500.60"))
    ]
    assert found.document_ref == "inv-later-1"
    assert found.seller == OURS


def test_a_negative_overdue_row_is_a_credit_and_never_a_claim(later: list[dict[str, Any]]) -> None:
    found = read(later[1])
    assert (found.kind, found.open) == ("unallocated_credit", euros("-240"))
    assert found.instalments[0].due_date is None


def test_no_document_key_means_no_document(later: list[dict[str, Any]]) -> None:
    assert read(later[1]).document_ref is None


def test_a_down_payment_without_term_has_no_due_date(later: list[dict[str, Any]]) -> None:
    found = read(later[2])
    assert (found.kind, found.instalments[0].due_date) == ("down_payment", None)


def test_figures_written_as_numbers_are_exact(later: list[dict[str, Any]]) -> None:
    found = read(later[3])
    assert (found.total, found.instalments[0].due_date) == (euros("22.12"), date(2028, 2, 29))


def test_a_paid_invoice_is_settled(payload: Payload) -> None:
    found = read(payload("invoice_paid")["invoice"])
    assert (found.state, found.open) == ("settled", euros("0"))


def test_what_a_credit_note_took_away_is_told_apart(payload: Payload) -> None:
    found = read(payload("invoice_partially_credited")["invoice"])
    assert (found.state, found.open, found.credited) == ("open", euros("500"), euros("400"))


def test_an_invoice_paid_too_much_is_settled_and_says_by_how_much(
    later: list[dict[str, Any]],
) -> None:
    found = read(
        {**later[0], "invoice_status": "paid", "figures_paid": "1600.6", "figures_due": "-100"}
    )
    assert (found.kind, found.state, found.open) == ("invoice", "settled", euros("-100"))


@pytest.mark.parametrize("sign", ["", "-"])
def test_an_avoir_is_a_credit_note_whichever_sign_it_was_written_with(
    later: list[dict[str, Any]], sign: str
) -> None:
    figures = {
        "figures_total_withoutvat": f"{sign}100",
        "figures_total_vat": f"{sign}20",
        "figures_total_withvat": f"{sign}120",
        "figures_paid": "0",
        "figures_due": f"{sign}120",
    }
    found = read({**later[0], **figures, "invoice_status": "avoir"})
    assert (found.kind, found.total, found.open) == ("credit_note", euros("-120"), euros("-120"))
    assert found.state == "open"


def test_an_avoir_used_up_by_its_invoice_is_settled(later: list[dict[str, Any]]) -> None:
    figures = {"figures_total_withoutvat": "-100", "figures_total_vat": "-20"}
    figures |= {"figures_total_withvat": "-120", "figures_paid": "0.00", "figures_due": "0.00"}
    found = read({**later[0], **figures, "invoice_status": "avoir"})
    assert (found.kind, found.state, found.open) == ("credit_note", "settled", euros("0"))


@pytest.mark.parametrize("due", ["1500.6", "0"])
def test_a_status_nobody_documented_is_never_a_success(
    later: list[dict[str, Any]], due: str
) -> None:
    row = {**later[0], "invoice_status": "en-litige", "figures_due": due}
    assert read(row).state == "unknown"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"figures_due": "1500.5"}, "n'est expliqué par aucun avoir"),
        ({"figures_total_vat": "250.2"}, "ne font pas 1\u202f500,60 € TTC"),
        ({"invoice_status": "paid"}, "encore dus"),
        ({"invoice_type": "proforma"}, "type de document « proforma » inconnu"),
        ({"figures_due": "1 500,60"}, "figures_due : montant illisible"),
        ({"figures_due": "1500.605"}, "plus fin que le centime"),
        ({"payment_term_fr": "31/02/26"}, "échéance impossible"),
        ({"unix_timestamp": "hier"}, "date d'émission illisible"),
        ({"invoice_formated_number": ""}, "texte vide"),
        ({"figures_paid": None}, "figures_paid"),
        ({"document_key": {"a": 1}}, "document_key"),
    ],
)
def test_a_row_that_does_not_hold_together_is_set_aside_with_the_reason(
    later: list[dict[str, Any]], change: dict[str, object], told: str
) -> None:
    assert told in reason({**later[0], **change})


def test_a_down_payment_that_does_not_add_up_is_set_aside(later: list[dict[str, Any]]) -> None:
    assert "ne font pas" in reason({**later[2], "figures_total_withvat": "999"})


@pytest.mark.parametrize("raw", [{}, "not a row", None, 7, [1]])
def test_what_is_no_row_is_kept_raw(raw: object) -> None:
    row = mapping.row_of(raw)
    assert isinstance(row, Unreadable)
    assert row.raw
    assert row.reason.startswith("Ligne sans numéro (Factomos)")


def test_a_missing_field_is_named(later: list[dict[str, Any]]) -> None:
    row = {name: value for name, value in later[0].items() if name != "figures_due"}
    found = mapping.row_of(row)
    assert isinstance(found, Unreadable)
    assert found.reason == "Facture F03260041 (Factomos) : figures_due : champ absent."
    assert found.ref == "inv-later-1"


def test_a_customer_card_identifies_the_debtor(
    payload: Payload, later: list[dict[str, Any]]
) -> None:
    row = mapping.row_of(later[0])
    assert not isinstance(row, Unreadable)
    found = mapping.debtor(row, ContactRow.model_validate(payload("contact_legacy")["contact"]))
    assert (found.ref, found.kind, found.name) == ("ctc-1", "company", "Menuiserie Exemple SARL")
    assert (found.siren, found.siret, found.siren_derived) == (
        "987654324",
        "98765432400019",
        False,
    )
    assert found.address is not None
    assert found.address.lines == ("4 rue des Essais", "Bâtiment B")
    assert (found.address.postcode, found.address.country) == ("35000", "FR")
    assert found.contacts[0].name == "Camille Exemple"
    assert found.contacts[0].email == "compta@menuiserie.example.org"


def test_a_customer_without_card_is_known_by_name_only(later: list[dict[str, Any]]) -> None:
    row = mapping.row_of(later[0])
    assert not isinstance(row, Unreadable)
    found = mapping.debtor(row, None)
    assert (found.ref, found.name, found.siren, found.kind) == (
        "ctc-1",
        "Menuiserie Exemple SARL",
        None,
        "unknown",
    )


def test_a_country_nobody_can_name_is_not_france() -> None:
    card = ContactRow.model_validate({"client_city": "Gand", "client_country": "Belgique"})
    row = mapping.row_of(
        {
            "pid": "i",
            "invoice_formated_number": "F1",
            "invoice_status": "later",
            "invoice_type": "invoice",
            "figures_total_withoutvat": "1",
            "figures_total_vat": "0",
            "figures_total_withvat": "1",
            "figures_paid": "0",
            "figures_due": "1",
            "unix_timestamp": "1772578800",
        }
    )
    assert not isinstance(row, Unreadable)
    assert mapping.debtor(row, card).address is None


@pytest.mark.parametrize(
    ("siret", "vat", "siren", "derived", "kind"),
    [
        ("987 654 324 00019", "", "987654324", False, "company"),
        ("987654324", "", "987654324", False, "company"),
        ("12345678200002", "", "123456782", False, "public"),
        ("", "FR14987654324", "987654324", True, "company"),
        ("", "fr 14 987 654 324", "987654324", True, "company"),
        ("98765432400018", "FR14987654324", "987654324", True, "company"),
        ("98765432400018", "", None, False, "unknown"),
        ("123456789", "", None, False, "unknown"),
        ("", "FR15987654324", None, False, "unknown"),
        ("", "BE0123456749", None, False, "unknown"),
        ("0123456", "987654", None, False, "unknown"),
    ],
)
def test_a_siren_is_only_what_its_key_proves(
    siret: str, vat: str, siren: str | None, derived: bool, kind: str
) -> None:
    found = identify(siret, vat)
    assert (found.siren, found.derived, found.kind) == (siren, derived, kind)


@pytest.mark.parametrize("said", [None, "", "12345", "98765432X"])
def test_a_setting_that_is_no_siren_names_no_seller(said: str | None) -> None:
    assert mapping.seller(said) == Seller()


def test_the_seller_is_the_company_of_the_account() -> None:
    assert mapping.seller("987 654 324") == OURS
