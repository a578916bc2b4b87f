"""An invoice that is remembered says what reading its row anew would, whoever its customer is."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import product
from typing import Any, cast

import pytest
from tests.plugin_api.rows_around import around

from encaisse_api import Page, Seller, SourceInvoice
from encaisse_api.remembered import Remembered
from encaisse_factomos import reading
from encaisse_factomos.contacts import Contacts
from encaisse_factomos.reading import Reader
from encaisse_factomos.rows import InvoiceRow, LegacyInvoiceRow

Payload = Callable[[str], Mapping[str, object]]
CARD = {"client_company_name": "Client Exemple SAS", "number_siret": "81234567600017"}
CARDS: tuple[Mapping[str, object] | None, ...] = (
    CARD,
    {**CARD, "client_email": "compta@client.example.org"},
    None,
)
SELLERS = (Seller(siren="987654324"), Seller())
DAYS = (date(2026, 3, 1), date(2026, 6, 1))
"""Before the terms of the rows, when no card is worth a call, and after them."""


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "READ", Remembered[reading._Read](8192))


@pytest.fixture
def every(payload: Payload) -> list[object]:
    rows = list(cast("Sequence[object]", payload("invoices_later")["invoices"]))
    rows.append(payload("invoice_partially_credited")["invoice"])
    return [*rows[1:], *around(rows[0])]


def read(
    rows: Sequence[object],
    card: Mapping[str, object] | None,
    seller: Seller,
    today: date,
    shape: type[InvoiceRow] = InvoiceRow,
) -> Page[SourceInvoice]:
    """Read rows as one unit of work does, each customer having this card."""
    contacts = Contacts(lambda _: card or {"client_company_name": 1}, logging.getLogger("essai"))
    return Reader(shape, contacts, seller, today).page(copy.deepcopy(rows), None)


def test_every_row_is_read_as_if_it_were_the_first(
    every: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read rows that differ in one value, of other customers, sellers, days and dialects."""
    shapes = (InvoiceRow, LegacyInvoiceRow)
    asked = [(every, *said) for said in product(CARDS, SELLERS, DAYS, shapes)]
    with monkeypatch.context() as patch:
        anew: list[Page[SourceInvoice]] = []
        for each in asked:
            patch.setattr(reading, "READ", Remembered[reading._Read](8192))
            anew.append(read(*each))
    assert len({page.model_dump_json() for page in anew}) > len(CARDS) * len(SELLERS)
    for _ in range(2):
        assert [read(*each) for each in asked] == anew


def test_a_row_met_again_is_not_read_again(payload: Payload) -> None:
    rows: Any = payload("invoices_later")["invoices"]
    first = read(rows, CARDS[0], SELLERS[0], DAYS[1])
    again = read(rows, CARDS[0], SELLERS[0], DAYS[1])
    assert first.items
    assert all(old is new for old, new in zip(first.items, again.items, strict=True))
