"""Claims merged by a person, and taken apart: exact, counted once, never two procedures."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from tests.core.houses import House, line_of, open_tasks, payments
from tests.core.merging import (
    WHY,
    changed,
    claim_id,
    merge,
    pay,
    second_tool,
    semantic,
    sums,
    unmerge,
)
from tests.core.paper import Paper, invoice, paper_connectors

from encaisse_api import Money
from encaisse_core import connecting, proposals, referrers, separations
from encaisse_core.contracts import first_import
from encaisse_core.errors import UsageError
from encaisse_core.store import schema

INVOICES = 3


def test_one_payment_both_tools_showed_is_one_payment(house: House) -> None:
    second = second_tool(house)
    house.night()
    pay(house.paper, "F-3", 50_00)
    pay(second, "X-3", 50_00)
    house.night()
    merge(house, "F-3", "X-3")
    assert house.claim("F-3")["open"] == 250_00
    assert payments(house, "F-3") == [("source", 50_00)]
    sums(house)


def test_what_only_the_second_tool_showed_is_news_to_the_first(house: House) -> None:
    opened = house.open_everything()
    second = second_tool(house)
    house.night()
    pay(second, "X-3", 300_00)
    house.night()
    assert house.paper.stops == []
    merge(house, "F-3", "X-3")
    assert house.claim("F-3")["state"] == "settled"
    house.night()
    assert [(kind, ref) for kind, _, ref in house.paper.stops] == [("direct_payment", opened[0])]
    pay(house.paper, "F-3", 300_00)  # the first tool is late: the same money
    house.night()
    assert payments(house, "F-3") == [("source", 300_00)]


def test_a_payment_the_second_tool_is_late_with_is_recognised_after_the_merge(
    house: House,
) -> None:
    second = second_tool(house)
    house.night()
    pay(house.paper, "F-2", 80_00)
    house.night()
    merge(house, "F-2", "X-2")
    pay(second, "X-2", 80_00)
    house.night()
    assert payments(house, "F-2") == [("source", 80_00)]
    assert house.claim("F-2")["open"] == 120_00


def test_collected_money_and_direct_money_are_two_payments(house: House) -> None:
    (procedure,) = house.open_everything()
    second = second_tool(house)
    house.night()
    line = line_of(house, [procedure], "F-3")
    house.paper.collect("p1", procedure, line, 40_00, date(2026, 2, 5))
    pay(second, "X-3", 70_00)
    house.night()
    merge(house, "F-3", "X-3")
    assert sorted(payments(house, "F-3")) == [("collector", 40_00), ("source", 70_00)]
    assert house.claim("F-3")["open"] == 190_00
    sums(house)


def test_money_collected_on_the_second_moves_and_comes_back(house: House) -> None:
    second = second_tool(house)
    (procedure,) = house.open_everything()
    line = line_of(house, [procedure], "X-3")
    house.paper.collect("p1", procedure, line, 40_00, date(2026, 2, 5))
    house.night()
    close(house, procedure)
    before = semantic(house)
    merge_id = merge(house, "F-3", "X-3")
    assert payments(house, "F-3") == [("collector", 40_00)]
    assert house.claim("F-3")["open"] == 260_00
    sums(house)
    unmerge(house, merge_id)
    assert changed(before, semantic(house)) == []
    assert second.written == []


def test_a_payment_that_went_back_at_the_collector_after_a_merge_goes_back_once(
    house: House,
) -> None:
    second_tool(house)
    (procedure,) = house.open_everything()
    house.paper.collect("p1", procedure, line_of(house, [procedure], "X-3"), 40_00, FEBRUARY)
    house.night()
    close(house, procedure)
    merge_id = merge(house, "F-3", "X-3")
    house.night()
    assert [cents for _, ref, cents in house.paper.written if ref == "r-F-3"] == [40_00]
    house.paper.reverse("p1", date(2026, 2, 8))
    house.night()
    assert house.claim("F-3")["open"] == 300_00
    assert [cents for _, ref, cents in house.paper.written if ref == "r-F-3"] == [40_00, -40_00]
    unmerge(house, merge_id)
    assert house.claim("X-3")["open"] == house.claim("F-3")["open"] == 300_00
    sums(house)


FEBRUARY = date(2026, 2, 5)


def close(house: House, procedure: str) -> None:
    """Let the collector close a procedure: its claims are free again."""
    from encaisse_api import ProcedureState

    house.paper.states["s"] = ProcedureState(
        remote_id=procedure, state="closed", close_code="creditor", updated_at=house.clock.now()
    )
    house.night()


# --- refused ----------------------------------------------------------------------------------


def refused(house: House, kept: str, gone: str) -> str:
    before = semantic(house)
    with pytest.raises(UsageError) as told:
        merge(house, kept, gone)
    assert changed(before, semantic(house)) == []
    return str(told.value)


def test_two_that_are_handed_over_are_not_merged(house: House) -> None:
    second_tool(house)
    house.open_everything()
    assert "toutes deux confiées" in refused(house, "F-3", "X-3")


def test_the_one_that_is_handed_over_stays_itself(house: House) -> None:
    house.open_everything()
    second_tool(house)
    house.night()
    assert "c'est elle qui doit rester" in refused(house, "X-3", "F-3")
    merge(house, "F-3", "X-3")
    assert house.reasons("F-3") >= {"in_procedure"}


def test_a_mere_quote_on_the_second_is_given_up(house: House) -> None:
    second_tool(house)
    house.night()
    proposals.propose(house.host, house.company)
    merge(house, "F-3", "X-3")
    with house.host.store.begin() as tx:
        r = schema.reservation.c
        live = tx.execute(select(r.claim_id).where(r.released_at.is_(None))).scalars().all()
    assert live == []
    assert proposals.propose(house.host, house.company)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"siren": "552100554"}, "Les clients ne sont pas les mêmes"),
        ({"paid": 0, "total": 77_00}, "Les totaux diffèrent"),
        ({"currency": "USD"}, "est en EUR et"),
        ({"direction": "payable"}, "une vente, l'autre un achat"),
    ],
)
def test_records_that_contradict_each_other_are_not_merged(
    house: House, how: dict[str, Any], said: str
) -> None:
    second = second_tool(house)
    item = invoice("X-9", how.pop("total", 300_00), siren=how.pop("siren", "987654324"))
    how.pop("paid", None)
    if "currency" in how:
        money = Money(amount=item.total.amount, currency=how["currency"])
        parts = tuple(
            i.model_copy(update={"amount": money, "open": money}) for i in item.instalments
        )
        item = item.model_copy(update={"total": money, "open": money, "instalments": parts})
    second.add(item.model_copy(update=how))
    house.night()
    assert said in refused(house, "F-3", "X-9")


def test_an_open_question_on_the_money_is_answered_first(house: House) -> None:
    second = second_tool(house, paid=10_00)
    house.night()
    pay(second, "X-3", -10_00)
    house.night()
    assert house.claim("X-3")["hold"] == "amount_rose"
    assert "attend sa réponse" in refused(house, "F-3", "X-3")


def test_a_claim_is_part_of_one_other_at_most(house: House) -> None:
    second_tool(house)
    house.night()
    merge(house, "F-3", "X-3")
    with pytest.raises(UsageError, match="déjà réunie"):
        merge(house, "F-2", "X-3")


# --- what is carried along --------------------------------------------------------------------


def test_a_dispute_of_the_second_holds_the_first_and_goes_back_with_it(house: House) -> None:
    second = second_tool(house)
    house.night()
    with house.host.store.begin() as tx:
        from encaisse_core.holds import hold

        gone = claim_id_in(tx, "X-3")
        hold(house.host, tx, house.company, gone, "disputed", "Contestée.")
    before = semantic(house)
    merge_id = merge(house, "F-3", "X-3")
    assert house.claim("F-3")["hold"] == "disputed"
    assert "disputed" in house.reasons("F-3")
    assert [(k, s) for _, k, s in open_tasks(house)] == [("disputed", claim_id(house, "F-3"))]
    unmerge(house, merge_id)
    assert changed(before, semantic(house)) == []
    assert [(k, s) for _, k, s in open_tasks(house)] == [("disputed", gone)]
    assert second.written == []


def claim_id_in(tx: Any, number: str) -> str:
    c = schema.claim.c
    return str(tx.execute(select(c.id).where(c.number == number)).scalar_one())


def test_who_brought_the_invoice_first_stays_who_brought_it(house: House) -> None:
    house.night()
    second_tool(house)
    house.night()
    s, a = schema.sighting.c, schema.attribution
    with house.host.store.begin() as tx:
        for number, name in (("F-3", "one"), ("X-3", "two")):
            referrer = referrers.add(house.host, tx, house.company, name, "editor")
            shown = tx.execute(
                select(s.id, s.connection_id, s.created_at).where(s.number == number)
            ).one()
            tx.execute(a.delete().where(a.c.sighting_id == shown.id))
            tx.execute(
                a.insert().values(
                    company_id=house.company,
                    sighting_id=shown.id,
                    referrer_id=referrer,
                    connection_id=shown.connection_id,
                    attributed_at=shown.created_at,
                )
            )

    def decides(number: str) -> str:
        with house.host.store.begin() as tx:
            claim = claim_id_in(tx, number)
            first = first_import(referrers.imports(tx, house.company, [claim])[claim])
            r = schema.referrer.c
            assert first is not None
            return str(tx.execute(select(r.name).where(r.id == first.referrer_id)).scalar_one())

    before = semantic(house)
    assert (decides("F-3"), decides("X-3")) == ("one", "two")
    merge_id = merge(house, "X-3", "F-3")  # the newer one is kept
    assert decides("X-3") == "one"
    unmerge(house, merge_id)
    assert changed(before, semantic(house)) == []
    assert (decides("F-3"), decides("X-3")) == ("one", "two")


def test_a_merged_claim_is_decided_no_more_and_quiet_nights_leave_nothing(house: House) -> None:
    second_tool(house)
    house.night()
    merge(house, "F-3", "X-3")
    house.night()
    house.night()  # by now the books should have had the other invoices
    with pytest.raises(AssertionError):
        house.reasons("X-3")
    events = house.count("event")
    house.night()
    assert house.count("event") == events


def test_a_double_deleted_in_its_tool_after_the_merge_holds_nothing_back(house: House) -> None:
    house.paper.add(invoice("F-3bis", 300_00, due=date(2026, 1, 20)))
    house.night()
    merge(house, "F-3", "F-3bis")
    house.night()
    assert house.reasons("F-3") == set()
    del house.paper.invoices["r-F-3bis"]
    house.night()
    assert house.reasons("F-3") == set()
    assert house.claim("F-3")["open"] == 300_00


# --- records a rung joined --------------------------------------------------------------------


def test_a_record_joined_by_a_rung_gets_a_claim_of_its_own(house: House) -> None:
    second = Paper()
    second.add(invoice("F-3", 300_00))
    kind = paper_connectors(second)["papertool"]
    kind.manifest = kind.manifest.model_copy(update={"slug": "othertool"})
    house.shelf.known["othertool"] = kind
    connecting.connect(
        house.host, house.app.vault, company_id=house.company, connector="othertool", values={}
    )
    house.night()
    pay(second, "F-3", 60_00)
    house.night()
    assert house.claim("F-3")["open"] == 240_00
    s = schema.sighting.c
    with house.host.store.begin() as tx:
        joined = tx.execute(select(s.id).where(s.rung == 1)).scalar_one()
        first = tx.execute(select(s.id).where(s.number == "F-3", s.rung == 0)).scalar_one()
        kept = tx.execute(select(s.claim_id).where(s.id == joined)).scalar_one()
    with house.host.store.begin() as tx, pytest.raises(UsageError, match="a fait la créance"):
        separations.separate(house.host, tx, house.company, first, WHY)
    with house.host.store.begin() as tx:
        own = separations.separate(house.host, tx, house.company, joined, WHY)
    for _ in range(2):
        house.night()
        c = schema.claim.c
        with house.host.store.begin() as tx:
            opens = dict(tx.execute(select(c.id, c.open).where(c.number == "F-3")).all())
        assert opens == {kept: 300_00, own: 240_00}
    sums(house)
