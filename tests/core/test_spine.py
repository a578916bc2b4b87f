"""The way of a claim through the host, on both databases, with partners on paper."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.core.houses import House, make
from tests.core.paper import invoice

from encaisse_api import Transient, Unreadable
from encaisse_core import journal, proposals, referrers, runner
from encaisse_core.clock import VirtualClock
from encaisse_core.store import schema


@pytest.fixture
def house(database_url: str, tmp_path: Path, clock: VirtualClock) -> Iterator[House]:
    made = make(database_url, tmp_path, clock)
    yield made
    made.app.close()


def test_an_overdue_invoice_goes_from_the_tool_to_collection(house: House) -> None:
    opened = house.open_everything()
    assert len(opened) == 1  # one client, one dialogue
    assert len(house.paper.procedures[opened[0]].claims) == 8
    assert house.reasons("F-1") == {"in_procedure"}


def test_what_we_wrote_back_is_no_news_the_next_night(house: House) -> None:
    opened = house.open_everything()
    line = house.paper.procedures[opened[0]].claims[0].line
    house.paper.collect("p1", opened[0], line, line.principal.minor, date(2026, 2, 5))
    house.night()
    assert [cents for _, _, cents in house.paper.written] == [line.principal.minor]
    assert house.claim(line.invoice_number)["state"] == "settled"
    events = house.count("event")
    again = house.night()
    assert house.count("event") == events, again
    assert len(house.paper.written) == 1


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_lost_reply_is_looked_up_never_sent_twice(house: House, lost: int) -> None:
    opened = house.open_everything()
    line = house.paper.procedures[opened[0]].claims[0].line
    house.paper.collect("p1", opened[0], line, 5_00, date(2026, 2, 5))
    house.paper.collect("p2", opened[0], line, 7_00, date(2026, 2, 5))
    house.paper.lose_replies = lost
    house.night()
    house.night()
    assert sorted(cents for _, _, cents in house.paper.written) == [5_00, 7_00]


def test_a_customer_who_pays_directly_is_left_in_peace_the_same_night(house: House) -> None:
    opened = house.open_everything()
    number = house.paper.procedures[opened[0]].claims[0].line.invoice_number
    house.paper.pay(number, 100_00 * int(number.removeprefix("F-")))
    house.night()
    assert [(kind, ref) for kind, _, ref in house.paper.stops] == [("direct_payment", opened[0])]
    assert house.claim(number)["state"] == "settled"
    assert house.paper.written == []  # it is in the books already


def test_a_reversed_payment_is_undone_in_the_books(house: House) -> None:
    opened = house.open_everything()
    line = house.paper.procedures[opened[0]].claims[0].line
    house.paper.collect("p1", opened[0], line, 40_00, date(2026, 2, 5))
    house.night()
    house.paper.reverse("p1", date(2026, 2, 7))
    house.night()
    assert [cents for _, _, cents in house.paper.written] == [40_00, -40_00]
    assert house.claim(line.invoice_number)["open"] == line.principal.minor
    events = house.count("event")
    house.night()
    assert house.count("event") == events


def test_money_paid_twice_is_the_debtors(house: House) -> None:
    opened = house.open_everything()
    line = house.paper.procedures[opened[0]].claims[0].line
    for name in ("p1", "p2"):
        house.paper.collect(name, opened[0], line, line.principal.minor, date(2026, 2, 5))
    house.night()
    assert [cents for _, _, cents in house.paper.written] == [line.principal.minor]
    assert "refund" in house.tasks()


def test_the_same_money_typed_in_by_hand_stops_everything_and_asks(house: House) -> None:
    opened = house.open_everything()
    line = house.paper.procedures[opened[0]].claims[0].line
    house.paper.collect("p1", opened[0], line, 40_00, date(2026, 2, 5))
    house.night()
    house.paper.pay(line.invoice_number, 40_00)
    house.night()
    assert house.claim(line.invoice_number)["hold"] == "maybe_same"
    assert "maybe_same" in house.tasks()
    assert [kind for kind, _, _ in house.paper.stops] == ["pause"]


def test_a_list_cut_short_closes_nothing(house: House) -> None:
    house.night()
    house.paper.cut_short = True
    house.paper.invoices = dict(list(house.paper.invoices.items())[:4])
    night = house.night()
    assert list(night.failures.values()) == ["liste coupée"]
    assert all(house.claim(f"F-{number}")["state"] == "open" for number in range(1, 9))


def test_a_source_that_failed_tonight_opens_nothing_of_its_company(house: House) -> None:
    house.night()
    made = proposals.propose(house.host, house.company)
    proposals.approve(house.host, house.company, made, by="essai")
    runner.drain(house.host, house.company)
    house.paper.mandates = {k: (draft, "signed") for k, (draft, _) in house.paper.mandates.items()}
    house.paper.fail_pull = Transient("en panne")
    house.night()
    assert house.paper.procedures == {}
    house.paper.fail_pull = None
    house.night()
    assert len(house.paper.procedures) == 1


def test_an_invoice_paid_between_approval_and_opening_is_not_handed_over(house: House) -> None:
    house.night()
    made = proposals.propose(house.host, house.company)
    proposals.approve(house.host, house.company, made, by="essai")
    runner.drain(house.host, house.company)
    house.paper.mandates = {k: (draft, "signed") for k, (draft, _) in house.paper.mandates.items()}
    house.paper.pay("F-3", 300_00)
    house.night()
    (file,) = house.paper.procedures.values()
    assert "F-3" not in {claim.line.invoice_number for claim in file.claims}


def test_half_the_invoices_vanishing_pauses_the_tool_and_closes_nothing(house: House) -> None:
    for number in range(10, 30):
        house.paper.add(invoice(f"F-{number}", 50_00 + number))
    house.night()
    house.paper.invoices = dict(list(house.paper.invoices.items())[:10])
    house.night()
    assert "mass_vanishing" in house.tasks()
    assert house.claim("F-25")["state"] == "open"
    assert "stale" in house.reasons("F-25")


def test_an_invoice_the_tool_no_longer_knows_is_unseen_not_paid(house: House) -> None:
    house.night()
    del house.paper.invoices["r-F-2"]
    house.night()
    assert house.claim("F-2")["state"] == "unseen"
    assert "unseen" in house.reasons("F-2")


def test_an_unreadable_row_is_kept_raw_and_the_page_lives(house: House) -> None:
    house.paper.unreadable.append(Unreadable(ref="r-x", raw="{montant: ?}", reason="montant"))
    house.night()
    assert house.count("sighting") == 8
    with house.host.store.begin() as tx:
        assert tx.execute(select(schema.unreadable.c.raw)).scalars().all() == ["{montant: ?}"]


def test_removing_a_connector_leaves_the_rest_working(house: House) -> None:
    house.open_everything()
    del house.shelf.known["papercollector"]
    house.paper.pay("F-1", 100_00)
    house.night()
    assert house.claim("F-1")["state"] == "settled"


def test_payout_and_commission_are_posted_once(house: House) -> None:
    with house.host.store.begin() as tx:
        made = referrers.add(house.host, tx, house.company, "Éditeur", "editor")
        agreed = referrers.Agreed(200_000, house.clock.today())
        referrers.agree(house.host, tx, house.company, made, agreed)
        c = schema.connection
        tx.execute(c.update().where(c.c.connector == "papertool").values(referrer_id=made))
    opened = house.open_everything()
    line = house.paper.procedures[opened[0]].claims[0].line
    house.paper.collect("p1", opened[0], line, 50_00, date(2026, 2, 5))
    house.night()
    house.paper.pay_out("v1", ["p1"], date(2026, 2, 7))
    house.night()
    house.night()
    c, e, v = schema.commission_line, schema.commission_entry, schema.voucher_line
    with house.host.store.begin() as tx:
        lines = tx.execute(select(c.c.kind, c.c.amount).order_by(c.c.kind)).all()
        assert [tuple(row) for row in lines] == [("accrual", 1_00), ("payable", 1_00)]
        assert tx.execute(select(func.sum(e.c.amount))).scalar_one() == 0
        sums = tx.execute(select(func.sum(v.c.debit), func.sum(v.c.credit))).one()
        assert sums[0] == sums[1] > 0
    house.paper.reverse("p1", date(2026, 2, 9))
    house.night()
    with house.host.store.begin() as tx:
        total = tx.execute(select(func.sum(c.c.amount)).where(c.c.kind != "payable")).scalar_one()
        assert total == 0


def test_the_journal_of_a_whole_life_verifies(house: House) -> None:
    opened = house.open_everything()
    line = house.paper.procedures[opened[0]].claims[0].line
    house.paper.collect("p1", opened[0], line, 50_00, date(2026, 2, 5))
    house.night()
    with house.host.store.begin() as tx:
        lines = list(journal.export(tx, house.company))
    verdict = journal.verify(lines)
    assert verdict.ok, verdict.sentence_fr
    broken = [text.replace('"rung":0', '"rung":1', 1) for text in lines]
    assert not journal.verify(broken).ok


def test_a_siren_and_a_due_date_added_in_the_tool_lift_the_rules_that_asked(house: House) -> None:
    known = invoice("F-1", 100_00)
    nameless = known.debtor.model_copy(update={"siren": None, "kind": "unknown"})
    dateless = known.instalments[0].model_copy(update={"due_date": None})
    house.paper.add(known.model_copy(update={"debtor": nameless, "instalments": (dateless,)}))
    house.night()
    assert {"debtor_unidentified", "due_date_missing"} <= house.reasons("F-1")
    house.paper.add(known)
    house.night()
    assert house.reasons("F-1") == set()


def test_a_claim_left_out_at_opening_is_free_again(house: House) -> None:
    house.night()
    made = proposals.propose(house.host, house.company)
    proposals.approve(house.host, house.company, made, by="essai")
    runner.drain(house.host, house.company)
    house.paper.mandates = {k: (draft, "signed") for k, (draft, _) in house.paper.mandates.items()}
    house.paper.pay("F-3", 300_00)
    house.night()
    r, c = schema.reservation, schema.claim
    with house.host.store.begin() as tx:
        held = tx.execute(
            select(c.c.number)
            .join(r, (r.c.claim_id == c.c.id) & r.c.released_at.is_(None))
            .order_by(c.c.number)
        ).scalars()
        assert "F-3" not in set(held)


def test_when_the_first_of_two_payments_goes_back_the_second_pays(house: House) -> None:
    opened = house.open_everything()
    line = house.paper.procedures[opened[0]].claims[0].line
    full = line.principal.minor
    for name in ("p1", "p2"):
        house.paper.collect(name, opened[0], line, full, date(2026, 2, 5))
    house.night()
    house.paper.reverse("p1", date(2026, 2, 7))
    house.night()
    house.night()
    assert [cents for _, _, cents in house.paper.written] == [full, -full, full]
    assert house.claim(line.invoice_number)["open"] == 0
    t = schema.task
    with house.host.store.begin() as tx:
        assert tx.execute(select(t.c.kind).where(t.c.done_at.is_(None))).all() == []
    events = house.count("event")
    house.night()
    assert house.count("event") == events


def test_an_invoice_contested_in_the_tool_leaves_collection_and_waits_for_a_person(
    house: House,
) -> None:
    opened = house.open_everything()
    known = house.paper.invoices["r-F-2"]
    house.paper.add(known.model_copy(update={"flags": frozenset({"disputed"})}))
    house.night()
    assert [(kind, ref) for kind, _, ref in house.paper.stops] == [("withdraw", opened[0])]
    assert house.claim("F-2")["hold"] == "disputed"
    house.paper.add(known)
    house.night()
    assert "disputed" in house.reasons("F-2") | {str(house.claim("F-2")["hold"])}
    assert len(house.paper.stops) == 1


def test_a_bug_in_a_connector_is_a_doubt_not_a_loss(house: House) -> None:
    opened = house.open_everything()
    line = house.paper.procedures[opened[0]].claims[0].line
    house.paper.collect("p1", opened[0], line, 40_00, date(2026, 2, 5))
    house.paper.bug = ZeroDivisionError("montant")
    house.night()
    assert house.paper.written == []
    house.paper.bug = None
    house.night()
    assert [cents for _, _, cents in house.paper.written] == [40_00]


def test_a_stop_nobody_acknowledges_is_given_to_a_person(house: House) -> None:
    house.open_everything()
    house.paper.pay("F-1", 100_00)
    house.paper.silent_collector = Transient("en panne")
    house.night()
    house.night()
    assert "stop_unacknowledged" in house.tasks()
    house.paper.silent_collector = None
    house.night()
    assert [kind for kind, _, _ in house.paper.stops] == ["direct_payment"]


def test_a_payment_and_its_reversal_in_one_night_are_both_in_the_books(house: House) -> None:
    opened = house.open_everything()
    line = house.paper.procedures[opened[0]].claims[0].line
    house.paper.collect("p1", opened[0], line, 40_00, date(2026, 2, 5))
    house.paper.reverse("p1", date(2026, 2, 5))
    house.night()
    house.night()
    assert sum(cents for _, _, cents in house.paper.written) == 0
    assert house.claim(line.invoice_number)["open"] == line.principal.minor
