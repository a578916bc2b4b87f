"""What an answer, or a collector's word, still means when it comes late or of something else."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core.houses import House, add_tool, answer, line_of, nights, payments
from tests.core.same_money import (
    answer_routing,
    collected,
    declared,
    declared_cents,
    failing,
    hand_over,
    kinds,
    moved_to,
    said_again,
    said_amount,
    sentences,
    tomorrow,
    two_tools,
    typed_first,
    unheard,
)

from encaisse_api import Money, Rejected, Transient
from encaisse_core.store import schema

LATE = 12
"""More nights than equal money is looked for by its date."""


def test_an_answer_that_comes_late_leaves_the_other_tool_to_be_asked_about(house: House) -> None:
    papers = two_tools(house, "papertool")
    opened = house.open_everything()
    failing(papers, until=True)
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-4"), 50_00, tomorrow(house))
    for paper in papers.values():
        paper.pay("F-4", 50_00)
    nights(house, LATE)
    failing(papers, until=False)
    answer(house, "maybe_same", verdict="same")
    nights(house, 3)
    assert sentences(house, "maybe_same") != []
    answer(house, "maybe_same", verdict="same")
    nights(house, 3)
    assert house.claim("F-4")["open"] == 350_00
    assert declared(house) == 0


def test_what_another_tool_showed_before_a_late_answer_is_that_money(house: House) -> None:
    papers = two_tools(house, "papertool")
    opened = house.open_everything()
    down = unheard(house)
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-4"), 50_00, tomorrow(house))
    papers["papertool"].pay("F-4", 50_00)
    house.night()
    down[0] = False
    house.night()
    papers["othertool"].pay("F-4", 50_00)
    nights(house, LATE)
    answer(house, "maybe_same", verdict="same")
    if "maybe_same" in kinds(house):
        answer(house, "maybe_same", verdict="same")
    nights(house, 3)
    assert house.claim("F-4")["open"] == 350_00
    assert declared(house) == 0


@pytest.mark.parametrize("late", [3, LATE])
def test_a_second_payment_typed_in_before_a_late_answer_is_asked_about(
    house: House, late: int
) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-2")
    house.paper.bug = ZeroDivisionError("x")
    house.paper.collect("p1", opened[0], line, 40_00, tomorrow(house))
    house.paper.collect("p2", opened[0], line, 27_00, tomorrow(house))
    house.paper.pay("F-2", 40_00)
    house.night()
    house.paper.pay("F-2", 27_00)
    nights(house, late)
    house.paper.bug = None
    answer(house, "maybe_same", verdict="same")
    answer(house, "maybe_same", verdict="same")
    nights(house, 3)
    assert house.claim("F-2")["open"] == 200_00 - 67_00
    assert declared(house) == 0


def test_an_entry_that_could_not_be_written_for_long_may_be_typed_in(house: House) -> None:
    opened = house.open_everything()
    house.paper.bug = ZeroDivisionError("x")
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, tomorrow(house))
    nights(house, LATE)
    house.paper.pay("F-2", 40_00)
    house.night()
    assert house.claim("F-2")["hold"] == "maybe_same"
    answer(house, "maybe_same", verdict="same")
    house.paper.bug = None
    nights(house, 2)
    assert payments(house, "F-2") == [("collector", 40_00)]
    assert house.paper.written == []


@pytest.mark.parametrize("verdict", ["same", "different"])
def test_a_payment_its_collector_moves_while_in_question_counts_once(
    house: House, verdict: Any
) -> None:
    opened = typed_first(house)
    other = line_of(house, opened, "F-3")
    said_again(house, claim_ref=other.claim_id, invoice_number="F-3")
    house.night()
    assert payments(house, "F-3") == [], "it is still in question"
    answer(house, "maybe_same", verdict=verdict)
    nights(house, 2)
    assert payments(house, "F-3") == [("collector", 40_00)]
    assert house.claim("F-3")["open"] == 260_00
    if verdict == "same":
        assert house.claim("F-2")["open"] == 200_00
        assert house.paper.written == []
        assert "typed_otherwise" in kinds(house), "it stands in the books of another invoice"
    else:
        assert house.claim("F-2")["open"] == 160_00
        assert len(house.paper.written) == 1
        assert declared_cents(house) == 40_00


def test_a_payment_its_collector_moves_to_another_invoice_moves(house: House) -> None:
    opened = collected(house, "F-2", 40_00)
    house.night()
    said_again(house, claim_ref=line_of(house, opened, "F-3").claim_id, invoice_number="F-3")
    nights(house, 3)
    assert payments(house, "F-2") == [("collector", 40_00), ("collector", -40_00)]
    assert payments(house, "F-3") == [("collector", 40_00)]
    assert house.paper.invoices["r-F-2"].open.minor == 200_00
    assert house.paper.invoices["r-F-3"].open.minor == 260_00


def test_what_a_tool_has_yet_to_show_may_be_other_money(house: House) -> None:
    papers = two_tools(house, "othertool")
    opened = house.open_everything()
    down = unheard(house)
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-4"), 40_00, tomorrow(house))
    for paper in papers.values():
        paper.pay("F-4", 40_00)
    house.night()
    papers["papertool"].pay("F-4", 50_00)  # the customer's, which the other tool has yet to show
    house.night()
    down[0] = False
    house.night()
    answer(house, "maybe_same", verdict="same")
    nights(house, 2)
    assert papers["othertool"].written == [], "it was typed in there"
    papers["othertool"].pay("F-4", 50_00)
    nights(house, 2)
    assert "maybe_same" not in kinds(house)
    assert house.claim("F-4")["open"] == 310_00


@pytest.mark.parametrize("showing", ["direct first", "nothing"])
def test_a_tool_that_has_yet_to_show_it_is_written_to(house: House, showing: str) -> None:
    papers = two_tools(house, "othertool")
    opened = house.open_everything()
    down = unheard(house)
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-4"), 40_00, tomorrow(house))
    papers["papertool"].pay("F-4", 40_00)
    house.night()
    papers["papertool"].pay("F-4", 50_00)
    house.night()
    if showing == "direct first":
        papers["othertool"].pay("F-4", 50_00)
        house.night()
    down[0] = False
    house.night()
    answer(house, "maybe_same", verdict="same")
    nights(house, 2)
    assert [cents for _, _, cents in papers["othertool"].written] == [40_00]


def test_a_payment_that_became_interest_alone_is_told_and_leaves_no_trace(house: House) -> None:
    papers = two_tools(house, "papertool")
    opened = house.open_everything()
    down = unheard(house)
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-4"), 40_00, tomorrow(house))
    house.paper.pay("F-4", 40_00)
    house.night()
    down[0] = False
    house.night()
    said_again(house, principal=Money.of_minor(0), interest=Money.of_minor(40_00))
    house.night()
    answer(house, "maybe_same", verdict="same")
    nights(house, 3)
    assert "typed_otherwise" in kinds(house)
    papers["othertool"].pay("F-4", 40_00)
    house.night()
    assert payments(house, "F-4")[-1] == ("source", 40_00), "the customer paid the company since"


def test_another_change_of_the_record_makes_no_answer_too_late(house: House) -> None:
    papers = two_tools(house, "papertool")
    opened = house.open_everything()
    failing(papers, until=True)
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-4"), 50_00, tomorrow(house))
    for paper in papers.values():
        paper.pay("F-4", 50_00)
    nights(house, LATE)
    for paper in papers.values():
        known = paper.invoices["r-F-4"]
        debtor = known.debtor.model_copy(update={"name": "Client SA"})
        paper.add(known.model_copy(update={"debtor": debtor}))
    house.night()
    failing(papers, until=False)
    answer(house, "maybe_same", verdict="same")
    nights(house, 3)
    assert sentences(house, "maybe_same") != []
    assert declared(house) == 0


def test_a_payment_moved_to_where_it_was_typed_in_is_asked_about(house: House) -> None:
    opened = collected(house, "F-2", 40_00)
    house.night()
    said_again(house, claim_ref=line_of(house, opened, "F-3").claim_id, invoice_number="F-3")
    down = unheard(house)
    house.paper.pay("F-3", 40_00)
    house.night()
    assert declared(house) == 0
    down[0] = False
    nights(house, 3)
    answer(house, "maybe_same", verdict="same")
    nights(house, 3)
    assert house.claim("F-2")["open"] == 200_00
    assert house.claim("F-3")["open"] == 260_00
    assert house.paper.invoices["r-F-2"].open.minor == 200_00
    assert house.paper.invoices["r-F-3"].open.minor == 260_00
    assert declared(house) == 0


def test_a_payment_moved_after_its_entry_was_handed_over_is_not_entered_again(
    house: House,
) -> None:
    opened = house.open_everything()
    house.paper.bug = Rejected("non")
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, tomorrow(house))
    house.paper.pay_out("o1", ["p1"], tomorrow(house))
    nights(house, 2)
    assert hand_over(house).rows
    house.paper.bug = None
    moved_to(house, opened, "F-3")
    nights(house, 3)
    assert payments(house, "F-3") == [("collector", 40_00)]
    assert "typed_otherwise" in kinds(house), "it was handed over for the other invoice"
    moved_to(house, opened, "F-4")
    nights(house, 3)
    assert any("facture F-4" in told for told in sentences(house, "typed_otherwise"))
    assert house.paper.written == []


def test_what_was_handed_over_and_taken_back_so_is_not_entered(house: House) -> None:
    two_tools_unanswered = add_tool(house)
    collected(house, "F-2", 40_00)
    house.paper.pay_out("o1", ["p1"], tomorrow(house))
    nights(house, 2)
    hand_over(house)
    house.paper.reverse("p1", tomorrow(house))
    nights(house, 1)
    house.paper.pay_out("o2", ["p1"], tomorrow(house))
    paid_out = house.paper.payouts["o2"]
    back = {name: -getattr(paid_out.lines[0], name) for name in ("gross", "fee", "fee_vat", "net")}
    line = paid_out.lines[0].model_copy(update=back)
    house.paper.payouts["o2"] = paid_out.model_copy(update={"net": line.net, "lines": (line,)})
    nights(house, 2)
    hand_over(house)
    answer_routing(house, "papertool")
    nights(house, 3)
    assert house.paper.written == []
    assert two_tools_unanswered.written == []


def test_an_amount_corrected_before_it_is_paid_out_is_entered_once(house: House) -> None:
    opened = house.open_everything()
    house.paper.bug = Rejected("non")
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-2"), 40_00, tomorrow(house))
    house.night()
    house.paper.pay_out("o1", ["p1"], tomorrow(house))  # as it was
    house.paper.bug = None
    said_amount(house, 45_00)
    nights(house, 3)
    assert [cents for _, _, cents in house.paper.written] == [45_00]
    (handed,) = hand_over(house).payouts
    assert handed["left_out"] == 40_00, "what was paid out stands in the tool, as a part of 45"


def test_a_payment_of_a_procedure_nobody_knows_is_asked_about_as_it_is_said(
    house: House,
) -> None:
    collected(house, "F-2", 40_00)
    said_again(house, procedure_ref="inconnue")
    house.night()
    (said,) = sentences(house, "unknown_payment")
    assert "40,00" in said
    said_amount(house, 45_00)
    house.night()
    (said,) = sentences(house, "unknown_payment")
    assert "45,00" in said
    answer(house, "unknown_payment")
    nights(house, 2)
    assert sentences(house, "unknown_payment") == []
    said_amount(house, 44_00)
    house.night()
    (said,) = sentences(house, "unknown_payment")
    assert "44,00" in said


def test_a_reversal_that_landed_is_found_though_what_it_undoes_was_refused(house: House) -> None:
    collected(house, "F-2", 40_00)
    house.night()
    assert house.effect_states("record_payment") == ["done"]
    house.paper.reverse("p1", tomorrow(house))
    house.paper.lose_replies = 1
    kind: Any = house.shelf.known["papertool"]
    find = kind.find_reversal

    def found(self: Any, key: str, wanted: Any) -> Any:
        if house.paper.written[1:]:
            raise Transient("en panne")
        return find(self, key, wanted)

    kind.find_reversal = found
    house.night()
    assert house.effect_states("reverse_payment") == ["uncertain"]
    e = schema.effect.c
    with house.host.store.begin() as tx:  # as when its accountant refuses it meanwhile
        refused = schema.effect.update().where(e.kind == "record_payment")
        tx.execute(refused.values(state="refused", fate=None))
    kind.find_reversal = find
    house.night()
    assert house.effect_states("reverse_payment") == ["done"]


def unknown(house: House) -> list[str]:
    """Let the collector name a payment of a procedure nobody knows, and a person answer."""
    opened = collected(house, "F-2", 40_00)
    said_again(house, procedure_ref="inconnue")
    house.night()
    answer(house, "unknown_payment")
    return opened


def test_an_unknown_payment_is_asked_about_as_often_as_its_collector_changes(
    house: House,
) -> None:
    unknown(house)
    for cents in (45_00, 40_00):
        said_amount(house, cents)
        nights(house, 2)
        assert len(sentences(house, "unknown_payment")) == 1
        answer(house, "unknown_payment")
    house.paper.reverse("p1", tomorrow(house))
    house.night()
    (said,) = sentences(house, "unknown_payment")
    assert "puis annulé" in said


def test_an_unknown_payment_is_asked_about_no_more_once_it_is_known(house: House) -> None:
    opened = unknown(house)
    said_again(house, procedure_ref="autre")
    said_amount(house, 45_00)
    house.night()
    assert len(sentences(house, "unknown_payment")) == 1
    said_again(house, procedure_ref=opened[0])
    nights(house, 2)
    assert payments(house, "F-2") == [("collector", 45_00)]
    assert sentences(house, "unknown_payment") == []
    said_again(house, procedure_ref="autre")
    house.night()
    assert len(sentences(house, "unknown_payment")) == 1, "nobody answered what closed by itself"
