"""A dossier of MyUnisoft through the host's nights: collected, written back once, settled."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.connectors_myunisoft.office import SECRET, SETTINGS, Office, opened
from tests.core.handing import Shelf, approve_and_sign, collect
from tests.core.paper import Paper, paper_connectors

from encaisse_api import Drift, FollowedUp, Missing, SourceInvoice
from encaisse_core import connecting, nightly, runner
from encaisse_core.app import App, open_app
from encaisse_core.cli import answering, resolving
from encaisse_core.clock import SeededIds, VirtualClock
from encaisse_core.errors import UsageError
from encaisse_core.store import schema
from encaisse_myunisoft.connector import MyUnisoftConnector
from encaisse_simulator.myunisoft.entries import Line
from encaisse_simulator.transport import SimTransport

EVENING = datetime(2026, 4, 13, 19, 0, tzinfo=UTC)


@dataclass
class House:
    """Run a company's nights over a dossier and a collector on paper."""

    app: App
    clock: VirtualClock
    office: Office
    paper: Paper
    company: str

    def night(self) -> nightly.Night:
        self.clock.sleep(timedelta(hours=24).total_seconds())
        return nightly.run_night(self.app.host, self.company, self.app.signer)

    def hand_over(self) -> str:
        """Propose, approve, sign and open; give the procedure."""
        self.night()
        approve_and_sign(self.app, self.company, self.paper)
        self.night()
        (procedure,) = self.paper.procedures
        return procedure

    def collect(self, payment: str, procedure: str, number: str, cents: int) -> None:
        collect(self.paper, payment, procedure, number, cents, date(2026, 4, 14))

    def claim(self, number: str) -> tuple[str, int, str | None]:
        c = schema.claim.c
        with self.app.host.store.begin() as tx:
            row = tx.execute(select(c.state, c.open, c.hold).where(c.number == number)).one()
            return row.state, row.open, row.hold

    def tasks(self) -> list[tuple[str, str]]:
        t = schema.task.c
        with self.app.host.store.begin() as tx:
            return [tuple(row) for row in tx.execute(select(t.kind, t.sentence))]

    def open_tasks(self) -> list[tuple[str, str]]:
        t = schema.task.c
        with self.app.host.store.begin() as tx:
            query = select(t.kind, t.id).where(t.done_at.is_(None))
            return [tuple(row) for row in tx.execute(query)]

    def answer(self, kind: str, **how: bool) -> None:
        ((_, task),) = (found for found in self.open_tasks() if found[0] == kind)
        given = answering.Answer(words="oui", by="essai", **how)  # type: ignore[arg-type]
        answering.answer(self.app.host, self.company, task, given)

    def settle(self, kind: str, way: str) -> None:
        e = schema.effect.c
        with self.app.host.store.begin() as tx:
            effect = tx.execute(select(e.id).where(e.kind == kind)).scalar_one()
        decided = resolving.Decision(way=way, reason="vu avec le comptable", by="essai")
        resolving.resolve(self.app.host, self.company, effect, decided)
        runner.drain(self.app.host, self.company, (kind,))

    def letters(self) -> list[str]:
        e = schema.effect.c
        with self.app.host.store.begin() as tx:
            query = select(e.state).where(e.kind == "letter").order_by(e.created_at)
            return list(tx.execute(query).scalars())

    def lines(self, number: str) -> list[Line]:
        books = self.office.books
        ids = books.line_ids(self.office.customer, number)
        return [line for _, line in books._dossier.lines() if line.id in ids]

    def lettered(self, number: str) -> tuple[set[str], int]:
        """Tell how the lines of an invoice are lettered, and what is owed of it there."""
        states = {line.state for line in self.lines(number)}
        return states, self.office.books.open_cents(self.office.customer, number)

    def payments(self) -> list[int]:
        with self.app.host.store.begin() as tx:
            return list(tx.execute(select(schema.payment.c.amount)).scalars())

    def events(self) -> int:
        v = schema.event.c
        with self.app.host.store.begin() as tx:
            return len(tx.execute(select(v.sequence)).all())

    def set_mode(self, mode: str) -> None:
        c = schema.connection
        with self.app.host.store.begin() as tx:
            tx.execute(
                c.update()
                .where(c.c.connector == "myunisoft")
                .values(settings=json.dumps({**SETTINGS, "mode": mode}))
            )

    def entries(self) -> tuple[int, int]:
        """Count our entries in the dossier: posted, waiting."""
        dossier = self.office.books._dossier
        ours = [
            sum((entry.origin.partner_id or "").startswith("GCO-") for entry in kept.values())
            for kept in (dossier.posted, dossier.pending)
        ]
        return ours[0], ours[1]


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


def test_collected_money_waits_as_a_draft_then_is_lettered_and_is_no_news(house: House) -> None:
    procedure = house.hand_over()
    house.collect("p1", procedure, "FA2026001", 50_000)
    house.night()
    assert house.entries() == (0, 1)
    assert house.claim("FA2026001") == ("open", 70_000, None)
    assert house.night().counts["entries_waiting"] == 1
    assert house.claim("FA2026001") == ("open", 70_000, None)
    assert house.letters() == []  # a draft is not lettered
    (draft,) = house.office.books.drafts()
    house.office.books.validate(draft)
    night = house.night()
    assert (night.counts["entries_posted"], night.counts["letterings"]) == (1, 1)
    assert house.letters() == ["done"]
    assert house.lettered("FA2026001") == ({"partial"}, 70_000)
    house.collect("p2", procedure, "FA2026001", 70_000)
    house.night()
    (draft,) = house.office.books.drafts()
    house.office.books.validate(draft)
    house.night()
    assert house.claim("FA2026001") == ("settled", 0, None)
    assert house.lettered("FA2026001") == ({"complete"}, 0)
    assert house.entries() == (2, 0)
    assert house.tasks() == []
    before = house.events()
    house.night()
    assert house.events() == before  # pulled again: nothing new


def test_an_entry_posted_at_once_is_lettered_the_same_night(house: House) -> None:
    house.set_mode("direct")
    procedure = house.hand_over()
    house.collect("p1", procedure, "FA2026001", 120_000)
    night = house.night()
    assert night.counts["letterings"] == 1
    assert house.entries() == (1, 0)
    assert house.lettered("FA2026001") == ({"complete"}, 0)
    assert house.claim("FA2026001") == ("settled", 0, None)
    assert house.tasks() == []


def test_what_the_accountant_lettered_himself_is_a_success(house: House) -> None:
    procedure = house.hand_over()
    house.collect("p1", procedure, "FA2026001", 50_000)
    house.night()
    (draft,) = house.office.books.drafts()
    house.office.books.validate(draft)
    house.office.books.letter_invoice(house.office.customer, "FA2026001")
    house.night()
    assert house.letters() == ["done"]
    assert house.tasks() == []
    assert house.claim("FA2026001") == ("open", 70_000, None)


def test_what_the_accountant_lettered_otherwise_is_left_to_him(house: House) -> None:
    procedure = house.hand_over()
    house.collect("p1", procedure, "FA2026001", 80_000)
    house.night()
    (draft,) = house.office.books.drafts()
    house.office.books.validate(draft)
    books, who = house.office.books, house.office.customer
    (paid,) = (line for line in house.lines("FA2026001") if line.credit)
    books.letter(paid.id, *books.line_ids(who, "FA2026002"))
    house.night()
    assert house.letters() == ["parked"]
    assert [kind for kind, _ in house.tasks()].count("conflict") == 1


def test_a_draft_the_accountant_refuses_is_owed_there_again_and_asks(house: House) -> None:
    procedure = house.hand_over()
    house.collect("p1", procedure, "FA2026001", 50_000)
    house.night()
    (draft,) = house.office.books.drafts()
    house.office.books.reject(draft)
    night = house.night()
    assert night.counts["entries_rejected"] == 1
    assert house.claim("FA2026001") == ("open", 70_000, None)  # the money came in all the same
    ((kind, sentence),) = house.tasks()
    assert kind == "entry_rejected"
    assert "FA2026001" in sentence and "500,00" in sentence
    house.night()
    assert house.entries() == (0, 0)  # and is not written again behind the accountant's back
    assert len(house.tasks()) == 1
    house.settle("record_payment", "retry")
    assert house.entries() == (0, 1)
    house.night()
    assert house.claim("FA2026001") == ("open", 70_000, None)


def test_an_entry_the_accountant_changed_makes_no_money(house: House) -> None:
    procedure = house.hand_over()
    house.collect("p1", procedure, "FA2026001", 50_000)
    house.night()
    (draft,) = house.office.books.drafts()
    house.office.books.validate(draft, cents=55_000)
    house.night()
    assert house.claim("FA2026001") == ("open", 70_000, "entry_altered")
    assert house.letters() == []
    house.answer("entry_altered", lift=True)
    house.night()
    assert house.claim("FA2026001") == ("open", 70_000, None)
    assert house.payments() == [50_000]


def test_a_bounce_is_seen_the_same_night_though_a_draft_waits(house: House) -> None:
    """The tool told that the draft still waits, so the rise is no refusal of it."""
    procedure = house.hand_over()
    books, who = house.office.books, house.office.customer
    books.receive(who, date(2026, 4, 16), 30_000, number="FA2026001")
    house.collect("p1", procedure, "FA2026001", 50_000)
    house.night()
    assert house.claim("FA2026001") == ("open", 40_000, None)
    house.night()
    books.give_back(who, date(2026, 4, 17), 30_000, number="FA2026001")
    house.night()
    assert house.claim("FA2026001") == ("open", 70_000, None)
    assert house.entries() == (0, 1)
    assert house.tasks() == []


def test_an_entry_nobody_looks_at_is_brought_to_mind_once(house: House) -> None:
    procedure = house.hand_over()
    house.collect("p1", procedure, "FA2026001", 50_000)
    house.night()
    house.clock.sleep(timedelta(days=31).total_seconds())
    house.night()
    house.night()
    assert [kind for kind, _ in house.tasks()].count("entry_waits") == 1
    (draft,) = house.office.books.drafts()
    house.office.books.validate(draft)
    house.night()
    assert "entry_waits" not in [kind for kind, _ in house.open_tasks()]


@pytest.mark.parametrize("kind", ["5xx", "malformed", "slow"])
def test_a_tool_that_cannot_tell_a_fate_changes_nothing(house: House, kind: str) -> None:
    procedure = house.hand_over()
    house.collect("p1", procedure, "FA2026001", 50_000)
    house.night()
    (draft,) = house.office.books.drafts()
    house.office.books.reject(draft)
    for _ in range(12):
        house.office.world.faults.schedule(kind, method="GET", path="/mad/entry$")  # type: ignore[arg-type]
    house.night()
    assert house.claim("FA2026001")[:2] == ("open", 70_000)
    assert house.claim("FA2026001")[2] != "amount_rose"
    house.office.world.faults.clear()
    house.night()
    assert [kind for kind, _ in house.tasks()] == ["entry_rejected"]


def test_an_invoice_of_last_year_is_lettered_once_its_year_is_closed(house: House) -> None:
    house.office.invoice("FA2025009", 60_000, issued=date(2025, 11, 3), due=date(2025, 12, 3))
    procedure = house.hand_over()
    house.collect("p1", procedure, "FA2025009", 60_000)
    house.set_mode("direct")
    house.night()
    assert house.letters() == ["planned"]  # in MONO lines of two years do not meet
    for _ in range(8):
        house.night()
    assert house.letters() == ["planned"]
    house.office.books.carry_forward(date(2025, 6, 1))
    for _ in range(8):
        house.night()
    assert house.letters() == ["done"]
    assert house.claim("FA2025009") == ("settled", 0, None)
    assert house.tasks() == []


def test_an_invoice_nobody_can_read_hides_no_other_entrys_fate(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    procedure = house.hand_over()
    house.collect("p1", procedure, "FA2026001", 50_000)
    house.collect("p2", procedure, "FA2026002", 30_000)
    house.night()
    for draft in house.office.books.drafts():
        house.office.books.validate(draft)
    whole = MyUnisoftConnector.read_invoices

    def spoilt(self: MyUnisoftConnector, refs: Sequence[str]) -> Sequence[SourceInvoice | Missing]:
        if any(ref.endswith("FA2026001") for ref in refs):
            raise Drift("illisible")
        return whole(self, refs)

    monkeypatch.setattr(MyUnisoftConnector, "read_invoices", spoilt)
    assert house.night().counts["entries_posted"] == 1
    monkeypatch.undo()
    assert house.night().counts["entries_posted"] == 1


def test_a_refused_entry_of_an_invoice_that_is_gone_makes_no_money(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    procedure = house.hand_over()
    house.collect("p1", procedure, "FA2026001", 50_000)
    house.night()
    (draft,) = house.office.books.drafts()
    follow = MyUnisoftConnector.follow_up

    def refused(self: MyUnisoftConnector, remote_ids: Sequence[str]) -> Sequence[FollowedUp]:
        if draft in house.office.books.drafts():
            house.office.books.reject(draft)  # after tonight's list was read
        return follow(self, remote_ids)

    def gone(self: MyUnisoftConnector, refs: Sequence[str]) -> Sequence[SourceInvoice | Missing]:
        return [Missing(ref=ref) for ref in refs]

    monkeypatch.setattr(MyUnisoftConnector, "follow_up", refused)
    monkeypatch.setattr(MyUnisoftConnector, "read_invoices", gone)
    assert house.night().counts["entries_rejected"] == 1
    assert house.payments() == [50_000]
    assert house.claim("FA2026001") == ("open", 70_000, None)


def test_a_payment_undone_while_it_waits_is_lettered_with_its_undoing(house: House) -> None:
    house.office.invoice("FA2025009", 60_000, issued=date(2025, 11, 3), due=date(2025, 12, 3))
    procedure = house.hand_over()
    house.collect("p1", procedure, "FA2025009", 60_000)
    house.set_mode("direct")
    house.night()
    house.paper.reverse("p1", date(2026, 4, 15))
    for _ in range(10):
        house.night()
    assert house.letters() == ["refused", "done"]
    assert house.claim("FA2025009") == ("open", 60_000, None)
    assert house.tasks() == []


def test_a_payment_undone_before_it_was_lettered_is_lettered_with_its_undoing(
    house: House,
) -> None:
    procedure = house.hand_over()
    house.collect("p1", procedure, "FA2026001", 50_000)
    house.night()
    house.paper.reverse("p1", date(2026, 4, 15))
    house.night()
    for draft in house.office.books.drafts():
        house.office.books.validate(draft)
    house.night()
    assert house.letters() == ["done"]
    states = {line.lettering for line in house.lines("FA2026001") if line.debit == 120_000}
    assert states == {None}  # the invoice itself is open again
    assert house.claim("FA2026001") == ("open", 120_000, None)


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
