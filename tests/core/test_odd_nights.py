"""Nights on which several things go wrong at once: money stays counted once, people left alone."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

sys.path.insert(0, str(Path(__file__).parent))

from paper import Paper, invoice, paper_connectors
from test_spine import House, PaperConnectors

from encaisse_api import (
    Conflict,
    Drift,
    Instalment,
    Money,
    Page,
    ProcedureState,
    Receipt,
    Since,
    SourceInvoice,
    Transient,
)
from encaisse_core import (
    connecting,
    ingest,
    nightly,
    observed,
    proposals,
    reconcile,
    referrers,
    runner,
)
from encaisse_core.app import open_app
from encaisse_core.cli import answering
from encaisse_core.clock import SeededIds, VirtualClock
from encaisse_core.host import links
from encaisse_core.store import schema

FULL = {n: 100_00 * n for n in range(1, 9)}


def make(
    url: str, tmp_path: Path, clock: VirtualClock, invoices: int = 8, without: tuple[str, ...] = ()
) -> House:
    paper = Paper()
    for number in range(1, invoices + 1):
        paper.add(invoice(f"F-{number}", 100_00 * number))
    shelf = PaperConnectors(paper_connectors(paper))
    for name in without:
        delattr(shelf.known["papercollector"], name)
    app = open_app(
        {"ENCAISSE_DATABASE_URL": url},
        folder=tmp_path / "home",
        clock=clock,
        ids=SeededIds(1, clock),
        connectors=shelf,
    )
    return House(app, clock, paper, shelf)


@pytest.fixture
def house(tmp_path: Path, clock: VirtualClock) -> Iterator[House]:
    made = make(f"sqlite:///{tmp_path / 'e.db'}", tmp_path, clock)
    yield made
    made.app.close()


def line_of(house: House, opened: list[str], number: str = "F-1") -> Any:
    for file in house.paper.procedures.values():
        for claim in file.claims:
            if claim.line.invoice_number == number:
                return claim.line
    raise AssertionError(number)


def approve_and_sign(house: House) -> None:
    house.night()
    proposals.approve(
        house.host, house.company, proposals.propose(house.host, house.company), by="essai"
    )
    runner.drain(house.host, house.company)
    house.paper.mandates = {k: (d, "signed") for k, (d, _) in house.paper.mandates.items()}


def payments(house: House, number: str) -> list[tuple[str, int]]:
    p, c = schema.payment, schema.claim
    with house.host.store.begin() as tx:
        return [
            (row.origin, row.amount)
            for row in tx.execute(
                select(p.c.origin, p.c.amount)
                .join(c, c.c.id == p.c.claim_id)
                .where(c.c.number == number)
                .order_by(p.c.created_at, p.c.id)
            )
        ]


def open_tasks(house: House) -> list[tuple[str, str, str]]:
    t = schema.task.c
    with house.host.store.begin() as tx:
        return [
            (r.id, r.kind, r.subject)
            for r in tx.execute(select(t.id, t.kind, t.subject).where(t.done_at.is_(None)))
        ]


def answer(house: House, kind: str, **how: Any) -> None:
    task = next(t for t in open_tasks(house) if t[1] == kind)
    answering.answer(
        house.host, house.company, task[0], answering.Answer(words="oui", by="essai", **how)
    )


def add_tool(house: House) -> Paper:
    """Connect a second tool that follows money, on a paper of its own."""
    second = Paper()
    for item in house.paper.invoices.values():
        second.add(item)
    kind = paper_connectors(second)["papertool"]
    kind.manifest = kind.manifest.model_copy(update={"slug": "othertool"})
    house.shelf.known["othertool"] = kind
    connecting.connect(
        house.host, house.app.vault, company_id=house.company, connector="othertool", values={}
    )
    return second


# --- money doubled in the books ---------------------------------------------------------------


def test_nothing_is_written_while_it_may_be_the_same_money(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-2")
    house.paper.collect("p1", opened[0], line, 40_00, date(2026, 2, 5))
    house.paper.pay("F-2", 40_00)  # somebody typed the collector's payment in by hand
    house.night()
    assert house.claim("F-2")["hold"] == "maybe_same"
    assert house.paper.written == []  # "rien n'est inscrit avant votre réponse"


def test_said_to_be_the_same_money_it_is_not_written_again(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-2")
    # the write-back cannot go out tonight, so that only the answer decides
    house.paper.bug = ZeroDivisionError("x")
    house.paper.collect("p1", opened[0], line, 40_00, date(2026, 2, 5))
    house.paper.pay("F-2", 40_00)
    house.night()
    house.paper.bug = None
    answer(house, "maybe_same", verdict="same")
    house.night()
    house.night()
    assert house.paper.written == []
    assert house.paper.invoices["r-F-2"].open.minor == 160_00


def test_an_unanswered_question_does_not_answer_itself_after_ten_days(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-2")
    house.paper.collect("p1", opened[0], line, 40_00, date(2026, 2, 5))
    house.night()
    house.paper.pay("F-2", 40_00)
    for _ in range(14):
        house.night()
    assert payments(house, "F-2") == [("collector", 40_00)]
    assert house.claim("F-2")["open"] == 160_00


def test_different_money_shown_by_two_tools_is_one_payment(house: House) -> None:
    second = add_tool(house)
    opened = house.open_everything()
    line = line_of(house, opened, "F-4")
    house.paper.collect("p1", opened[0], line, 50_00, date(2026, 2, 5))
    house.paper.pay("F-4", 50_00)
    second.pay("F-4", 50_00)  # one direct transfer, both tools show it
    house.night()
    answer(house, "maybe_same", verdict="different")
    assert sorted(payments(house, "F-4")) == [("collector", 50_00), ("source", 50_00)]


def test_one_tool_that_is_a_night_late_does_not_double_the_money(house: House) -> None:
    second = add_tool(house)
    house.night()
    house.paper.pay("F-8", 100_00)
    house.night()
    house.paper.pay("F-8", 150_00)
    second.pay("F-8", 250_00)  # the second tool catches up with both at once
    house.night()
    assert sum(cents for _, cents in payments(house, "F-8")) == 250_00
    assert house.claim("F-8")["open"] == 550_00


def test_a_correction_both_tools_make_is_no_payment(house: House) -> None:
    second = add_tool(house)
    house.night()
    house.paper.add(invoice("F-4", 350_00))
    second.add(invoice("F-4", 350_00))
    house.night()
    assert payments(house, "F-4") == []
    assert house.claim("F-4")["open"] == 350_00


def test_a_cancelled_invoice_is_not_a_payment(house: House) -> None:
    house.open_everything()
    known = house.paper.invoices["r-F-2"]
    nothing = Money.of_minor(0)
    parts = tuple(i.model_copy(update={"open": nothing}) for i in known.instalments)
    house.paper.add(
        known.model_copy(update={"state": "cancelled", "open": nothing, "instalments": parts})
    )
    house.night()
    assert payments(house, "F-2") == []
    assert [kind for kind, _, _ in house.paper.stops] == ["withdraw"]


# --- handed over, or left active, while paid --------------------------------------------------


def test_a_debtor_who_pays_everything_at_once_is_left_in_peace(house: House) -> None:
    house.open_everything()
    for number, cents in FULL.items():
        house.paper.pay(f"F-{number}", cents)
    house.night()
    assert len(house.paper.stops) == 8


def test_overpaid_invoices_do_not_pause_the_tool(house: House) -> None:
    house.night()
    kind = house.shelf.known["papertool"]

    def pull(self: Any, since: Any) -> Iterator[Any]:  # as Factomos: only what is still owed
        items = [i for i in house.paper.invoices.values() if i.open.minor > 0]
        yield Page[SourceInvoice](items=tuple(items), end=True)

    kind.pull_invoices = pull  # type: ignore[attr-defined]
    for number in range(1, 7):  # two a night, each one euro too much
        house.paper.pay(f"F-{number}", 100_00 * number + 1_00)
        if number % 2 == 0:
            house.night()
    house.night()
    assert "mass_vanishing" not in house.tasks()


def test_an_invoice_paid_in_part_between_pull_and_gate_opens_for_what_is_left(
    house: House,
) -> None:
    approve_and_sign(house)
    kind = house.shelf.known["papertool"]
    read: Callable[..., Any] = kind.read_invoices  # type: ignore[attr-defined]
    done: list[int] = []

    def late(self: Any, refs: Any) -> Any:
        if not done:
            done.append(1)
            house.paper.pay("F-3", 200_00)
        return read(self, refs)

    kind.read_invoices = late  # type: ignore[attr-defined]
    house.night()
    (file,) = house.paper.procedures.values()
    claimed = {c.line.invoice_number: c.line.principal.minor for c in file.claims}
    assert claimed["F-3"] == 100_00


def test_paid_while_the_opening_was_in_doubt_is_stopped(house: House) -> None:
    approve_and_sign(house)
    kind = house.shelf.known["papercollector"]
    find: Callable[..., Any] = kind.find_procedure  # type: ignore[attr-defined]
    down = [True]

    def find_or_fail(self: Any, key: str, file: Any) -> Any:
        house.clock.sleep(1)  # a request takes time
        if down[0]:
            raise Transient("en panne")
        return find(self, key, file)

    kind.find_procedure = find_or_fail  # type: ignore[attr-defined]
    house.paper.lose_replies = 1
    house.night()
    assert len(house.paper.procedures) == 1
    house.paper.pay("F-1", 100_00)
    down[0] = False
    house.night()
    house.night()
    assert [kind for kind, _, _ in house.paper.stops] == ["direct_payment"]


def as_changes(house: House) -> None:
    """Make the collector give each changed payment once, as its stream of changes promises."""
    kind = house.shelf.known["papercollector"]
    paper = house.paper

    def pull(self: Any, since: Since | None) -> Iterator[Any]:
        items = sorted(paper.collected.values(), key=lambda p: (p.updated_at, p.remote_id))
        if since is not None:
            items = [
                p for p in items if (p.updated_at, p.remote_id) > (since.at, since.after_id or "")
            ]
        cursor = Since(at=items[-1].updated_at, after_id=items[-1].remote_id) if items else since
        yield Page[Any](items=tuple(items), cursor=cursor, end=True)

    kind.pull_payments_collected = pull  # type: ignore[attr-defined]


def test_money_collected_before_we_knew_the_procedure_is_not_lost(house: House) -> None:
    approve_and_sign(house)
    as_changes(house)
    kind = house.shelf.known["papercollector"]
    find: Callable[..., Any] = kind.find_procedure  # type: ignore[attr-defined]
    down = [True]

    def find_or_fail(self: Any, key: str, file: Any) -> Any:
        if down[0]:
            raise Transient("en panne")
        return find(self, key, file)

    kind.find_procedure = find_or_fail  # type: ignore[attr-defined]
    house.paper.lose_replies = 1
    house.night()
    (ref,) = house.paper.procedures
    house.paper.collect("p1", ref, line_of(house, [ref], "F-1"), 100_00, date(2026, 2, 4))
    down[0] = False
    house.night()
    house.night()
    assert payments(house, "F-1") == [("collector", 100_00)]


def test_the_debtor_corrected_in_the_tool_is_not_the_old_one_pursued(house: House) -> None:
    approve_and_sign(house)
    for number in FULL:  # the invoices were made out to the wrong company; corrected meanwhile
        house.paper.add(invoice(f"F-{number}", 100_00 * number, siren="552100554"))
    house.night()
    assert all(f.debtor.siren == "552100554" for f in house.paper.procedures.values())


def test_an_invoice_marked_as_a_public_bodys_keeps_its_mark(house: House) -> None:
    known = house.paper.invoices["r-F-2"]
    public = known.debtor.model_copy(update={"kind": "public"})
    house.paper.add(known.model_copy(update={"debtor": public}))
    house.night()  # the customer's other invoices, read before and after it, say a company
    assert "public_debtor" in house.reasons("F-2")
    assert house.reasons("F-3") == set()


def test_money_the_collector_holds_unverified_is_not_claimed_again(house: House) -> None:
    (ref,) = house.open_everything()
    line = line_of(house, [ref], "F-1")
    house.paper.collect("p1", ref, line, 100_00, date(2026, 2, 5))
    house.paper.collected["p1"] = house.paper.collected["p1"].model_copy(
        update={"state": "pending"}
    )
    house.paper.states["s"] = ProcedureState(
        remote_id=ref, state="closed", close_code="paid", updated_at=house.clock.now()
    )
    house.night()
    assert house.reasons("F-1") != set()


def test_a_procedure_reopened_there_holds_its_claims_here(house: House) -> None:
    (ref,) = house.open_everything()
    for state in ("closed", "active"):
        house.paper.states["s"] = ProcedureState(
            remote_id=ref, state=state, updated_at=house.clock.now()
        )
        house.night()
    assert "in_procedure" in house.reasons("F-1")


def test_one_invoice_that_cannot_be_read_again_does_not_hide_the_paid_ones(house: House) -> None:
    house.open_everything()
    kind = house.shelf.known["papertool"]
    read: Callable[..., Any] = kind.read_invoices  # type: ignore[attr-defined]

    def drift(self: Any, refs: Any) -> Any:
        if "r-F-1" in refs:
            raise Drift("Facture F-1 : illisible")  # what Factomos's connector does
        return read(self, refs)

    kind.read_invoices = drift  # type: ignore[attr-defined]
    house.paper.pay("F-1", 100_00)
    house.paper.pay("F-2", 200_00)
    for _ in range(3):
        house.night()
    assert [kind for kind, _, _ in house.paper.stops] == ["direct_payment"]


def test_a_stop_the_collector_refused_later_is_no_acknowledgement(house: House) -> None:
    house.open_everything()
    kind = house.shelf.known["papercollector"]
    kind.declare_direct_payment = lambda self, key, payment: Receipt(  # type: ignore[attr-defined]
        remote_id=key, state="rejected"
    )
    house.paper.pay("F-1", 100_00)
    house.night()
    e = schema.effect.c
    with house.host.store.begin() as tx:
        state = tx.execute(select(e.state).where(e.kind == "declare_direct_payment")).scalar_one()
    assert state != "done"


def test_amendments_never_raise_the_claim_again(tmp_path: Path, clock: VirtualClock) -> None:
    url = f"sqlite:///{tmp_path / 'e.db'}"
    house = make(url, tmp_path, clock, without=("find_direct_payment", "declare_direct_payment"))
    kind = house.shelf.known["papercollector"]
    said: list[int] = []
    amend: Callable[..., Any] = kind.amend  # type: ignore[attr-defined]

    def hear(self: Any, key: str, amendment: Any) -> Any:
        said.append(amendment.principal.minor)
        return amend(self, key, amendment)

    kind.amend = hear  # type: ignore[attr-defined]
    house.open_everything()
    house.paper.pay("F-4", 100_00)
    house.night()
    known = house.paper.invoices["r-F-4"]
    left = Money.of_minor(250_00)
    parts = tuple(i.model_copy(update={"open": left}) for i in known.instalments)
    house.paper.add(
        known.model_copy(
            update={"open": left, "credited": Money.of_minor(50_00), "instalments": parts}
        )
    )
    house.night()
    assert said == [300_00, 250_00]


# --- holds and questions ----------------------------------------------------------------------


def test_a_second_doubt_on_a_claim_is_asked_again(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-2")
    house.paper.collect("p1", opened[0], line, 40_00, date(2026, 2, 5))
    house.night()
    house.paper.pay("F-2", 40_00)
    house.night()
    answer(house, "maybe_same", verdict="same")
    house.paper.collect("p2", opened[0], line, 30_00, date(2026, 2, 8))
    house.night()
    house.paper.pay("F-2", 30_00)
    house.night()
    assert house.claim("F-2")["hold"] == "maybe_same"
    assert "maybe_same" in {kind for _, kind, _ in open_tasks(house)}


def test_a_second_doubt_pauses_again(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-2")
    for n, cents in (("p1", 40_00), ("p2", 30_00)):
        house.paper.collect(n, opened[0], line, cents, date(2026, 2, 5))
        house.night()
        house.paper.pay("F-2", cents)
        house.night()
        if n == "p1":
            answer(house, "maybe_same", verdict="same")
    assert [kind for kind, _, _ in house.paper.stops] == ["pause", "pause"]


def test_a_dispute_is_not_lifted_by_another_answer(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-2")
    house.paper.collect("p1", opened[0], line, 40_00, date(2026, 2, 5))
    house.night()
    house.paper.states["s"] = ProcedureState(
        remote_id=opened[0], state="paused", disputed=True, updated_at=house.clock.now()
    )
    house.night()
    assert house.claim("F-2")["hold"] == "disputed"
    house.paper.pay("F-2", 40_00)
    house.night()
    answer(house, "maybe_same", verdict="same")
    assert house.claim("F-2")["hold"] == "disputed"


def test_a_corrected_total_a_person_accepted_stays_accepted(house: House) -> None:
    house.open_everything()
    house.paper.add(invoice("F-4", 350_00))
    house.night()
    answer(house, "total_changed", lift=True)
    house.night()
    assert house.claim("F-4")["hold"] is None


def test_a_payment_after_a_corrected_total_is_seen(house: House) -> None:
    house.open_everything()
    house.paper.add(invoice("F-4", 350_00))
    house.night()
    house.paper.pay("F-4", 350_00)
    for _ in range(3):
        house.night()
    assert "direct_payment" in {kind for kind, _, _ in house.paper.stops} or "withdraw" in {
        kind for kind, _, _ in house.paper.stops
    }


def test_two_direct_payments_that_both_bounce_are_owed_again(house: House) -> None:
    house.night()
    house.paper.pay("F-2", 80_00)
    house.night()
    house.paper.pay("F-2", 120_00)
    house.night()
    assert house.claim("F-2")["open"] == 0
    house.paper.pay("F-2", -200_00)
    house.night()
    if "amount_rose" in house.tasks():
        answer(house, "amount_rose", lift=True)
        house.night()
    assert house.claim("F-2")["open"] == 200_00


def test_a_payment_made_before_we_came_that_bounces_is_owed_again(house: House) -> None:
    house.paper.add(invoice("F-2", 200_00, paid=150_00))
    house.night()
    house.paper.add(invoice("F-2", 200_00))
    house.night()
    answer(house, "amount_rose", lift=True)
    house.night()
    assert house.claim("F-2")["open"] == 200_00


def credit_note(number: str, cents: int, left: int) -> SourceInvoice:
    known = invoice(number, 1)
    return known.model_copy(
        update={
            "kind": "credit_note",
            "state": "open" if left else "settled",
            "total": Money.of_minor(-cents),
            "open": Money.of_minor(-left),
            "instalments": (
                Instalment(ref="1", amount=Money.of_minor(-cents), open=Money.of_minor(-left)),
            ),
        }
    )


def test_a_credit_note_that_was_used_up_blocks_nothing_any_more(house: House) -> None:
    house.paper.add(credit_note("A-1", 50_00, 50_00))
    house.night()
    assert "unallocated_credit" in house.reasons("F-2")
    house.paper.add(credit_note("A-1", 50_00, 0))
    known = house.paper.invoices["r-F-1"]
    left = Money.of_minor(50_00)
    parts = tuple(i.model_copy(update={"open": left}) for i in known.instalments)
    house.paper.add(known.model_copy(update={"open": left, "credited": left, "instalments": parts}))
    house.night()
    house.night()
    assert house.claim("F-1")["open"] == 50_00
    assert house.reasons("F-2") == set()
    assert house.tasks() == set()


def test_a_credit_note_cut_anew_is_worth_what_its_tool_says(house: House) -> None:
    house.paper.add(credit_note("A-1", 50_00, 50_00))
    house.night()
    parts = tuple(
        Instalment(ref=ref, amount=Money.of_minor(-35_00), open=Money.of_minor(-35_00))
        for ref in ("1", "2")
    )
    seventy = Money.of_minor(-70_00)
    house.paper.add(
        credit_note("A-1", 50_00, 50_00).model_copy(
            update={"total": seventy, "open": seventy, "instalments": parts}
        )
    )
    house.night()
    answer(house, "total_changed", lift=True)
    house.night()
    assert (house.claim("A-1")["total"], house.claim("A-1")["open"]) == (-70_00, -70_00)


def test_a_refund_nobody_owes_any_more_is_not_asked(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-1")
    for name in ("p1", "p2"):
        house.paper.collect(name, opened[0], line, 100_00, date(2026, 2, 5))
    house.night()
    assert "refund" in {kind for _, kind, _ in open_tasks(house)}
    house.paper.reverse("p2", date(2026, 2, 7))
    house.night()
    assert "refund" not in {kind for _, kind, _ in open_tasks(house)}


def test_a_refund_used_in_part_names_what_is_left(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-1")
    house.paper.collect("p1", opened[0], line, 40_00, date(2026, 2, 5))
    house.night()
    house.paper.collect("p2", opened[0], line, 160_00, date(2026, 2, 6))
    house.night()
    house.paper.reverse("p1", date(2026, 2, 7))
    house.night()
    t = schema.task.c
    with house.host.store.begin() as tx:
        said = tx.execute(select(t.sentence).where(t.kind == "refund")).scalar_one()
    assert "60,00" in said


# --- write-backs ------------------------------------------------------------------------------


def test_a_payment_written_in_two_entries_is_reversed_entry_by_entry(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-1")
    kind = house.shelf.known["papertool"]
    asked: list[tuple[str, int]] = []
    reverse: Callable[..., Any] = kind.reverse_payment  # type: ignore[attr-defined]

    def hear(self: Any, key: str, reversal: Any) -> Any:
        asked.append((reversal.payment_remote_id, reversal.amount.minor))
        return reverse(self, key, reversal)

    kind.reverse_payment = hear  # type: ignore[attr-defined]
    house.paper.collect("p1", opened[0], line, 40_00, date(2026, 2, 5))
    house.night()
    house.paper.collect("p2", opened[0], line, 100_00, date(2026, 2, 6))
    house.night()
    house.paper.reverse("p1", date(2026, 2, 7))
    house.night()
    house.paper.reverse("p2", date(2026, 2, 8))
    house.night()
    written = [cents for _, _, cents in house.paper.written]
    assert sum(written) == 0
    entries = {f"r-F-1/{n}": cents for n, cents in enumerate(written) if cents > 0}
    assert all(cents <= entries[remote] for remote, cents in asked), (asked, entries)


def test_one_receipt_id_used_twice_does_not_end_the_night(house: House) -> None:
    opened = house.open_everything()
    kind = house.shelf.known["papertool"]
    write: Callable[..., Any] = kind._write  # type: ignore[attr-defined]

    def numbered(self: Any, key: str, ref: str, cents: int) -> Receipt:
        write(self, key, ref, cents)
        mine = sum(1 for _, known, _ in house.paper.written if known == ref)
        return Receipt(remote_id=str(mine), amount=Money.of_minor(cents))  # 1, 2 per invoice

    kind._write = numbered  # type: ignore[attr-defined]
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-1"), 40_00, date(2026, 2, 5))
    house.paper.collect("p2", opened[0], line_of(house, opened, "F-2"), 40_00, date(2026, 2, 5))
    house.night()
    assert len(house.paper.written) == 2


def test_a_page_read_before_our_write_does_not_overwrite_what_came_after(house: House) -> None:
    """`encaisse sync` reads the list; the night writes back; the list is stored afterwards."""
    opened = house.open_everything()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, date(2026, 2, 5))
    kind = house.shelf.known["papertool"]
    pull: Callable[..., Any] = kind.pull_invoices  # type: ignore[attr-defined]
    nested = [False]

    def slow(self: Any, since: Any) -> Iterator[Any]:
        pages = list(pull(self, since))
        if not nested[0]:
            nested[0] = True
            nightly.run_night(house.host, house.company, house.app.signer)
        yield from pages

    kind.pull_invoices = slow  # type: ignore[attr-defined]
    house.night()
    kind.pull_invoices = pull  # type: ignore[attr-defined]
    house.night()
    assert house.claim("F-2")["hold"] is None
    assert payments(house, "F-2") == [("collector", 40_00)]


@pytest.mark.parametrize("received", [date(2026, 2, 5), date(2026, 1, 10)])
def test_a_write_that_could_not_be_read_back_is_no_news(house: House, received: date) -> None:
    opened = house.open_everything()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, received)
    house.paper.fail_pull = Transient("en panne")  # the tool takes writes, and lists nothing
    house.night()
    house.paper.fail_pull = None
    assert len(house.paper.written) == 1
    house.night()
    house.night()
    assert payments(house, "F-2") == [("collector", 40_00)]
    assert house.claim("F-2")["hold"] is None


def test_a_parked_write_that_landed_is_not_a_payment_of_the_customer(house: House) -> None:
    """Our entry stands there, but not as sent: a person is asked, and it is no second payment."""
    opened = house.open_everything()
    kind = house.shelf.known["papertool"]
    write: Callable[..., Any] = kind._write  # type: ignore[attr-defined]

    def rounded(self: Any, key: str, ref: str, cents: int) -> Receipt:
        house.paper.lose_replies = 1
        return write(self, key, ref, cents - 1)  # the tool entered 39,99

    def find(self: Any, key: str, payment: Any) -> Any:
        found = self._find(key)
        if isinstance(found, Receipt):
            raise Conflict("trouvé, mais de 39,99 EUR")
        return found

    kind._write = rounded  # type: ignore[attr-defined]
    kind.find_payment = find  # type: ignore[attr-defined]
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, date(2026, 2, 5))
    for _ in range(3):
        house.night()
    assert "conflict" in house.tasks()
    assert payments(house, "F-2") == [("collector", 40_00)]


def test_a_dispute_heard_before_we_knew_the_procedure_stops_it(house: House) -> None:
    approve_and_sign(house)
    kind = house.shelf.known["papercollector"]
    find: Callable[..., Any] = kind.find_procedure  # type: ignore[attr-defined]
    down = [True]

    def find_or_fail(self: Any, key: str, file: Any) -> Any:
        if down[0]:
            raise Transient("en panne")
        return find(self, key, file)

    kind.find_procedure = find_or_fail  # type: ignore[attr-defined]
    house.paper.lose_replies = 1
    house.night()
    (ref,) = house.paper.procedures
    state = ProcedureState(
        remote_id=ref, state="paused", disputed=True, updated_at=house.clock.now()
    )

    def once(self: Any, since: Any) -> Iterator[Any]:  # a stream of changes gives it once
        cursor = Since(at=state.updated_at, after_id=ref)
        yield Page[ProcedureState](items=() if since else (state,), cursor=cursor, end=True)

    kind.pull_progress = once  # type: ignore[attr-defined]
    down[0] = False
    house.night()
    house.night()
    assert house.claim("F-1")["hold"] == "disputed"


def test_money_on_a_claim_handed_over_under_a_written_number_is_recognised(house: House) -> None:
    """The collector repeats the number we gave it, which is not the tool's to the letter."""
    known = invoice("FA 2026 12", 90_00)
    house.paper.add(known)
    opened = house.open_everything()
    line = line_of(house, opened, "FA202612")
    house.paper.collect("p1", opened[0], line, 90_00, date(2026, 2, 5))
    house.paper.collected["p1"] = house.paper.collected["p1"].model_copy(update={"claim_ref": None})
    house.night()
    assert payments(house, "FA 2026 12") == [("collector", 90_00)]


# --- payouts, commissions, settlements --------------------------------------------------------


def test_a_payout_that_changed_before_it_was_executed_is_posted_as_executed(house: House) -> None:
    opened = house.open_everything()
    for name, number in (("p1", "F-1"), ("p2", "F-2")):
        house.paper.collect(
            name, opened[0], line_of(house, opened, number), 50_00, date(2026, 2, 5)
        )
    house.paper.pay_out("v1", ["p1"], date(2026, 2, 7))
    house.paper.payouts["v1"] = house.paper.payouts["v1"].model_copy(
        update={"state": "scheduled", "executed_on": None}
    )
    house.night()
    house.paper.pay_out("v1", ["p1", "p2"], date(2026, 2, 8))
    house.night()
    v = schema.voucher_line.c
    with house.host.store.begin() as tx:
        credited = tx.execute(select(func.sum(v.credit)).where(v.account == "411")).scalar_one()
    assert credited == 100_00


def referred(house: House, rate: int = 1_000_000) -> None:
    with house.host.store.begin() as tx:
        made = referrers.add(house.host, tx, house.company, "Éditeur", "editor")
        agreed = referrers.Agreed(rate, house.clock.today())
        referrers.agree(house.host, tx, house.company, made, agreed)
        c = schema.connection
        tx.execute(c.update().where(c.c.connector == "papertool").values(referrer_id=made))


def test_a_commission_follows_a_fee_that_was_lowered(house: House) -> None:
    referred(house)
    opened = house.open_everything()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-1"), 50_00, date(2026, 2, 5))
    house.night()
    house.paper.collected["p1"] = house.paper.collected["p1"].model_copy(
        update={"fee": Money.of_minor(2_00)}
    )
    house.night()
    c = schema.commission_line.c
    with house.host.store.begin() as tx:
        earned = tx.execute(select(func.sum(c.amount)).where(c.kind != "payable")).scalar_one()
    assert earned <= 2_00


def test_a_payment_rejected_after_all_is_undone_and_clawed_back(house: House) -> None:
    referred(house)
    opened = house.open_everything()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-1"), 50_00, date(2026, 2, 5))
    house.night()
    house.paper.collected["p1"] = house.paper.collected["p1"].model_copy(
        update={"state": "rejected"}
    )
    house.night()
    assert house.claim("F-1")["open"] == 100_00


def test_a_payment_corrected_at_the_collector_is_corrected_here(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-1")
    house.paper.collect("p1", opened[0], line, 50_00, date(2026, 2, 5))
    house.night()
    house.paper.collect("p1", opened[0], line, 30_00, date(2026, 2, 5))
    house.night()
    assert house.claim("F-1")["open"] == 70_00 or house.tasks() or house.count("difference")


def test_nothing_is_accrued_while_it_may_be_the_same_money(house: House) -> None:
    referred(house)
    opened = house.open_everything()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, date(2026, 2, 5))
    house.paper.pay("F-2", 40_00)
    house.night()
    assert house.claim("F-2")["hold"] == "maybe_same"
    assert house.count("commission_line") == 0


@pytest.mark.parametrize("field", ["principal", "fee"])
def test_one_odd_payment_does_not_end_the_companys_night(house: House, field: str) -> None:
    referred(house)
    opened = house.open_everything()
    line = line_of(house, opened, "F-1")
    house.paper.collect("p1", opened[0], line, 50_00, date(2026, 2, 5))
    odd = {field: Money.of_minor(-10_00)}
    if field == "principal":
        odd["amount"] = Money.of_minor(-10_00)
    house.paper.collected["p1"] = house.paper.collected["p1"].model_copy(update=odd)
    house.paper.pay("F-2", 200_00)
    house.night()
    assert [kind for kind, _, _ in house.paper.stops] == ["direct_payment"]


def test_one_invoice_without_a_figure_in_its_number_blocks_no_other(house: House) -> None:
    known = invoice("F-9", 90_00)
    house.paper.add(known.model_copy(update={"number": "SOLDE", "ref": "r-solde"}))
    house.night()
    assert proposals.propose(house.host, house.company)


def test_a_payment_that_went_back_and_came_again_counts(house: House) -> None:
    opened = house.open_everything()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-1"), 50_00, date(2026, 2, 5))
    house.night()
    house.paper.reverse("p1", date(2026, 2, 6))
    house.night()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-1"), 50_00, date(2026, 2, 5))
    house.night()
    assert house.claim("F-1")["open"] == 50_00 or open_tasks(house) or house.count("difference")


def test_what_a_payout_says_of_a_payment_nobody_could_read_waits(house: House) -> None:
    """411 would be credited with interest and indemnity: only principal touches it."""
    opened = house.open_everything()
    line = line_of(house, opened, "F-1")
    house.paper.collect("p1", opened[0], line, 140_00, date(2026, 2, 5))
    house.paper.collected["p1"] = house.paper.collected["p1"].model_copy(
        update={"principal": Money.of_minor(100_00), "indemnity": Money.of_minor(40_00)}
    )
    house.paper.pay_out("v1", ["p1"], date(2026, 2, 7))
    paid = house.paper.collected.pop("p1")  # set aside as unreadable tonight
    house.night()
    house.paper.collected["p1"] = paid
    house.night()
    v = schema.voucher_line.c
    with house.host.store.begin() as tx:
        credited = tx.execute(select(func.sum(v.credit)).where(v.account == "411")).scalar_one()
    assert credited == 100_00


def test_too_much_paid_directly_is_declared_for_what_it_settles(house: House) -> None:
    house.open_everything()
    kind = house.shelf.known["papercollector"]
    said: list[int] = []
    declare: Callable[..., Any] = kind.declare_direct_payment  # type: ignore[attr-defined]

    def hear(self: Any, key: str, payment: Any) -> Any:
        said.append(payment.amount.minor)
        return declare(self, key, payment)

    kind.declare_direct_payment = hear  # type: ignore[attr-defined]
    house.paper.pay("F-1", 150_00)
    house.night()
    assert said == [100_00]


# --- races ------------------------------------------------------------------------------------


def test_two_workers_recognise_a_payment_once_on_postgresql(
    request: pytest.FixtureRequest, tmp_path: Path, clock: VirtualClock, monkeypatch: Any
) -> None:
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from conftest import fresh_postgres

    house = make(fresh_postgres(request), tmp_path, clock)
    try:
        house.night()
        house.paper.pay("F-8", 100_00)
        clock.sleep(60)
        with house.host.store.begin() as tx:
            tool = next(each for each in links(tx, house.company) if each.connector == "papertool")
        ingest.pull_invoices(house.host, tool)
        barrier = threading.Barrier(2, timeout=10)
        real = observed._different

        def together(*args: Any) -> Any:
            found = real(*args)
            with contextlib.suppress(threading.BrokenBarrierError):
                barrier.wait(3)
            return found

        monkeypatch.setattr(observed, "_different", together)
        errors: list[BaseException] = []

        def work() -> None:
            try:
                reconcile.reconcile(house.host, house.company)
            except BaseException as error:
                errors.append(error)

        workers = [threading.Thread(target=work) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert payments(house, "F-8") == [("source", 100_00)], errors
    finally:
        house.app.close()
