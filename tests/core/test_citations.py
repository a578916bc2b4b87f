"""Documents that name others: avoirs, corrected invoices, deposits and what settles them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.core.houses import House, make
from tests.core.paper import invoice

from encaisse_api import Instalment, Money, SourceInvoice, Stream
from encaisse_core.clock import VirtualClock


@pytest.fixture
def house(tmp_path: Path, clock: VirtualClock) -> Iterator[House]:
    """Give a house whose tool is a folder of documents: it shows no open amounts."""
    made = make(f"sqlite:///{tmp_path / 'e.db'}", tmp_path, clock, invoices=3)
    kind = made.shelf.known["papertool"]
    streams = {"invoices": Stream(mode="snapshot", follows_money=False)}
    kind.manifest = kind.manifest.model_copy(update={"streams": streams})
    yield made
    made.app.close()


def avoir(number: str, cents: int, *cited: str) -> SourceInvoice:
    money = Money.of_minor(-cents)
    return invoice(number, cents).model_copy(
        update={
            "kind": "credit_note",
            "total": money,
            "open": money,
            "instalments": (Instalment(ref="1", amount=money, open=money),),
            "credits": cited,
        }
    )


def test_an_avoir_reduces_the_invoice_it_names_and_no_other(house: House) -> None:
    house.paper.add(avoir("A-1", 50_00, "F 1"))
    house.night()
    assert house.claim("F-1")["open"] == 50_00
    assert house.claim("A-1")["state"] == "settled"
    assert house.reasons("F-1") == house.reasons("F-2") == set()
    events = house.count("event")
    house.night()
    assert house.count("event") == events


def test_an_invoice_credited_whole_is_settled_and_stays_so_when_the_avoir_is_lost(
    house: House,
) -> None:
    house.paper.add(avoir("A-1", 100_00, "F-1"))
    house.night()
    assert house.claim("F-1")["state"] == "settled"
    del house.paper.invoices["r-A-1"]
    house.night()
    assert house.claim("F-1")["state"] == "settled"


def test_an_avoir_that_names_nothing_holds_its_customer_even_when_it_is_lost(house: House) -> None:
    house.paper.add(avoir("A-1", 50_00))
    house.night()
    assert house.reasons("F-2") == {"unallocated_credit"}
    del house.paper.invoices["r-A-1"]
    night = house.night()
    assert house.reasons("F-2") == {"unallocated_credit"}
    assert night.counts["payments"] == 0


def test_an_avoir_beyond_its_invoice_leaves_the_rest_to_the_customer(house: House) -> None:
    house.paper.add(avoir("A-1", 130_00, "F-1"))
    house.night()
    assert (house.claim("F-1")["open"], house.claim("A-1")["open"]) == (0, -30_00)
    assert house.reasons("F-2") == {"unallocated_credit"}


def test_an_invoice_another_one_names_waits_for_a_person(house: House) -> None:
    corrected = invoice("F-1R", 90_00).model_copy(update={"credits": ("F-1",)})
    house.paper.add(corrected)
    house.night()
    assert house.claim("F-1")["hold"] == "cited"
    assert house.reasons("F-1R") == set()
    house.answer("cited", "F-1", lift=True)
    house.night()
    assert house.claim("F-1")["hold"] is None


def test_a_number_two_invoices_bear_names_neither(house: House) -> None:
    other = invoice("F-1", 70_00, siren="552100554")
    house.paper.add(other.model_copy(update={"ref": "r-other"}))
    house.paper.add(avoir("A-1", 50_00, "F-1"))
    house.night()
    assert house.claim("A-1")["open"] == -50_00
