"""What the tests of nights with MyUnisoft share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.connectors_myunisoft.home import EVENING, House
from tests.connectors_myunisoft.office import SECRET, SETTINGS, Office, opened
from tests.core.handing import Shelf
from tests.core.paper import Paper, paper_connectors

from encaisse_core import connecting
from encaisse_core.app import open_app
from encaisse_core.clock import SeededIds, VirtualClock
from encaisse_myunisoft.connector import MyUnisoftConnector
from encaisse_simulator.transport import SimTransport


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with opened(now=EVENING) as office:
        office.invoice("FA2026001", 120_000)
        office.invoice("FA2026002", 80_000)
        clock = VirtualClock(EVENING, [office.world.set_now])
        paper = Paper()
        shelf = Shelf({"myunisoft": MyUnisoftConnector, **paper_connectors(paper)})
        app = open_app(
            {},
            folder=tmp_path / "home",
            clock=clock,
            ids=SeededIds(1, clock),
            connectors=shelf,
            transport=SimTransport(office.world),
        )
        company = connecting.add_company(
            app.host, siren=office.books.siren, name="Société", environment="test"
        )
        values = {"token": office.token, "partner_secret": SECRET, **SETTINGS}
        connecting.connect(
            app.host, app.vault, company_id=company, connector="myunisoft", values=values
        )
        connecting.connect(
            app.host, app.vault, company_id=company, connector="papercollector", values={}
        )
        yield House(app, clock, office, paper, company)
        app.close()


@pytest.fixture
def office() -> Iterator[Office]:
    """Open a dossier with one invoice."""
    with opened() as made:
        made.invoice("F1")
        yield made
