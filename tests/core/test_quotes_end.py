"""A quote is good for a time: what nobody approved by then is quoted again, never sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from tests.core.houses import House

from encaisse_api import Quote, QuoteRequest, Rejected
from encaisse_core import proposals, runner
from encaisse_core.cli import resolving
from encaisse_core.errors import UsageError
from encaisse_core.store import schema

INVOICES = 2
GOOD_FOR = timedelta(days=15)


@pytest.fixture
def quoting(house: House) -> House:
    """Let the collector's quotes end after fifteen days."""
    kind = house.shelf.known["papercollector"]
    plain = vars(kind)["quote"]

    def quote(self: Any, request: QuoteRequest) -> Quote:
        made: Quote = plain(self, request)
        return made.model_copy(update={"expires_at": self.context.now + GOOD_FOR})

    kind.quote = quote  # type: ignore[attr-defined]
    house.night()
    return house


def states(house: House) -> dict[str, str]:
    p = schema.proposal.c
    with house.host.store.begin() as tx:
        return {row.id: row.state for row in tx.execute(select(p.id, p.state))}


def later(house: House, wait: timedelta) -> None:
    house.clock.sleep(wait.total_seconds())


def test_what_waited_longer_than_its_quote_is_quoted_again(quoting: House) -> None:
    (first,) = proposals.propose(quoting.host, quoting.company)
    later(quoting, GOOD_FOR - proposals.TO_APPROVE - timedelta(hours=25))
    quoting.night()
    assert proposals.propose(quoting.host, quoting.company) == []
    later(quoting, timedelta(hours=1))
    (second,) = proposals.propose(quoting.host, quoting.company)
    assert states(quoting) == {first: "dropped", second: "proposed"}
    proposals.approve(quoting.host, quoting.company, [second], by="essai")
    runner.drain(quoting.host, quoting.company)
    assert len(quoting.paper.mandates) == 1


def test_an_old_quote_is_not_approved_and_takes_no_claim_with_it(quoting: House) -> None:
    (first,) = proposals.propose(quoting.host, quoting.company)
    later(quoting, GOOD_FOR)
    with pytest.raises(UsageError, match=f"Le devis a expiré : {first}"):
        proposals.approve(quoting.host, quoting.company, [first], by="essai")
    assert states(quoting) == {first: "proposed"}
    assert quoting.effect_states("request_mandate") == []


def test_a_mandate_refused_once_is_not_asked_again_for_what_was_given_up(
    quoting: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = quoting.shelf.known["papercollector"]

    def refuse(*_: object) -> None:
        raise Rejected("Le devis a expiré.")

    proposals.approve(
        quoting.host,
        quoting.company,
        proposals.propose(quoting.host, quoting.company),
        by="essai",
    )
    with monkeypatch.context() as patch:
        patch.setattr(kind, "request_mandate", refuse)
        runner.drain(quoting.host, quoting.company)
    assert quoting.effect_states("request_mandate") == ["refused"]
    e = schema.effect.c
    with quoting.host.store.begin() as tx:
        effect_id = tx.execute(select(e.id)).scalar_one()
    decided = resolving.Decision("retry", "Vu avec lui.", "essai")
    resolving.resolve(quoting.host, quoting.company, effect_id, decided)
    runner.drain(quoting.host, quoting.company)
    assert quoting.effect_states("request_mandate") == ["refused"]
    assert quoting.paper.mandates == {}
    assert set(states(quoting).values()) == {"dropped"}


def test_an_approved_proposal_keeps_the_quote_it_was_approved_with(quoting: House) -> None:
    (first,) = proposals.propose(quoting.host, quoting.company)
    proposals.approve(quoting.host, quoting.company, [first], by="essai")
    later(quoting, GOOD_FOR)
    assert proposals.propose(quoting.host, quoting.company) == []
    assert states(quoting) == {first: "approved"}
