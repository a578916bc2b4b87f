"""A dossier of MyUnisoft through the host's nights: collected, written back once, settled."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select
from tests.connectors_myunisoft.home import House
from tests.connectors_myunisoft.office import SECRET

from encaisse_core import connecting
from encaisse_core.errors import UsageError
from encaisse_core.store import schema


def test_the_dossier_of_another_company_is_not_connected(house: House) -> None:
    other = connecting.add_company(
        house.app.host, siren="812345676", name="Autre", environment="test"
    )
    values = {"token": house.office.token, "partner_secret": SECRET}
    with pytest.raises(UsageError, match="987654324, pas de 812345676"):
        connecting.connect(
            house.app.host,
            house.app.vault,
            company_id=other,
            connector="myunisoft",
            values=values,
        )


@pytest.mark.parametrize("kind", ["lost_reply", "5xx_after", "malformed"])
def test_a_lost_reply_is_looked_up_and_written_once(house: House, kind: str) -> None:
    procedure = house.hand_over()
    house.collect("p1", procedure, "FA2026001", 50_000)
    house.office.world.faults.schedule(kind, method="POST", path="/entry")  # type: ignore[arg-type]
    house.night()
    house.night()
    assert house.entries() == (0, 1)
    assert house.claim("FA2026001") == ("open", 70_000, None)


def test_an_invoice_paid_into_the_books_leaves_collection_the_same_night(house: House) -> None:
    procedure = house.hand_over()
    books, who = house.office.books, house.office.customer
    books.receive(who, date(2026, 4, 14), 80_000, number="FA2026002", lettered=True)
    house.night()
    assert house.claim("FA2026002") == ("settled", 0, None)
    assert house.claim("FA2026001") == ("open", 120_000, None)
    assert procedure in house.paper.procedures
    assert house.paper.stops


def test_a_returned_payment_is_undone_in_the_books(house: House) -> None:
    procedure = house.hand_over()
    house.collect("p1", procedure, "FA2026001", 50_000)
    house.night()
    house.paper.reverse("p1", date(2026, 4, 15))
    house.night()
    house.night()
    assert house.entries() == (0, 2)
    assert house.claim("FA2026001") == ("open", 120_000, None)


def test_who_unletters_is_asked_where_a_payment_that_went_back_is_lettered(house: House) -> None:
    """Nothing unletters by itself: what paid the invoice afterwards would stand alone, unsaid."""
    house.set_mode("direct")
    procedure = house.hand_over()
    house.collect("p1", procedure, "FA2026001", 120_000)
    for _ in range(2):
        house.night()
    assert house.letters() == ["done"]
    house.paper.reverse("p1", date(2026, 4, 16))
    for _ in range(2):
        house.night()
    assert house.open_tasks() == []
    house.collect("p2", procedure, "FA2026001", 120_000)
    for _ in range(3):
        house.night()
    assert house.letters() == ["done", "parked"]
    ((kind, _),) = house.open_tasks()
    assert kind == "conflict"
    (said,) = house.tasks_said()
    assert "délettrez-le" in said


def test_the_year_ends_and_no_claim_changes(house: House) -> None:
    house.night()
    before = house.claim("FA2026001"), house.claim("FA2026002")
    house.clock.set(datetime(2027, 3, 1, 19, 0, tzinfo=UTC))
    house.office.books.carry_forward(date(2025, 6, 1))
    house.office.books.carry_forward(date(2026, 6, 1))
    house.night()
    assert (house.claim("FA2026001"), house.claim("FA2026002")) == before
    assert house.tasks() == []
    with house.app.host.store.begin() as tx:
        assert len(tx.execute(select(schema.sighting.c.id)).all()) == 2


def test_a_month_lettered_in_one_evening_pauses_nothing(house: House) -> None:
    """Accountants letter in batches: most of a dossier may be paid at once."""
    books = house.office.books
    who = [books.add_customer(f"Client {n}", number=f"411C{n:06}") for n in range(12)]
    for n, customer in enumerate(who):
        house.office.invoice(f"FB{n:03}", 10_000 + n, customer=customer)
    house.night()
    for n, customer in enumerate(who[:10]):
        books.receive(customer, date(2026, 4, 14), 10_000 + n, number=f"FB{n:03}", lettered=True)
    assert house.night().failures == {}
    assert house.tasks() == []
    states = [house.claim(f"FB{n:03}")[0] for n in range(12)]
    assert states == ["settled"] * 10 + ["open"] * 2


def test_a_receipt_the_accountant_allocates_blocks_no_more_and_asks_nothing(house: House) -> None:
    books, who = house.office.books, house.office.customer
    books.receive(who, date(2026, 4, 1), 30_000)
    house.night()
    (receipt,) = (ref for ref in house.office.pulled() if "#" in ref)
    invoice = books.line_ids(who, "FA2026001")[0]
    books.letter(invoice, int(receipt.partition("#")[2]), partial=True)
    house.night()
    assert house.claim("FA2026001") == ("open", 90_000, None)
    assert house.tasks() == []


def test_an_access_that_is_renewed_keeps_what_was_not_typed_again(house: House) -> None:
    def connect(**typed: str) -> dict[str, str]:
        values = {"token": house.office.token, "partner_secret": SECRET, **typed}
        made = connecting.connect(
            house.app.host,
            house.app.vault,
            company_id=house.company,
            connector="myunisoft",
            values=values,
        )
        return dict(made.settings)

    assert connect(mode="direct") == {"counterpart": "4671000000", "mode": "direct"}
    assert connect() == {"counterpart": "4671000000", "mode": "direct"}
    assert connect(mode="") == {"counterpart": "4671000000"}  # typed empty: as if never said
