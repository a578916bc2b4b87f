"""Comparing and proposing read only what may matter tonight, and find what reading all would."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest
from sqlalchemy import true
from tests.core import plans
from tests.core.houses import House, add_tool
from tests.core.paper import Paper, invoice

from encaisse_core import compare, facts, routing
from encaisse_core.host import links

INVOICES = 0
MANY, SEED = 14, 4
DUES = (date(2026, 1, 5), date(2026, 1, 20), date(2026, 6, 30))


@pytest.fixture
def lived(house: House) -> House:
    """Live three nights with two tools that tell some invoices differently, or not at all."""
    chance, second = Random(SEED), add_tool(house)
    for number in range(MANY):
        for paper in (house.paper, second):
            fill(paper, f"F-{number}", 1_000_00 + number, chance)
    for _ in range(3):
        house.night()
    return house


def test_what_is_left_out_changes_nothing(lived: House, monkeypatch: pytest.MonkeyPatch) -> None:
    restricted = compare._may_lack
    for books in (None, "papertool", "othertool"):  # where every invoice should be, or nowhere
        if books is not None:
            keep_books(lived, books)
        monkeypatch.setattr(compare, "_may_lack", restricted)
        some = differences(lived)
        told = {each.kind for each in some}
        assert told >= {"total", "due_date"}, SEED
        assert ("only_in_one" in told) == (books is not None)
        monkeypatch.setattr(compare, "_may_lack", lambda *_: true())
        assert differences(lived) == some, (SEED, books)


def test_what_is_not_overdue_is_not_decided_and_would_not_be_proposed(lived: House) -> None:
    with lived.host.store.begin() as tx:
        proposed = [each.claim_id for each in facts.collectible(lived.host, tx, lived.company)]
        decided = list(facts.decide_all(lived.host, tx, lived.company))
        overdue = facts._overdue(tx, lived.company, lived.clock.today())
    assert proposed == [each.facts.claim_id for each in decided if each.decision.collectible]
    assert 0 < len(proposed) < len(overdue) < len(decided), SEED


def fill(paper: Paper, number: str, cents: int, chance: Random) -> None:
    """Let a tool have the invoice or not, with another total or day now and then."""
    if chance.random() < 0.2:
        return
    total = cents + (chance.random() < 0.15)
    paid = chance.choice((0, 0, 0, total, total // 3))
    paper.add(invoice(number, total, paid=paid, due=chance.choice((*DUES, DUES[0], DUES[0]))))


def keep_books(house: House, slug: str) -> None:
    """Say that entries are made in a tool."""
    with house.host.store.begin() as tx:
        chosen = next(each for each in links(tx, house.company) if each.connector == slug)
        routing.answer(
            house.host, tx, house.company, "record_payment", chosen.id, decided_by="essai"
        )


def differences(house: House) -> list[compare.Difference]:
    with house.host.store.begin() as tx:
        return list(compare._between_tools(house.host, tx, house.company))


def test_a_new_record_does_not_read_every_key_of_the_company(house: House) -> None:
    house.paper.add(invoice("F-1", 100_00))
    asked = plans.statements(house, house.night, "FROM claim_key", " JOIN ")
    assert asked
    for each in asked:
        keys = plans.steps(house, each, "claim_key")
        assert keys, each
        assert all("rung=? AND value=?" in step for step in keys), keys


def test_what_is_written_back_is_not_looked_for_among_all_invoices_each_time(house: House) -> None:
    asked = plans.statements(house, house.night, "FROM payment JOIN sighting")
    assert asked
    for each in asked:
        read = [*plans.steps(house, each, "sighting"), *plans.steps(house, each, "payment")]
        assert any("claim_id=?" in step for step in read), read


def test_what_is_news_of_money_is_found_by_the_index_of_the_news(house: House) -> None:
    house.night()
    asked = [
        (table, index, each)
        for table, index, *parts in (
            ("settlement", "ix_settlement_unfollowed", "FROM settlement", "undo"),
            ("settlement", "ix_settlement_unfollowed", "UPDATE settlement", "followed_state="),
            ("sighting", "ix_sighting_odd", "FROM sighting", "presence <> 'live'"),
            ("claim", "ix_claim_stale", "FROM claim", "state = 'open' and open = 0"),
        )
        for each in plans.statements(house, house.night, *parts)
    ]
    assert {index for _, index, _ in asked} == {
        "ix_settlement_unfollowed",
        "ix_sighting_odd",
        "ix_claim_stale",
    }
    for table, index, each in asked:
        read = plans.steps(house, each, table)
        assert [index in step for step in read] == [True], (each, read)


def test_tools_falls_are_read_in_the_order_of_their_index(house: House) -> None:
    house.night()
    asked = plans.statements(house, house.night, "SELECT sighting.id AS told_by")
    assert asked
    for each in asked:
        first, *_ = plans.steps(house, each, "sighting")
        assert "ix_sighting_different (company_id=? AND (connection_id,remote_ref)>" in first
