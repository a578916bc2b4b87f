"""Slow partners: a file opens however long its last look, nothing leaves late, no drain spins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.core import handing
from tests.core.houses import House, approve_and_sign, make
from tests.core.paper import LOOKUP

from encaisse_api import Transient
from encaisse_core import chaos, deliver, nightly, outbox, proposals, runner
from encaisse_core.clock import VirtualClock
from encaisse_core.store import schema
from encaisse_core.store.engine import instant

INVOICES = 45
LEASE = outbox.LEASE.total_seconds()


def slow(house: House, connector: str, name: str, before: Callable[[Any, int], None]) -> None:
    """Let something happen before each call of one kind; it hears who is called, and how often."""
    kind = house.shelf.known[connector]
    plain, calls = getattr(kind, name), [0]

    def late(self: Any, *arguments: Any) -> Any:
        calls[0] += 1
        before(self, calls[0])
        return plain(self, *arguments)

    setattr(kind, name, late)


def with_documents(house: House) -> None:
    """Let the collector look procedures up, and need the documents the tool holds."""
    paper = house.paper
    for ref, item in paper.invoices.items():
        paper.invoices[ref] = item.model_copy(update={"document_ref": ref})
    kind = house.shelf.known["papercollector"]
    writes = {**kind.manifest.writes, "open_procedure": LOOKUP}
    needs = {"writes": writes, "sends": ("claims.documents",)}
    kind.manifest = kind.manifest.model_copy(update=needs)


def effect(house: House, kind: str) -> Any:
    e = schema.effect
    with house.host.store.begin() as tx:
        return tx.execute(select(e).where(e.c.kind == kind)).one()


@pytest.mark.parametrize("seconds", [8, 20], ids=["each read short", "one read past the lease"])
def test_a_last_look_longer_than_a_lease_opens_its_file_once(house: House, seconds: int) -> None:
    """Between its reads it is still held; so it is after one nobody waited for."""
    approve_and_sign(house)
    kind: Any = house.shelf.known["papertool"]
    plain, asked = kind.read_invoices, list[str]()

    def read(self: Any, refs: Any) -> Any:
        asked.extend(refs)
        house.clock.sleep(seconds * len(refs))
        return plain(self, refs)

    kind.read_invoices = read
    begun = house.clock.now() + timedelta(days=1)
    house.night()
    assert len(house.paper.procedures) == 1
    assert len(asked) == INVOICES
    assert house.clock.now() - begun < timedelta(seconds=seconds * INVOICES + 60)
    assert effect(house, "open_procedure").attempts == 1


def test_no_request_may_start_close_to_the_end_of_the_lease(
    database_url: str, tmp_path: Path, clock: VirtualClock
) -> None:
    """Slow documents and a slow last look leave the send its whole time; a rival takes nothing."""
    house = make(database_url, tmp_path, clock, invoices=2)
    with_documents(house)
    sends: list[int] = []

    def send(partner: Any, number: int) -> None:
        sends.append(number)
        lease = instant(effect(house, "open_procedure").ready_at)
        assert clock.now() < partner.context.deadline <= lease - deliver.LAST_START
        clock.sleep(40)
        rival = runner.drain(house.host, house.company, nightly.OPENINGS, patience=timedelta(0))
        assert not rival.outcomes

    slow(house, "papertool", "fetch_document", lambda _, n: clock.sleep(150))
    slow(house, "papertool", "read_invoices", lambda _, n: clock.sleep(130))
    slow(house, "papercollector", "open_procedure", send)
    assert (len(house.open_everything()), sends) == (1, [1])
    house.app.close()


@pytest.mark.parametrize("moment", ["fetch_document", "read_invoices"])
def test_an_effect_another_worker_took_meanwhile_is_left_to_it(
    database_url: str, tmp_path: Path, clock: VirtualClock, moment: str
) -> None:
    house = make(database_url, tmp_path, clock, invoices=2)
    with_documents(house)
    sends: list[int] = []

    def overtake(_: Any, number: int) -> None:
        if number == 1:
            clock.sleep(LEASE + 1)
            rival = threading.Thread(
                target=runner.drain, args=(house.host, house.company, nightly.OPENINGS)
            )
            rival.start()
            rival.join(60)

    slow(house, "papercollector", "open_procedure", lambda _, n: sends.append(n))
    approve_and_sign(house)
    slow(house, "papertool", moment, overtake)
    house.night()
    assert (len(house.paper.procedures), sends) == (1, [1])
    assert house.effect_states("open_procedure") == ["done"]
    house.app.close()


def test_an_attempt_that_took_too_long_is_tried_again_later_and_not_at_once(house: House) -> None:
    """A worker that outlives its lease between the claim and the fence, each time."""
    house.night()
    proposals.approve(
        house.host, house.company, proposals.propose(house.host, house.company), by="essai"
    )

    def freeze(point: str) -> None:
        if point == "outbox.claim.after_commit":
            house.clock.sleep(LEASE + 1)

    with chaos.hooked(freeze):
        drained = runner.drain(house.host, house.company)
    left = effect(house, "request_mandate")
    assert drained.outcomes == {"planned": left.attempts}
    assert 1 < left.attempts < runner.MOST_TRIES
    assert (left.reason, house.paper.mandates) == (deliver.TOO_LONG, {})
    house.clock.sleep(deliver.BACKOFF[-1].total_seconds())
    assert runner.drain(house.host, house.company).outcomes == {"done": 1}


def test_a_drain_leaves_alone_what_it_tried_often(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However soon it is ready again; the next drain tries it."""
    monkeypatch.setattr(deliver, "BACKOFF", (timedelta(0),))

    def fail(*_: object) -> None:
        raise Transient("en panne")

    monkeypatch.setattr(house.shelf.known["papercollector"], "request_mandate", fail)
    house.night()
    handing.approve_and_sign(house.app, house.company, house.paper)
    left = effect(house, "request_mandate")
    assert (left.state, left.attempts) == ("planned", runner.MOST_TRIES)
