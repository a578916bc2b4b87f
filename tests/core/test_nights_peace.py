"""Nights on which somebody handed over has paid: nobody is left in a dialogue, none forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select
from tests.core.houses import (
    House,
    approve_and_sign,
    line_of,
    make,
    payments,
    procedures_unfindable,
)
from tests.core.paper import invoice

from encaisse_api import (
    Drift,
    Money,
    Page,
    ProcedureState,
    Receipt,
    Since,
    SourceInvoice,
    Transient,
)
from encaisse_core.clock import VirtualClock
from encaisse_core.store import schema

FULL = {n: 100_00 * n for n in range(1, 9)}


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
    house.night()
    assert house.paper.stops == [], "what the principal leaves out is not declared on top"


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
    down = procedures_unfindable(house)
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
