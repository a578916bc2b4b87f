"""Factomos feeds MyUnisoft: one destination for our entries, and their copy is the same money."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.connectors_myunisoft.office import SECRET, SETTINGS, SIREN, Office, opened
from tests.core.handing import Shelf, approve_and_sign, collect
from tests.core.paper import Paper, paper_connectors

from encaisse_api import RecordsPayments
from encaisse_core import connecting, facts, nightly, routing
from encaisse_core.app import App, open_app
from encaisse_core.clock import SeededIds, VirtualClock
from encaisse_core.host import links
from encaisse_core.store import schema
from encaisse_factomos.connector import FactomosConnector
from encaisse_myunisoft.connector import MyUnisoftConnector
from encaisse_simulator.transport import SimTransport

EVENING = datetime(2026, 4, 13, 19, 0, tzinfo=UTC)
TOKEN = "jeton-factomos"


@dataclass
class Street:
    """Run a company's nights over Factomos, MyUnisoft and the bridge between them."""

    app: App
    clock: VirtualClock
    office: Office
    paper: Paper
    company: str
    pids: dict[str, str]

    def connect(self, connector: str, **values: str) -> None:
        connecting.connect(
            self.app.host,
            self.app.vault,
            company_id=self.company,
            connector=connector,
            values=values,
        )

    def connect_books(self) -> None:
        self.connect("myunisoft", token=self.office.token, partner_secret=SECRET, **SETTINGS)

    def night(self) -> nightly.Night:
        self.clock.sleep(timedelta(hours=24).total_seconds())
        done = nightly.run_night(self.app.host, self.company, self.app.signer)
        assert done.failures == {}
        return done

    def confirm(self) -> None:
        with self.app.host.store.begin() as tx:
            found = routing.proposed(self.app.host, tx, self.company, RecordsPayments)
            assert found is not None
            routing.answer(
                self.app.host,
                tx,
                self.company,
                "record_payment",
                found.source.id,
                decided_by="essai",
                feeds=[found.target.id],
            )

    def unbridge(self) -> None:
        """Say that the tool written to feeds no other any more."""
        with self.app.host.store.begin() as tx:
            r = schema.routing.c
            target = tx.execute(select(r.connection_id)).scalar_one()
            routing.answer(
                self.app.host, tx, self.company, "record_payment", target, decided_by="essai"
            )

    def hand_over(self) -> str:
        approve_and_sign(self.app, self.company, self.paper)
        self.night()
        (procedure,) = self.paper.procedures
        return procedure

    def collect(self, payment: str, procedure: str, number: str, cents: int) -> None:
        collect(self.paper, payment, procedure, number, cents, date(2026, 4, 17))

    def payments(self) -> list[tuple[str, int]]:
        p = schema.payment.c
        with self.app.host.store.begin() as tx:
            query = select(p.origin, p.amount).order_by(p.created_at, p.id)
            return [(row.origin, row.amount) for row in tx.execute(query)]

    def claim(self, number: str) -> tuple[str, int, str | None]:
        c = schema.claim.c
        with self.app.host.store.begin() as tx:
            row = tx.execute(select(c.state, c.open, c.hold).where(c.number == number)).one()
            return row.state, row.open, row.hold

    def tasks(self) -> dict[str, str]:
        t = schema.task.c
        with self.app.host.store.begin() as tx:
            query = select(t.kind, t.sentence).where(t.done_at.is_(None))
            return {row.kind: row.sentence for row in tx.execute(query)}

    def reasons(self, number: str) -> set[str]:
        with self.app.host.store.begin() as tx:
            (found,) = (
                each
                for each in facts.decide_all(self.app.host, tx, self.company)
                if each.facts.number == number
            )
            return {reason.rule for reason in found.decision.reasons}

    def written(self) -> tuple[int, int]:
        """Count our entries: in Factomos, in MyUnisoft."""
        factomos = sum(
            reference.startswith("enc-")
            for pid in self.pids.values()
            for reference in self.office.world.factomos.payment_references(pid)
        )
        dossier = self.office.books._dossier
        ours = [*dossier.posted.values(), *dossier.pending.values()]
        return factomos, sum((each.origin.partner_id or "").startswith("GCO-") for each in ours)


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    with opened(now=EVENING) as office:
        world = office.world
        world.factomos.add_company(TOKEN, SIREN, "Atelier Exemple SARL")
        contact = world.factomos.add_contact(
            TOKEN, "Client du pont SAS", siret="55210055400013", postcode="35000", city="Rennes"
        )
        pids = {
            number: world.factomos.add_invoice(
                number, contact, date(2026, 2, 2), date(2026, 3, 4), cents, document=b"%PDF-1.4"
            )
            for number, cents in (("FA2026001", 120_000), ("FA2026002", 80_000))
        }
        world.connect_bridge(TOKEN, office.books)
        clock = VirtualClock(EVENING, [world.set_now])
        paper = Paper()
        shelf = Shelf(
            {
                "factomos": FactomosConnector,
                "myunisoft": MyUnisoftConnector,
                **paper_connectors(paper),
            }
        )
        app = open_app(
            {},
            folder=tmp_path / "home",
            clock=clock,
            ids=SeededIds(1, clock),
            connectors=shelf,
            transport=SimTransport(world),
        )
        company = connecting.add_company(app.host, siren=SIREN, name="Société", environment="test")
        made = Street(app, clock, office, paper, company, pids)
        made.connect("factomos", token=TOKEN)
        made.connect("papercollector")
        yield made
        app.close()


def test_the_copies_are_the_same_claims(street: Street) -> None:
    street.connect_books()
    street.night()
    with street.app.host.store.begin() as tx:
        assert len(tx.execute(select(schema.claim.c.id)).all()) == 2
        assert len(tx.execute(select(schema.sighting.c.id)).all()) == 4
    assert street.reasons("FA2026001") == set()


def test_a_second_tool_asks_whether_the_first_feeds_it_and_writes_nothing_meanwhile(
    street: Street,
) -> None:
    street.night()
    procedure = street.hand_over()
    street.connect_books()
    street.collect("p1", procedure, "FA2026001", 50_000)
    street.night()
    said = street.tasks()["routing"]
    assert "Factomos envoie-t-il ses écritures à MyUnisoft ?" in said
    assert "2 factures de MyUnisoft sur 2 disent venir de Factomos" in said
    assert street.written() == (0, 0)
    street.confirm()
    assert "routing" not in street.tasks()
    street.night()
    assert street.written() == (1, 0)


def test_what_we_write_comes_back_over_the_bridge_as_the_same_money(street: Street) -> None:
    street.connect_books()
    street.night()
    street.confirm()
    procedure = street.hand_over()
    street.collect("p1", procedure, "FA2026001", 50_000)
    for _ in range(4):
        street.night()
    assert street.written() == (1, 0)
    copies = street.office.books.payments("FA2026001")
    assert [entry.amount_cents for entry in copies] == [50_000]  # the bridge did copy it
    assert street.payments() == [("collector", 50_000)]
    assert street.claim("FA2026001") == ("open", 70_000, None)
    assert street.tasks() == {}
    assert street.reasons("FA2026001") == {"in_procedure"}


@pytest.mark.slow
def test_money_that_goes_back_goes_back_over_the_bridge_too(street: Street) -> None:
    street.connect_books()
    street.night()
    street.confirm()
    procedure = street.hand_over()
    street.collect("p1", procedure, "FA2026001", 50_000)
    for _ in range(3):
        street.night()
    street.paper.reverse("p1", date(2026, 4, 20))
    for _ in range(4):
        street.night()
    assert street.payments() == [("collector", 50_000), ("collector", -50_000)]
    assert street.claim("FA2026001") == ("open", 120_000, None)
    assert street.tasks() == {}


@pytest.mark.slow
def test_a_customer_who_pays_directly_is_one_payment_in_both(street: Street) -> None:
    street.connect_books()
    street.night()
    street.confirm()
    street.hand_over()
    factomos = street.office.world.factomos
    factomos.customer_pays(street.pids["FA2026002"], 80_000, date(2026, 4, 17))
    for _ in range(3):
        street.night()
    assert street.payments() == [("source", 80_000)]
    assert street.claim("FA2026002") == ("settled", 0, None)
    assert street.tasks() == {}


@pytest.mark.slow
def test_entries_made_before_the_bridge_was_known_are_recognised(street: Street) -> None:
    street.night()
    procedure = street.hand_over()
    street.collect("p1", procedure, "FA2026001", 50_000)
    street.night()
    assert street.written() == (1, 0)  # the only tool answers itself
    street.connect_books()
    street.night()
    street.confirm()
    for _ in range(3):
        street.night()
    assert street.payments() == [("collector", 50_000)]
    assert street.claim("FA2026001") == ("open", 70_000, None)
    assert street.reasons("FA2026001") == {"in_procedure"}


def test_nothing_is_proposed_where_no_record_speaks_for_it(street: Street) -> None:
    street.office.world.bridges.clear()
    street.office.invoice("FA2026009", 10_000)
    street.connect_books()
    street.night()
    said = street.tasks()["routing"]
    assert "Aucune facture ne le dit" in said
    with street.app.host.store.begin() as tx:
        tools = routing.candidates(street.app.host, tx, street.company, RecordsPayments)
        assert len(tools) == 2
        assert len(links(tx, street.company)) == 3


@pytest.mark.slow
def test_a_bridge_that_is_no_more_hides_no_payment_of_the_customer(street: Street) -> None:
    street.connect_books()
    street.night()
    street.confirm()
    procedure = street.hand_over()
    street.collect("p1", procedure, "FA2026001", 50_000)
    street.night()
    assert street.written() == (1, 0)
    street.office.world.bridges.clear()  # before it copied our entry
    street.unbridge()
    books = street.office.books
    (line,) = (x for _, x in books._dossier.lines() if x.number == "FA2026001" and x.debit)
    books.receive(line.account.number, street.clock.today(), 30_000, number="FA2026001")
    street.night()
    assert street.payments() == [("collector", 50_000), ("source", 30_000)]
    assert street.claim("FA2026001") == ("open", 40_000, None)
