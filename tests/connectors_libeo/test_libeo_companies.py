"""Two companies of one store, one of which owes the other: neither learns from the other's tool."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.connectors_libeo.books import DUE, ISSUED
from tests.connectors_libeo.town import BUYER, CENTS, NAMES, NUMBER, SELLER, SIRETS, Town, open_town

from encaisse_core import connecting, facts
from encaisse_core.errors import UsageError
from encaisse_libeo.statuses import STATUSES

pytestmark = pytest.mark.slow  # whole nights of a company


@pytest.fixture
def town(database_url: str, tmp_path: Path) -> Iterator[Town]:
    """Open one store for both companies, on each database."""
    with open_town(database_url, tmp_path / "home") as opened:
        yield opened


def test_a_sale_is_collectible_and_a_purchase_never_is(town: Town) -> None:
    town.connect(SELLER)
    town.connect(BUYER)
    town.sale()
    town.purchase()
    town.night(SELLER)
    town.night(BUYER)
    assert town.decided(SELLER) == [(set(), "open", CENTS)]
    ((why, state, _),) = town.decided(BUYER)
    assert "purchase" in why
    assert state == "open"
    with town.of(BUYER).store.begin() as tx:
        assert facts.collectible(town.of(BUYER), tx, town.companies[BUYER]) == []


def test_nothing_a_buyer_s_tool_says_changes_a_row_of_its_seller(town: Town) -> None:
    town.connect(SELLER)
    town.connect(BUYER)
    town.sale()
    town.night(SELLER)
    purchase = town.purchase()
    for status in (*STATUSES, "Validation refusée"):
        before = town.rows(SELLER)
        town.world.libeo.set_status(purchase, status)
        town.night(BUYER)
        assert town.directions(BUYER) == ["payable"], status
        assert town.rows(SELLER) == before, status
    town.night(SELLER)
    assert town.directions(SELLER) == ["receivable"]
    assert town.decided(SELLER) == [(set(), "open", CENTS)]


def test_a_payment_the_buyer_made_is_no_news_to_the_seller_until_its_own_tool_says_so(
    town: Town,
) -> None:
    town.connect(SELLER)
    town.connect(BUYER)
    sale, purchase = town.sale(), town.purchase()
    town.night(SELLER)
    town.world.libeo.schedule_payment(purchase, date(2026, 4, 20))
    town.clock.sleep(timedelta(days=9).total_seconds())
    town.night(BUYER)
    ((why, state, open_),) = town.decided(BUYER)
    assert (state, open_) == ("settled", 0)
    assert {"purchase", "paid"} <= why
    town.night(SELLER)
    assert town.decided(SELLER) == [(set(), "open", CENTS)]
    town.world.libeo.customer_pays(sale, CENTS, date(2026, 4, 22))
    town.night(SELLER)
    ((why, state, open_),) = town.decided(SELLER)
    assert ({"paid"}, "settled", 0) == (why, state, open_)


def test_what_the_company_pays_its_supplier_is_no_payment_received(town: Town) -> None:
    town.connect(BUYER)
    purchase = town.purchase()
    town.night(BUYER)
    town.world.libeo.credit_note(purchase, 20_000, date(2026, 4, 14))
    town.night(BUYER)
    ((_, _, open_),) = town.decided(BUYER)
    assert open_ == CENTS - 20_000
    town.world.libeo.schedule_payment(purchase, date(2026, 4, 20))
    town.clock.sleep(timedelta(days=9).total_seconds())
    town.night(BUYER)
    rows = town.rows(BUYER)
    assert (rows["payment"], rows["allocation"], rows["effect"]) == ([], [], [])
    assert town.tasks(BUYER) == set()


def test_a_purchase_never_joins_a_sale_however_alike(town: Town) -> None:
    town.connect(BUYER)
    town.purchase(siren="")
    town.world.libeo.add_receivable(BUYER, NUMBER, "Client sans SIREN", "", ISSUED, DUE, CENTS)
    town.night(BUYER)
    found = town.decided(BUYER)
    assert len(found) == 2
    assert sum("purchase" in why for why, _, _ in found) == 1
    assert all("possible_duplicate" not in why for why, _, _ in found)


def test_a_key_of_another_company_is_refused_and_leaves_nothing(town: Town) -> None:
    before = town.rows(BUYER)
    with pytest.raises(UsageError, match="812345676"):
        town.connect(BUYER, key=SELLER)
    assert town.rows(BUYER) == before


def test_a_real_access_is_refused_while_the_contract_is_assumed(town: Town) -> None:
    company = connecting.add_company(
        town.host, siren=SELLER, name=NAMES[SELLER], environment="live"
    )
    with pytest.raises(UsageError, match="contrat supposé"):
        connecting.connect(
            town.host,
            town.app.vault,
            company_id=company,
            connector="libeo",
            values={"api_key": "x", "siret": SIRETS[SELLER]},
        )
