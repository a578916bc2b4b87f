"""Amounts, days and codes are written the French way, and none is lost on the way."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counts import examples

from encaisse_einvoicing.model import AllowanceCharge, Line, Period
from encaisse_einvoicing.writing_pdf.page import french, lines
from encaisse_einvoicing.writing_pdf.page.sheet import clean
from encaisse_einvoicing.writing_pdf.page.titles import title
from encaisse_einvoicing.writing_pdf.page.words import unit_words, words, words_or_code

REFORM = "380 389 393 501 386 500 384 471 472 473 261 262 381 396 502 503"
"""Types of invoice the French reform accepts (BR-FR-04)."""


def plain(text: str) -> str:
    """Put ordinary spaces for those that hold a number together."""
    return text.replace(french.NARROW, " ").replace(french.SPACE, " ")


@settings(max_examples=examples(80), deadline=None)
@given(value=st.decimals(allow_nan=False, allow_infinity=False), decimals=st.integers(0, 4))
def test_no_digit_of_a_number_is_lost(value: Decimal, decimals: int) -> None:
    if abs(value.adjusted()) > 200:
        value = value.scaleb(-value.adjusted())
    text = french.number(value, decimals)
    read = text.replace(french.NARROW, "").replace(",", ".").replace(french.MINUS, "-")
    assert Decimal(read) == value
    assert len(text.partition(",")[2]) >= decimals


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0,00 €"),
        ("-0.5", "−0,50 €"),
        ("1234567.8", "1 234 567,80 €"),
        ("0.0025", "0,0025 €"),
        ("1E+4", "10 000,00 €"),
        ("NaN", "NaN €"),
    ],
)
def test_amounts_are_french(value: str, text: str) -> None:
    assert plain(french.amount(Decimal(value), "EUR")) == text


def test_currencies_days_and_numbers_of_companies() -> None:
    assert plain(french.amount(Decimal(3), "XPF")) == "3,00 XPF"
    assert french.amount(Decimal(3), None) == "3,00"
    assert plain(french.percentage(Decimal("5.50"))) == "5,5 %"
    assert (french.day(date(987, 1, 5)), french.day(None)) == ("05/01/0987", "")
    assert plain(french.siret("12345678200002")) == "123 456 782 00002"
    assert plain(french.account("fr76 30006000011234567890189")) == (
        "FR76 3000 6000 0112 3456 7890 189"
    )
    assert french.account("12345") == "12345"


def test_every_type_of_the_reform_has_a_title() -> None:
    titles = {code: title(code) for code in REFORM.split()}
    assert len(set(titles.values())) == len(titles)
    assert not any("type" in each for each in titles.values())
    assert {code for code in titles if words("credit", code)} == {
        code for code, each in titles.items() if each.startswith("Avoir")
    }
    assert (title(None), title("999")) == ("Facture", "Facture (type 999)")


def test_units_are_counted_as_french_counts() -> None:
    for quantity, text in (("1", "jour"), ("1.99", "jour"), ("2", "jours"), ("-3", "jours")):
        assert unit_words("DAY", Decimal(quantity)) == text
    assert (unit_words("MON", Decimal(5)), unit_words("HUR", Decimal(5))) == ("mois", "h")
    assert (unit_words("ZZ9", Decimal(5)), unit_words(None, None)) == ("ZZ9", "")
    assert words_or_code("means", "58") == "Virement SEPA"
    assert words_or_code("means", "Z9") == "Z9"


def test_vat_is_named_where_its_rate_does_not_say_it() -> None:
    for category, rate, text in (
        ("S", "20", "20 %"),
        ("S", None, ""),
        ("AE", "0", "autoliquidation"),
        ("E", "0.00", "exonéré"),
        ("Z", "0", "taux zéro"),
        ("L", "7", "7 % (IGIC (Canaries))"),
        ("X9", "3", "3 % (X9)"),
        (None, "5.5", "5,5 %"),
    ):
        assert plain(lines.vat_words(category, None if rate is None else Decimal(rate))) == text


def test_prices_say_what_they_are_the_price_of() -> None:
    line = Line(
        net_price=Decimal("4.2"), base_quantity=Decimal(100), unit="H87", quantity=Decimal(1)
    )
    row = lines.row(line, "EUR")
    assert (plain(row.price), plain(row.quantity)) == ("4,20 / 100 pièces", "1 pièce")
    same = line.model_copy(update={"base_quantity": Decimal(1)})
    assert lines.row(same, "EUR").price == "4,20"


def test_allowances_take_off_and_charges_add() -> None:
    for is_charge, label, amount in (
        (False, "Remise : Lot (5 % de 200,00 €)", "−10,00 €"),
        (True, "Frais : Lot (5 % de 200,00 €)", "10,00 €"),
        (None, "Remise ou frais : Lot (5 % de 200,00 €)", "10,00 €"),
    ):
        each = AllowanceCharge(
            is_charge=is_charge,
            amount=Decimal(10),
            percentage=Decimal(5),
            base_amount=Decimal(200),
            reason="Lot",
        )
        assert tuple(map(plain, lines.adjustment(each, "EUR"))) == (label, amount)
    bare = AllowanceCharge(is_charge=False, reason_code="95")
    assert lines.adjustment(bare, "EUR") == ("Remise : code 95", "")


def test_a_period_may_be_open() -> None:
    start, end = date(2026, 1, 1), date(2026, 1, 31)
    assert lines.period_words(Period(start=start, end=end)) == "du 01/01/2026 au 31/01/2026"
    assert lines.period_words(Period(start=start)) == "à partir du 01/01/2026"
    assert lines.period_words(Period(end=end)) == "jusqu'au 31/01/2026"
    assert lines.period_words(Period()) == lines.period_words(None) == ""


def test_texts_are_made_printable() -> None:
    assert clean("  a\r\nb\rc\td\x00\u202e ") == "a\nb\nc d□"
    assert clean(None) == ""
