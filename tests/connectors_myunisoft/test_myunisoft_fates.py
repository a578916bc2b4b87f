"""What an accountant makes of our entries, and their lettering: money stays what it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from tests.connectors_myunisoft.home import House

from encaisse_api import Drift, FollowedUp, Missing, SourceInvoice
from encaisse_myunisoft.connector import MyUnisoftConnector

pytestmark = pytest.mark.slow  # whole nights of a company


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
    assert house.letters() == ["refused"]
    assert "conflict" not in {kind for kind, _ in house.tasks()}
    house.night()
    assert house.letters() == ["refused"]  # once and for all


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
    assert [kind for kind, _ in house.tasks()] == ["told_and_gone"], "the collector was told"


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
