"""What was signed for and not opened, opened in part or opened twice, shows in the zeros."""

from __future__ import annotations

from typing import cast

import pytest
from tests.lab.test_lab_checker import NIGHTS, OWED, entry

from encaisse_api import ClaimFile, Connector, Receipt, SignedMandate
from encaisse_core.host import Connectors
from encaisse_core.loader import load
from encaisse_core.nightly import PHASES
from encaisse_gcollect.connector import GCollectConnector
from encaisse_lab.checker import compare
from encaisse_lab.demo import Phases, run
from encaisse_lab.summary import Summary, sound, summary
from encaisse_simulator.ledger import LedgerEntry

pytestmark = pytest.mark.timeout(300)  # whole nights, on a machine that may be busy

OPENED = [
    entry("gcollect", "mandate_requested", OWED),
    entry("gcollect", "mandate_signed", OWED, "user"),
    entry("gcollect", "procedure_opened", OWED),
]


class OpensTheFirstLineOnly(GCollectConnector):
    """Hand over one claim of each file, whatever was signed."""

    def find_procedure(self, key: str, file: ClaimFile) -> object:
        return super().find_procedure(key, _first_line(file))

    def open_procedure(self, key: str, file: ClaimFile, mandate: SignedMandate) -> Receipt:
        return super().open_procedure(key, _first_line(file), mandate)


def _first_line(file: ClaimFile) -> ClaimFile:
    return file.model_copy(update={"claims": file.claims[:1]})


class OneLineEach:
    """Offer the installed connectors, but for the collector."""

    def __init__(self, installed: Connectors) -> None:
        self._installed = installed

    def connector(self, slug: str) -> type[Connector]:
        if slug == "gcollect":
            return cast("type[Connector]", OpensTheFirstLineOnly)
        return self._installed.connector(slug)


def after_one_night(
    phases: Phases | None = None, connectors: Connectors | None = None
) -> tuple[Summary, int]:
    """Run the first night; give its figures and the number of invoices signed for."""
    with run(1, 1, phases=phases, connectors=connectors) as told:
        signed = [e for e in told.partners.world.ledger() if e.kind == "mandate_signed"]
        return summary(told), len(signed)


@pytest.mark.slow
def test_a_night_that_opens_nothing_is_no_sound_night() -> None:
    figures, signed = after_one_night(tuple(p for p in PHASES if p[0] != "open"))
    assert figures["procedures_opened"] == 0
    assert figures["remote_missing"] == signed > 0
    assert figures["unstopped"] == 0
    assert not sound(figures)


@pytest.mark.slow
def test_a_file_opened_with_its_first_line_only_misses_the_others() -> None:
    figures, signed = after_one_night(connectors=OneLineEach(load()))
    assert figures["procedures_opened"] > 0
    assert figures["remote_missing"] == signed - figures["procedures_opened"] > 0
    assert not sound(figures)


def test_what_was_asked_signed_and_opened_once_is_no_finding() -> None:
    verdict = compare([], OPENED, [], [], NIGHTS)
    assert (verdict.duplicates, verdict.missing) == ((), ())


@pytest.mark.parametrize("twice", ["mandate_requested", "procedure_opened"])
def test_a_mandate_or_an_opening_made_twice_is_a_duplicate(twice: str) -> None:
    verdict = compare([], [*OPENED, entry("gcollect", twice, OWED)], [], [], NIGHTS)
    assert [effect[2] for effect in verdict.duplicates] == [twice]


def test_an_opening_nobody_signed_for_is_one_too_many() -> None:
    verdict = compare([], OPENED[2:], [], [], NIGHTS)
    assert [effect[2] for effect in verdict.duplicates] == ["procedure_opened"]


def test_an_opening_for_less_than_was_signed_is_missing() -> None:
    lower = entry("gcollect", "procedure_opened", OWED - 1)
    verdict = compare([], [*OPENED[:2], lower], [], [], NIGHTS)
    assert [effect[3] for effect in verdict.missing] == [OWED]


def test_a_pause_counts_twice_only_where_nothing_went_on_in_between() -> None:
    paused, resumed = (entry("gcollect", f"procedure_{step}", OWED) for step in PAUSES)

    def doubled(*ledger: LedgerEntry) -> int:
        return len(compare([], ledger, [], [], NIGHTS).duplicates)

    assert doubled(paused) == doubled(paused, resumed, paused) == 0
    assert doubled(paused, paused) == 1


PAUSES = ("paused", "resumed")
