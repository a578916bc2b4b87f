"""Replies lost after the effect landed: found again, and only one effect ever stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import get_args

import pytest
from tests.connectors_gcollect.counter import (
    AMENDMENT,
    CONTESTED,
    FILE,
    KEY,
    PAID,
    PAUSE,
    REQUEST,
    WITHDRAWAL,
)
from tests.connectors_gcollect.town import Town, found_town

from encaisse_api import (
    Absent,
    Denied,
    Drift,
    MandateLink,
    OutcomeUnknown,
    PartnerError,
    Receipt,
    Rejected,
    Transient,
)
from encaisse_gcollect import GCollectConnector
from encaisse_simulator.faults import FaultKind

Written = Receipt | MandateLink
Do = Callable[[GCollectConnector], Written]
Find = Callable[[GCollectConnector], Written | Absent]


@dataclass(frozen=True)
class Step:
    """Say how one effect is sent and looked up in a town."""

    do: Do
    find: Find


def _mandate(town: Town) -> Step:
    quote = town.connector().quote(REQUEST)
    draft = town.draft(quote.remote_id)
    return Step(lambda c: c.request_mandate(KEY, draft), lambda c: c.find_mandate(KEY, draft))


def _procedure(town: Town) -> Step:
    signed = town.signed()
    return Step(
        lambda c: c.open_procedure(KEY, FILE, signed), lambda c: c.find_procedure(KEY, FILE)
    )


def _withdrawal(town: Town) -> Step:
    wanted = WITHDRAWAL.model_copy(update={"procedure_ref": town.opened().remote_id})
    return Step(lambda c: c.withdraw(KEY, wanted), lambda c: c.find_withdrawal(KEY, wanted))


def _pause(town: Town) -> Step:
    wanted = PAUSE.model_copy(update={"procedure_ref": town.opened().remote_id})
    return Step(lambda c: c.pause(KEY, wanted), lambda c: c.find_pause(KEY, wanted))


def _amendment(town: Town) -> Step:
    wanted = AMENDMENT.model_copy(update={"procedure_ref": town.opened().remote_id})
    return Step(lambda c: c.amend(KEY, wanted), lambda c: c.find_amendment(KEY, wanted))


def _direct_payment(town: Town) -> Step:
    paid = PAID.model_copy(update={"procedure_ref": town.opened().remote_id})
    return Step(
        lambda c: c.declare_direct_payment(KEY, paid), lambda c: c.find_direct_payment(KEY, paid)
    )


def _dispute(town: Town) -> Step:
    contested = CONTESTED.model_copy(update={"procedure_ref": town.opened().remote_id})
    return Step(lambda c: c.open_dispute(KEY, contested), lambda c: c.find_dispute(KEY, contested))


STEPS: dict[str, Callable[[Town], Step]] = {
    "mandate": _mandate,
    "procedure": _procedure,
    "withdrawal": _withdrawal,
    "pause": _pause,
    "amendment": _amendment,
    "direct_payment": _direct_payment,
    "dispute": _dispute,
}

every_step = pytest.mark.parametrize("name", STEPS)
SEED = 20261001


def ids_of(written: Written | Absent) -> set[str]:
    assert not isinstance(written, Absent), f"seed {SEED}: it stands there and was not found"
    aliases = written.aliases if isinstance(written, Receipt) else ()
    return {written.remote_id, *aliases}


@every_step
@pytest.mark.parametrize("fault", ["lost_reply", "5xx_after", "slow_after", "malformed"])
def test_an_effect_whose_reply_was_lost_is_found_and_stands_once(
    name: str, fault: FaultKind
) -> None:
    assert fault in get_args(FaultKind)
    town = found_town(SEED)
    step = STEPS[name](town)
    assert isinstance(step.find(town.connector()), Absent)
    untouched = len(town.world.ledger())

    town.world.faults.schedule(fault, method="POST|PATCH", path="^/v1/[mp]")
    with pytest.raises(OutcomeUnknown):
        step.do(town.connector())
    landed = len(town.world.ledger())
    assert landed > untouched, f"seed {SEED}: the fault struck before the effect"

    found = step.find(town.connector())
    again = step.do(town.connector())
    assert again.remote_id in ids_of(found)
    assert len(town.world.ledger()) == landed, f"seed {SEED}: the replay made a second effect"


@every_step
@pytest.mark.parametrize("fault", ["5xx", "slow", "429", "revoked_token"])
def test_an_effect_that_never_landed_is_absent_and_lands_on_the_next_try(
    name: str, fault: FaultKind
) -> None:
    town = found_town(SEED)
    step = STEPS[name](town)
    untouched = len(town.world.ledger())
    town.world.faults.schedule(fault, method="POST|PATCH", path="^/v1/[mp]")
    with pytest.raises((OutcomeUnknown, Transient, Denied)):
        step.do(town.connector())
    assert len(town.world.ledger()) == untouched
    town.world.faults.restore_tokens()
    assert isinstance(step.find(town.connector()), Absent)
    first = step.do(town.connector())
    assert first.remote_id in ids_of(step.find(town.connector()))


@every_step
def test_a_retry_the_next_night_finds_the_reference_taken_and_looks_up(name: str) -> None:
    """The key is forgotten after 24 h; what was filed under it is not."""
    town = found_town(SEED)
    step = STEPS[name](town)
    step.do(town.connector())
    town.world.advance(timedelta(hours=25))
    landed = len(town.world.ledger())
    closed_by_it = name == "withdrawal"
    with pytest.raises(Rejected if closed_by_it else OutcomeUnknown):
        step.do(town.connector())
    assert len(town.world.ledger()) == landed
    assert ids_of(step.find(town.connector()))


@every_step
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("revoked_token", Denied),
        ("5xx", Transient),
        ("slow", Transient),
        ("429", Transient),
        ("lost_reply", Transient),
        ("malformed", Drift),
        ("miscounted_list", Drift),
    ],
)
def test_a_search_that_fails_is_never_an_absence(
    name: str, fault: FaultKind, error: type[PartnerError]
) -> None:
    town = found_town(SEED)
    step = STEPS[name](town)
    step.do(town.connector())
    town.world.faults.schedule(fault, method="GET", path="^/v1/[mp]")
    with pytest.raises(error):
        step.find(town.connector())


@every_step
def test_even_a_search_that_lies_cannot_make_a_second_effect(name: str) -> None:
    """A list cut short that says it is whole cannot be told from an absence; the key protects."""
    town = found_town(SEED)
    step = STEPS[name](town)
    first = step.do(town.connector())
    landed = len(town.world.ledger())
    town.world.faults.schedule("truncated_list", method="GET", path="^/v1/[mp]")
    assert isinstance(step.find(town.connector()), Absent)
    assert step.do(town.connector()).remote_id == first.remote_id
    assert len(town.world.ledger()) == landed
