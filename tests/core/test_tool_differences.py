"""What two tools tell differently of one invoice, kept with its age, explained money aside."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from tests.core.houses import House, add_tool, line_of
from tests.core.merging import pay
from tests.core.paper import invoice

from encaisse_core import routing
from encaisse_core.host import links
from encaisse_core.store import schema
from encaisse_core.tool_differences import Told, between

INVOICES = 3


def found(house: House) -> list[dict[str, Any]]:
    with house.host.store.begin() as tx:
        rows = tx.execute(select(schema.difference).order_by(schema.difference.c.kind))
        return [dict(row) for row in rows.mappings()]


def kinds(house: House) -> list[str]:
    return [row["kind"] for row in found(house)]


def events(house: House, kind: str) -> int:
    e = schema.event.c
    with house.host.store.begin() as tx:
        return len(tx.execute(select(e.sequence).where(e.kind == kind)).all())


def test_a_payment_one_tool_has_not_told_yet_is_no_difference(house: House) -> None:
    second = add_tool(house)
    house.night()
    house.paper.pay("F-3", 300_00)
    house.night()
    assert kinds(house) == []
    second.pay("F-3", 300_00)
    house.night()
    assert kinds(house) == []


def test_our_own_entry_in_one_tool_is_no_difference_with_the_other(house: House) -> None:
    second = add_tool(house)
    house.night()
    with house.host.store.begin() as tx:
        first = next(x for x in links(tx, house.company) if x.connector == "papertool")
        routing.answer(
            house.host, tx, house.company, "record_payment", first.id, decided_by="essai"
        )
    (procedure,) = house.open_everything()
    line = line_of(house, [procedure], "F-3")
    house.paper.collect("p1", procedure, line, 40_00, date(2026, 2, 5))
    house.night()
    assert house.paper.written
    assert second.written == []
    assert kinds(house) == []


def test_paid_before_we_came_in_one_tool_and_open_in_the_other(house: House) -> None:
    house.night()
    second = add_tool(house)
    second.add(invoice("F-3", 300_00, paid=299_00))
    house.night()
    (row,) = found(house)
    assert row["kind"] == "open_amounts"
    assert (row["one_value"], row["other_value"]) == ("300,00", "1,00")
    assert "Outil de papier" in row["one_tool"]
    since = row["since"]
    house.night()
    assert [each["since"] for each in found(house)] == [since]
    assert events(house, "difference_opened") == 1
    pay(second, "F-3", -299_00)
    house.night()
    house.answer("amount_rose", "F-3", lift=True)
    house.night()
    assert kinds(house) == []
    assert events(house, "difference_closed") >= 1


def test_another_total_and_another_customer_are_listed(house: House) -> None:
    second = add_tool(house)
    house.night()
    second.add(invoice("F-2", 210_00, siren="552100554"))
    house.night()
    assert kinds(house) == ["debtor", "total"]
    debtor, total = found(house)
    assert debtor["other_value"] == "SIREN 552100554"
    assert (total["one_value"], total["other_value"]) == ("200,00", "210,00")


def test_an_invoice_the_books_do_not_have_is_listed_after_two_days(house: House) -> None:
    second = add_tool(house)
    house.night()
    with house.host.store.begin() as tx:
        books = next(x for x in links(tx, house.company) if x.connector == "othertool")
        routing.answer(
            house.host, tx, house.company, "record_payment", books.id, decided_by="essai"
        )
    house.paper.add(invoice("F-9", 900_00))
    house.night()
    house.night()
    assert kinds(house) == []
    house.night()
    (row,) = found(house)
    assert row["kind"] == "only_in_one"
    assert "F-9" in row["sentence"]
    second.add(invoice("F-9", 900_00))
    house.night()
    assert kinds(house) == []


def told(**how: Any) -> Told:
    values: dict[str, Any] = {
        "connection_id": "cnx_1",
        "tool": "Un",
        "number": "FA-0012",
        "total": 100_00,
        "open": 100_00,
        "due_dates": (date(2026, 1, 5),),
        "debtor_siren": None,
        "debtor_name": "Client Exemple S.A.S.",
    }
    return Told(**{**values, **how})


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ({}, None),
        ({"number": "fa 12", "debtor_name": "CLIENT EXEMPLE SAS"}, None),
        ({"open": None, "due_dates": (), "debtor_siren": "552100554"}, None),
        ({"open": 0}, "paid_in_one"),
        ({"open": 40_00}, "open_amounts"),
        ({"total": 90_00, "open": 90_00}, "total"),
        ({"due_dates": (date(2026, 1, 6),)}, "due_date"),
        ({"debtor_name": "Autre SARL"}, "debtor"),
        ({"number": "FA-13"}, "number"),
    ],
)
def test_what_counts_as_a_difference(how: dict[str, Any], kind: str | None) -> None:
    other = told(connection_id="cnx_2", tool="Deux", **how)
    said = list(between("clm_1", "FA-0012", [told(), other]))
    assert [each.kind for each in said] == ([] if kind is None else [kind])
    for each in said:
        assert each.sentence.startswith("Facture FA-0012 : ")
        assert {each.one_tool, each.other_tool} == {"Un", "Deux"}
        assert "{" not in each.advice
