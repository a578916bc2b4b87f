"""Rows of the assumed contract become what the host understands, or are set aside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encaisse_api import Money, Removed, Seller, SourceInvoice, Unreadable
from encaisse_libeo import mapping
from encaisse_libeo.rows import InvoiceRow
from encaisse_libeo.statuses import STATUSES, UNKNOWN, meaning

Payload = Callable[[str], dict[str, Any]]

HELP_CENTRE = (
    "À payer", "Solde à payer", "Informations requises", "En approbation", "En attente",
    "Attente fournisseur", "En validation", "En cours", "Planifié", "Payé",
)  # fmt: skip
"""The ten words as the vendor's help centre lists them, copied apart from the code's own table."""


def euros(amount: str) -> Money:
    return Money.model_validate({"amount": amount})


def read(raw: object) -> SourceInvoice:
    found = mapping.outcome(raw)
    assert isinstance(found, SourceInvoice), found
    return found


def reason(raw: object) -> str:
    found = mapping.outcome(raw)
    assert isinstance(found, Unreadable), found
    return found.reason


@pytest.fixture
def sale(payload: Payload) -> dict[str, Any]:
    return payload("sale")


def test_a_sale_is_owed_by_its_buyer_to_the_company(sale: dict[str, Any]) -> None:
    found = read(sale)
    assert (found.ref, found.number, found.kind) == ("fac_7Q2", "VTE-2026-0118", "invoice")
    assert (found.direction, found.state, found.flags) == ("receivable", "open", frozenset())
    assert (found.total, found.open, found.credited) == (
        euros("1860.40"),
        euros("1860.40"),
        euros("0"),
    )
    assert [(i.due_date, i.open) for i in found.instalments] == [
        (date(2026, 4, 1), euros("1860.40"))
    ]
    assert found.seller == Seller(name="Atelier Exemple SARL", siren="987654324")
    assert (found.debtor.siren, found.debtor.kind) == ("812345676", "company")
    assert found.debtor.name == "Fournil Exemple SAS"


def test_the_link_of_a_row_only_says_that_there_is_a_document(sale: dict[str, Any]) -> None:
    assert read(sale).document_ref == "fac_7Q2"
    assert "fichiers.example" not in read(sale).model_dump_json()


def test_a_purchase_is_owed_by_the_company_itself(payload: Payload) -> None:
    found = read(payload("purchase"))
    assert (found.direction, found.debtor.siren) == ("payable", "987654324")
    assert found.seller.siren == "812345676"
    assert found.flags == {"promise_to_pay"}


@pytest.mark.parametrize("word", ["", "sale", "Receivable", None, 1])
def test_a_direction_nobody_knows_is_never_guessed(sale: dict[str, Any], word: object) -> None:
    assert "direction" in reason({**sale, "direction": word})
    assert "direction" in reason(
        {name: value for name, value in sale.items() if name != "direction"}
    )


def test_an_avoir_is_a_credit_note_and_never_a_claim(payload: Payload) -> None:
    found = read(payload("avoir"))
    assert (found.kind, found.total, found.open) == ("credit_note", euros("-96"), euros("-96"))
    assert (found.credited, found.instalments[0].due_date, found.flags) == (
        None,
        None,
        frozenset(),
    )
    assert (found.debtor.siren, found.debtor.kind) == (None, "unknown")


def test_what_avoirs_took_away_is_told_apart_from_money(sale: dict[str, Any]) -> None:
    row = {**sale, "balance": "1560.40", "credited": "300.00", "status": "Solde à payer"}
    assert read(row).credited == euros("300")
    untold = {name: value for name, value in row.items() if name != "credited"}
    assert read(untold).credited is None


def test_a_deleted_invoice_left_the_tool_and_is_not_paid(sale: dict[str, Any]) -> None:
    found = mapping.outcome({**sale, "deleted_at": "2026-04-02T10:00:00Z"})
    assert found == Removed(ref="fac_7Q2", reason="deleted")


# --- the ten statuses ----------------------------------------------------------------------------


def test_the_table_holds_the_ten_words_and_no_other() -> None:
    assert sorted(STATUSES) == sorted(HELP_CENTRE)


@pytest.mark.parametrize("direction", ["receivable", "payable"])
@pytest.mark.parametrize(
    ("status", "flags"),
    [
        ("À payer", set()),
        ("Solde à payer", set()),
        ("En attente", set()),
        ("Attente fournisseur", set()),
        ("Informations requises", {"blocked_in_approval"}),
        ("En approbation", {"blocked_in_approval"}),
        ("En validation", {"blocked_in_approval"}),
        ("Planifié", {"promise_to_pay"}),
        ("En cours", {"payment_in_flight"}),
        ("Payé", {"payment_in_flight"}),
    ],
)
def test_what_is_still_owed_is_open_whatever_the_status(
    sale: dict[str, Any], status: str, flags: set[str], direction: str
) -> None:
    found = read({**sale, "status": status, "direction": direction})
    assert (found.state, found.flags) == ("open", flags)


def test_only_paid_with_nothing_left_settles(sale: dict[str, Any]) -> None:
    states = {
        status: read({**sale, "status": status, "balance": "0.00"}).state for status in STATUSES
    }
    assert {status for status, state in states.items() if state == "settled"} == {"Payé"}
    assert set(states.values()) == {"settled", "unknown"}


def test_an_invoice_paid_too_much_is_settled_and_says_by_how_much(sale: dict[str, Any]) -> None:
    found = read({**sale, "status": "Payé", "balance": "-10.00"})
    assert (found.state, found.open) == ("settled", euros("-10"))


@given(st.text(max_size=40), st.booleans())
def test_no_other_word_is_ever_a_success_or_a_start(word: str, owed: bool) -> None:
    folded = {known.casefold() for known in STATUSES}
    if " ".join(word.casefold().split()) not in folded:
        assert meaning(word, owed=owed) == UNKNOWN


@pytest.mark.parametrize("word", ["Validation refusée", "Annulé", "paid", "Payé ?", "payable"])
@pytest.mark.parametrize("balance", ["1860.40", "0.00"])
def test_a_status_out_of_the_table_asks_a_person(
    sale: dict[str, Any], word: str, balance: str
) -> None:
    found = read({**sale, "status": word, "balance": balance})
    assert (found.state, found.flags) == ("unknown", frozenset())


@pytest.mark.parametrize("word", ["PLANIFIÉ", " planifié ", "planifie\u0301", "Planifié"])
def test_a_word_is_known_by_its_letters_not_its_typography(word: str) -> None:
    assert meaning(word, owed=True).flags == {"promise_to_pay"}


# --- rows that do not hold together --------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"balance": "1860.41"}, "reste de 1860.41 pour un total de 1860.40"),
        ({"credited": "1.00"}, "avoirs de 1.00"),
        ({"credited": "-1.00"}, "avoirs de -1.00"),
        ({"total": "-5.00", "balance": "1.00"}, "avoir de -5.00 avec un reste de 1.00"),
        ({"total": "1 860,40"}, "total : montant illisible"),
        ({"total": True}, "total : montant illisible"),
        ({"balance": "12.345"}, "plus fin que la monnaie EUR"),
        ({"currency": "euro"}, "currency"),
        ({"due_date": "01/04/2026"}, "due_date : date illisible"),
        ({"issue_date": "2026-02-30"}, "issue_date"),
        ({"updated_at": "2026-03-05T17:20:00"}, "updated_at : instant illisible"),
        ({"number": " "}, "number"),
        ({"status": None}, "status"),
        ({"buyer": "812345676"}, "buyer"),
    ],
    ids=str,
)
def test_a_row_that_does_not_hold_together_is_set_aside_with_the_reason(
    sale: dict[str, Any], change: dict[str, object], told: str
) -> None:
    found = mapping.outcome({**sale, **change})
    assert isinstance(found, Unreadable)
    assert told in found.reason
    assert found.ref == "fac_7Q2"
    assert found.raw


@pytest.mark.parametrize("raw", [{}, "not a row", None, 7, [1]])
def test_what_is_no_row_is_kept_raw(raw: object) -> None:
    found = mapping.outcome(raw)
    assert isinstance(found, Unreadable)
    assert found.reason.startswith("Ligne sans numéro (Libeo)")


def test_a_reason_never_repeats_a_name(sale: dict[str, Any]) -> None:
    told = reason({**sale, "buyer": {"siren": 8, "name": ["Camille Exemple"]}})
    assert "Camille" not in told


@pytest.mark.parametrize(
    ("siren", "kept", "kind"),
    [
        ("812345676", "812345676", "company"),
        (" 812 345 676 ", "812345676", "company"),
        ("223456781", "223456781", "public"),
        ("812345677", None, "unknown"),
        ("81234567600017", None, "unknown"),
        ("٨١٢٣٤٥٦٧٦", None, "unknown"),
        ("", None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_a_siren_is_only_what_its_key_proves(
    sale: dict[str, Any], siren: str | None, kept: str | None, kind: str
) -> None:
    debtor = read({**sale, "buyer": {"siren": siren, "name": "Client"}}).debtor
    assert (debtor.siren, debtor.kind) == (kept, kind)


def test_another_currency_is_kept_as_it_is(sale: dict[str, Any]) -> None:
    found = read({**sale, "currency": "JPY", "total": "1860", "balance": 1860, "credited": "0"})
    assert found.total == Money(amount=Decimal(1860), currency="JPY")


@given(
    total=st.integers(min_value=-(10**9), max_value=10**9),
    balance=st.integers(min_value=-(10**9), max_value=10**9),
    status=st.sampled_from([*STATUSES, "Annulé"]),
    direction=st.sampled_from(["receivable", "payable"]),
)
def test_figures_are_told_to_the_cent_or_not_at_all(
    total: int, balance: int, status: str, direction: str
) -> None:
    row = {
        "id": "f", "direction": direction, "number": "F-1", "supplier": {}, "buyer": {},
        "issue_date": "2026-03-02", "due_date": None, "currency": "EUR", "status": status,
        "total": str(Decimal(total).scaleb(-2)), "balance": str(Decimal(balance).scaleb(-2)),
        "updated_at": "2026-03-05T17:20:00Z",
    }  # fmt: skip
    found = mapping.outcome(row)
    if isinstance(found, SourceInvoice):
        assert (found.total.minor, found.open.minor) == (total, balance)
        assert found.direction == direction
        assert found.state != "settled" or (status == "Payé" and balance <= 0)
    else:
        sense = total <= balance <= 0 if total < 0 else balance <= total
        assert not sense


def test_every_field_of_a_row_is_one_the_readme_admits_to_assume() -> None:
    optional = {"credited", "document_url", "deleted_at"}
    assert {name for name, field in InvoiceRow.model_fields.items() if not field.is_required()} == (
        optional
    )
