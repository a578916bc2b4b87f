"""The way of a claim through the host, on both databases, with partners on paper."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from encaisse_api import Connector, Money, SourceInvoice, Transient, Unreadable
from encaisse_core import connecting, facts, journal, nightly, proposals, referrers, runner
from encaisse_core.app import App, open_app
from encaisse_core.cli import answering
from encaisse_core.clock import SeededIds, VirtualClock
from encaisse_core.host import Host
from encaisse_core.store import schema

sys.path.insert(0, str(Path(__file__).parent))

from paper import SIREN, Paper, invoice, paper_connectors


class PaperConnectors:
    """Offer the paper's connectors as an installation would."""

    def __init__(self, known: dict[str, type[Connector]]) -> None:
        self.known = known

    def connector(self, slug: str) -> type[Connector]:
        return self.known[slug]


class House:
    """Run a company's nights over a paper."""

    def __init__(self, app: App, clock: VirtualClock, paper: Paper, shelf: PaperConnectors) -> None:
        self.app, self.clock, self.paper, self.shelf = app, clock, paper, shelf
        self.host: Host = app.host
        self.company = connecting.add_company(
            self.host, siren=SIREN, name="Société", environment="test"
        )
        for slug in ("papertool", "papercollector"):
            connecting.connect(
                self.host, app.vault, company_id=self.company, connector=slug, values={}
            )

    def night(self) -> nightly.Night:
        self.clock.sleep(timedelta(hours=24).total_seconds())
        return nightly.run_night(self.host, self.company, self.app.signer)

    def open_everything(self) -> list[str]:
        """Propose, approve, sign, and open by night; give the procedures' remote ids."""
        self.night()
        proposals.approve(
            self.host, self.company, proposals.propose(self.host, self.company), by="essai"
        )
        runner.drain(self.host, self.company)
        self.paper.mandates = {
            key: (draft, "signed") for key, (draft, _) in self.paper.mandates.items()
        }
        self.night()
        return list(self.paper.procedures)

    def count(self, table: str) -> int:
        with self.host.store.begin() as tx:
            found = tx.execute(select(func.count()).select_from(schema.metadata.tables[table]))
            return int(found.scalar_one())

    def claim(self, number: str) -> dict[str, object]:
        c = schema.claim
        with self.host.store.begin() as tx:
            row = tx.execute(select(c).where(c.c.number == number)).mappings().one()
            return dict(row)

    def reasons(self, number: str) -> set[str]:
        with self.host.store.begin() as tx:
            for each in facts.decide_all(self.host, tx, self.company):
                if each.facts.number == number:
                    return {reason.rule for reason in each.decision.reasons}
        raise AssertionError(f"no claim {number}")

    def answer(self, kind: str, number: str, *, lift: bool) -> None:
        t, c = schema.task, schema.claim
        with self.host.store.begin() as tx:
            task_id = tx.execute(
                select(t.c.id)
                .join(c, c.c.id == t.c.subject)
                .where(t.c.kind == kind, c.c.number == number, t.c.done_at.is_(None))
            ).scalar_one()
        answering.answer(
            self.host, self.company, task_id, answering.Answer("vu", "essai", lift=lift)
        )

    def effect_states(self, kind: str) -> list[str]:
        e = schema.effect.c
        with self.host.store.begin() as tx:
            return list(tx.execute(select(e.state).where(e.kind == kind)).scalars())

    def tasks(self) -> set[str]:
        with self.host.store.begin() as tx:
            return set(tx.execute(select(schema.task.c.kind)).scalars())


@pytest.fixture
def house(database_url: str, tmp_path: Path, clock: VirtualClock) -> Iterator[House]:
    paper = Paper()
    for number in range(1, 9):
        paper.add(invoice(f"F-{number}", 100_00 * number, siren="987654324"))
    shelf = PaperConnectors(paper_connectors(paper))
    app = open_app(
        {"ENCAISSE_DATABASE_URL": database_url},
        folder=tmp_path / "home",
        clock=clock,
        ids=SeededIds(1, clock),
        connectors=shelf,
    )
    yield House(app, clock, paper, shelf)
    app.close()


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


def test_a_total_corrected_in_the_tool_is_no_payment(house: House) -> None:
    house.night()
    house.paper.add(invoice("F-4", 350_00))
    house.night()
    claim = house.claim("F-4")
    assert (claim["total"], claim["open"], claim["hold"]) == (350_00, 350_00, None)
    assert house.count("payment") == 0
    events = house.count("event")
    house.night()
    assert house.count("event") == events


def test_a_total_corrected_after_the_claim_was_handed_over_is_for_a_person(house: House) -> None:
    house.open_everything()
    house.paper.add(invoice("F-4", 350_00))
    house.night()
    assert house.claim("F-4")["hold"] == "total_changed"
    assert house.count("payment") == 0
    assert [kind for kind, _, _ in house.paper.stops] == ["pause"]


def test_a_total_a_person_confirmed_is_taken_over(house: House) -> None:
    opened = house.open_everything()
    house.paper.add(invoice("F-4", 350_00))
    house.paper.add(invoice("F-5", 600_00))
    house.night()
    for number in ("F-4", "F-5"):
        house.answer("total_changed", number, lift=True)
    house.night()
    assert {n: house.claim(n)["open"] for n in ("F-4", "F-5")} == {"F-4": 350_00, "F-5": 600_00}
    assert house.claim("F-4")["hold"] is None
    assert [kind for kind, _, ref in house.paper.stops if ref == opened[0]].count("amend") == 1
    events = house.count("event")
    house.night()
    assert house.count("event") == events


def test_a_claim_held_twice_is_free_after_the_second_answer(house: House) -> None:
    house.open_everything()
    house.paper.add(invoice("F-4", 350_00))
    house.night()
    disputed = house.paper.invoices["r-F-4"].model_copy(update={"flags": frozenset({"disputed"})})
    house.paper.add(disputed)
    house.night()
    assert house.claim("F-4")["hold"] == "disputed"
    house.answer("disputed", "F-4", lift=True)
    assert house.claim("F-4")["hold"] == "total_changed"
    house.answer("total_changed", "F-4", lift=True)
    assert house.claim("F-4")["hold"] is None


def test_what_happens_again_is_asked_again(house: House) -> None:
    house.open_everything()
    for total in (350_00, 300_00):
        house.paper.add(invoice("F-4", total))
        house.night()
        assert house.claim("F-4")["hold"] == "total_changed"
        house.answer("total_changed", "F-4", lift=True)
    assert [kind for kind, _, _ in house.paper.stops].count("pause") == 2


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"state": "unknown"}, "unknown_status"),
        ({"currency": "USD"}, "currency_changed"),
    ],
)
def test_no_money_is_made_of_what_nobody_understands(
    house: House, change: dict[str, str], why: str
) -> None:
    house.night()
    house.paper.pay("F-4", 400_00)
    known = house.paper.invoices["r-F-4"].model_dump(mode="json") | change
    text = json.dumps(known)
    if "currency" in change:
        text = text.replace('"currency": "EUR"', '"currency": "USD"')
    house.paper.invoices["r-F-4"] = SourceInvoice.model_validate_json(text)
    house.night()
    assert house.count("payment") == 0
    assert house.claim("F-4")["hold"] == why
    assert house.claim("F-4")["state"] == "open"


@pytest.mark.parametrize(
    ("answered", "state"),
    [
        ({"state": "rejected"}, "refused"),
        ({"amount": Money.of_minor(1)}, "parked"),
        ({"amount": None}, "parked"),
        (None, "uncertain"),
        ({"remote_id": "the-same-every-time"}, "done"),
    ],
)
def test_a_receipt_that_does_not_say_all_of_it_is_no_success(
    house: House, answered: dict[str, object] | None, state: str
) -> None:
    opened = house.open_everything()
    line = house.paper.procedures[opened[0]].claims[0].line
    house.paper.collect("p1", opened[0], line, 5_00, date(2026, 2, 5))
    house.paper.collect("p2", opened[0], line, 7_00, date(2026, 2, 5))
    house.paper.receipts = lambda receipt: (
        None if answered is None else receipt.model_copy(update=answered)
    )
    night = house.night()
    assert night.failures == {}
    states = house.effect_states("record_payment")
    expected = {state, "parked"} if state == "done" else {state}
    assert set(states) == expected, states


def test_a_connector_that_cannot_be_built_costs_its_own_work_only(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = house.open_everything()
    line = house.paper.procedures[opened[0]].claims[0].line
    house.paper.collect("p1", opened[0], line, 5_00, date(2026, 2, 5))

    def broken(self: object, context: object) -> None:
        raise ValueError("Jean Secret")

    monkeypatch.setattr(house.shelf.known["papertool"], "__init__", broken)
    night = house.night()
    assert len(night.failures) == 1
    assert "Secret" not in str(night.failures)
    assert "ValueError" in str(night.failures)
