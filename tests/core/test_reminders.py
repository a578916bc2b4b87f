"""Reminders a tool already sent: asked when proposed, shown, and told only to who declared it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.core.handing import Shelf
from tests.core.houses import House
from tests.core.paper import Paper, invoice, paper_connectors

from encaisse_api import Drift, Manifest, Recipient, Reminder, Transient
from encaisse_core import proposals, reminders
from encaisse_core.app import open_app
from encaisse_core.cli.views import explaining
from encaisse_core.clock import SeededIds, VirtualClock

FIRST = Reminder(at=datetime(2026, 1, 12, 8, 0, tzinfo=UTC), kind="reminder1")
SECOND = Reminder(at=datetime(2026, 1, 26, 8, 0, tzinfo=UTC), kind="reminder2")


class Told:
    """Hold what the tool tells of F-1, and which records it was asked about."""

    def __init__(self) -> None:
        self.says: Sequence[Reminder] | Exception = (SECOND, FIRST)
        self.asked: list[str] = []

    def of(self, ref: str) -> Sequence[Reminder]:
        self.asked.append(ref)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says if ref == "r-F-1" else ()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def house(tmp_path: Path, clock: VirtualClock, told: Told) -> Iterator[House]:
    paper = Paper()
    for number in (1, 2):
        paper.add(invoice(f"F-{number}", 100_00 * number))
    known = paper_connectors(paper)
    known["papertool"].reminders = lambda self, ref: told.of(ref)  # type: ignore[attr-defined]
    app = open_app(
        {"ENCAISSE_DATABASE_URL": f"sqlite:///{tmp_path / 'encaisse.db'}"},
        folder=tmp_path / "home",
        clock=clock,
        ids=SeededIds(1, clock),
        connectors=(shelf := Shelf(known)),
    )
    yield House(app, clock, paper, shelf)
    app.close()


def wants(house: House, *sends: str) -> None:
    """Let the collector declare what it receives."""
    kind = house.shelf.known["papercollector"]
    recipient = Recipient(
        role="controller", country="FR", purpose="essai", retention="essai", agreement="essai"
    )
    kind.manifest = Manifest.model_validate(
        {**dict(kind.manifest), "sends": sends, "recipient": recipient}
    )


def known(house: House, number: str) -> tuple[Reminder, ...]:
    claim_id = str(house.claim(number)["id"])
    with house.host.store.begin() as tx:
        return reminders.of_claim(tx, house.company, claim_id)


def test_the_night_asks_for_none_and_a_proposal_for_those_of_its_claims(
    house: House, told: Told
) -> None:
    house.night()
    assert told.asked == []
    proposals.propose(house.host, house.company)
    assert told.asked == ["r-F-1", "r-F-2"]
    assert known(house, "F-1") == (FIRST, SECOND)
    assert known(house, "F-2") == ()
    claim_id = str(house.claim("F-1")["id"])
    with house.host.store.begin() as tx:
        claim = explaining.explain(house.host, tx, house.company, claim_id)
    assert claim["reminders"] == [
        {"at": "2026-01-12T08:00:00Z", "kind": "reminder1"},
        {"at": "2026-01-26T08:00:00Z", "kind": "reminder2"},
    ]


@pytest.mark.parametrize(
    ("sends", "carried"),
    [((), ()), (("claims.documents",), ()), (("claims.reminders",), (FIRST,))],
)
def test_a_collector_hears_of_them_only_where_it_declared_it(
    house: House, told: Told, sends: tuple[str, ...], carried: tuple[Reminder, ...]
) -> None:
    told.says = (FIRST,)
    if sends:
        wants(house, *sends)
    house.open_everything()
    (file,) = house.paper.procedures.values()
    found = {claim.line.invoice_number: claim.reminders for claim in file.claims}
    assert found == {"F-1": carried, "F-2": ()}


@pytest.mark.parametrize(
    "broken", [Transient("silence"), Drift("autre forme", raw="x"), KeyError("bug")]
)
def test_a_tool_that_cannot_say_holds_no_proposal_up(
    house: House, told: Told, broken: Exception
) -> None:
    told.says = broken
    house.night()
    assert len(proposals.propose(house.host, house.company)) == 1
    assert known(house, "F-1") == ()


def test_what_was_told_before_is_kept_when_the_tool_falls_silent(house: House, told: Told) -> None:
    told.says = (FIRST,)
    house.night()
    proposals.propose(house.host, house.company)
    claim_id = str(house.claim("F-1")["id"])
    told.says = Transient("silence")
    reminders.ask(house.host, house.company, [claim_id])
    assert known(house, "F-1") == (FIRST,)
    house.night()  # nor does a pull forget it
    assert known(house, "F-1") == (FIRST,)


def test_a_reminder_has_no_room_for_a_person() -> None:
    for words in ("relance à Camille", "camille@example.org", "", "x" * 41):
        with pytest.raises(ValueError):
            Reminder(at=FIRST.at, kind=words)
    assert set(Reminder.model_fields) == {"at", "kind"}
