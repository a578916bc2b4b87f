"""Nights of one company with Libeo: what keeps a sale back, what is told once, what is paid."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from tests.connectors_libeo.town import CENTS, SELLER, open_town

HERE = "sqlite:///{}/encaisse.db"


def test_a_promise_holds_a_sale_back_and_the_circuit_too(tmp_path: Path) -> None:
    with open_town(HERE.format(tmp_path), tmp_path / "home") as town:
        town.connect(SELLER)
        sale = town.sale()
        for status, rule in (
            ("Planifié", "promise_to_pay"),
            ("En cours", "payment_in_flight"),
            ("En approbation", "blocked_in_approval"),
            ("Validation refusée", "unknown_status"),
        ):
            town.world.libeo.set_status(sale, status)
            town.night(SELLER)
            assert town.decided(SELLER) == [({rule}, "open", CENTS)]
        town.world.libeo.set_status(sale, "À payer")
        town.night(SELLER)
        assert town.decided(SELLER) == [(set(), "open", CENTS)]


def test_a_deleted_sale_is_unseen_and_closes_nothing(tmp_path: Path) -> None:
    with open_town(HERE.format(tmp_path), tmp_path / "home") as town:
        town.connect(SELLER)
        sale = town.sale()
        town.night(SELLER)
        town.world.libeo.delete_invoice(sale)
        town.night(SELLER)
        assert town.decided(SELLER) == [({"unseen"}, "unseen", CENTS)]


def test_a_row_nobody_could_read_is_told_again_until_somebody_can(tmp_path: Path) -> None:
    with open_town(HERE.format(tmp_path), tmp_path / "home", spoil="1200.00") as town:
        town.connect(SELLER)
        sale = town.sale()
        town.night(SELLER)
        town.world.libeo.customer_pays(sale, CENTS, date(2026, 4, 14))  # its total is blotted
        town.clock.sleep(timedelta(hours=1).total_seconds())
        town.world.libeo.add_receivable(
            SELLER, "VTE-78", "Client", "999100019", date(2026, 4, 1), None, 5_000
        )
        town.blot.on = True
        night = town.night(SELLER)
        assert night.counts["unreadable"] == 1
        assert town.decided(SELLER) == [(set(), "open", CENTS)]
        assert town.decided(SELLER, "VTE-78") != []
        town.blot.on = False
        town.night(SELLER)
        assert town.decided(SELLER) == [({"paid"}, "settled", 0)]
        assert town.rows(SELLER)["unreadable"] == []
