"""What a collector ended is proposed again only once nothing of its word is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.core.houses import House, answer, approve_and_sign, line_of
from tests.core.paper import invoice
from tests.core.same_money import tomorrow, unheard

from encaisse_api import Page, ProcedureState, Unreadable
from encaisse_core import merges


def ended(house: House, ref: str) -> None:
    """Let the collector say that it is through with a procedure."""
    house.paper.states["s"] = ProcedureState(
        remote_id=ref, state="closed", close_code="recovered", updated_at=house.clock.now()
    )


def test_a_payment_nobody_could_read_keeps_its_collectors_claims(house: House) -> None:
    (ref,) = house.open_everything()
    kind: Any = house.shelf.known["papercollector"]
    read = kind.pull_payments_collected

    def unread(self: Any, since: Any) -> Iterator[Page[Any]]:
        row = Unreadable(ref="p1", reason="illisible", raw="{}")
        yield Page(items=(), unreadable=(row,), end=True)

    kind.pull_payments_collected = unread
    ended(house, ref)
    for _ in range(3):
        house.night()
    assert "in_procedure" in house.reasons("F-2")
    kind.pull_payments_collected = read
    house.paper.collect("p1", ref, line_of(house, [ref], "F-2"), 40_00, tomorrow(house))
    house.night()
    assert "in_procedure" not in house.reasons("F-2"), "it was read, and heard out"
    assert house.claim("F-2")["open"] == 160_00


def test_a_claim_made_of_one_that_was_not_heard_out_is_not_either(house: House) -> None:
    (ref,) = house.open_everything()
    line = line_of(house, [ref], "F-2")
    house.paper.add(invoice("G-2", 200_00))
    down = unheard(house)
    house.paper.collect("p1", ref, line, 200_00, tomorrow(house))
    ended(house, ref)
    house.night()
    kept, gone = str(house.claim("G-2")["id"]), str(house.claim("F-2")["id"])
    with house.host.store.begin() as tx:
        merges.merge(house.host, tx, house.company, kept, gone, merges.Said("essai", "oui"))
    house.night()
    assert "in_procedure" in house.reasons("G-2")
    down[0] = False
    house.night()
    assert house.claim("G-2")["state"] == "settled"


def moved(house: House, ref: str, state: Any) -> None:
    """Let the collector close a procedure, or open it again, and read that."""
    code = "x" if state == "closed" else None
    now = house.clock.now()
    told = ProcedureState(remote_id=ref, state=state, close_code=code, updated_at=now)
    house.paper.states["s"] = told
    house.night()


def test_a_claim_taken_out_of_another_procedure_before_is_held_by_the_one_reopened(
    house: House,
) -> None:
    first = set(house.open_everything())
    known = house.paper.invoices["r-F-1"]
    house.paper.add(known.model_copy(update={"flags": frozenset({"disputed"})}))
    house.night()
    house.paper.add(known)
    house.night()
    answer(house, "disputed", lift=True)
    for _ in range(2):
        house.night()
    approve_and_sign(house)
    house.night()
    (second,) = set(house.paper.procedures) - first
    moved(house, second, "closed")
    moved(house, second, "active")
    assert "in_procedure" in house.reasons("F-1")


def test_a_claim_a_declaration_settled_is_not_taken_back_into_a_procedure_reopened(
    house: House,
) -> None:
    (ref,) = house.open_everything()
    house.paper.pay("F-2", 200_00)
    for _ in range(2):
        house.night()
    moved(house, ref, "closed")
    moved(house, ref, "active")
    house.paper.pay("F-2", -200_00)
    for _ in range(2):
        house.night()
    assert "in_procedure" not in house.reasons("F-2")
