"""A small crowd lives a night as the large one does, and what does not hold is found."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from encaisse_core import runner
from encaisse_core.host import Host
from encaisse_core.http import quotas, transport
from encaisse_core.http.quotas import Turn
from encaisse_core.runner import Drained
from encaisse_core.stops import STOP_KINDS
from encaisse_lab import crowd
from encaisse_lab.crowd import Lived

pytestmark = pytest.mark.slow


def _live(seed: int = 2) -> Lived:
    return crowd.live(seed, 16, 2, 4)


def test_a_night_holds_its_quotas_and_leaves_in_peace_who_paid() -> None:
    """Companies whose tool was down have their night again; a seed is a run."""
    lived = _live()
    figures = lived.as_json()
    assert lived.faults() == []
    assert figures["stops_acknowledged"] == figures["stops_told"] == 2
    assert figures["nights"]["night"] > figures["companies"]
    again = _live().as_json()
    assert {**figures, "cpu_seconds": 0} == {**again, "cpu_seconds": 0}


def test_calls_past_a_quota_are_found_at_the_partner(monkeypatch: pytest.MonkeyPatch) -> None:
    def at_once(connection: object, store: quotas.Store, *_: object) -> Turn:
        return Turn(True, store.db_now(connection), timedelta(0))  # type: ignore[arg-type]

    monkeypatch.setattr(transport.quotas, "reserve", at_once)
    assert any("quota dépassé : gcollect partner" in each for each in _live().faults())


def test_a_stop_nobody_sends_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    drain = runner.drain

    def without_stops(host: Host, company_id: str, kinds: tuple[str, ...], **how: Any) -> Drained:
        return Drained() if kinds == STOP_KINDS else drain(host, company_id, kinds, **how)

    monkeypatch.setattr(runner, "drain", without_stops)
    assert "2 arrêt(s) sans réponse" in _live().faults()
