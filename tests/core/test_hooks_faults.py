"""A fault of ours while looking costs a partner's quota one look, and is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.core.hook_town import Town, open_town

from encaisse_core import nightly
from encaisse_core.errors import StoreError
from encaisse_core.hooks import deliveries


@pytest.fixture
def town(database_url: str, tmp_path: Path) -> Iterator[Town]:
    with open_town(database_url, tmp_path / "home", sales=1) as made:
        yield made


def test_a_look_that_fails_is_tried_again_as_late_as_a_pull_that_failed(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookout, sale = town.lookout, town.fresh()
    assert lookout is not None
    heard: list[tuple[str, str, Mapping[str, object]]] = []
    lookout.say = lambda *said: heard.append(said)
    town.pays(sale)
    ((headers, body),) = town.told()
    assert town.post(headers, body)[0] == 200

    def broken(*_: Any) -> None:
        raise RuntimeError("F-1 chez Client")

    with monkeypatch.context() as patch:
        patch.setattr(nightly, "join", broken)
        for wait in deliveries.BACKOFF:
            before = town.calls()
            assert (town.look(), lookout.rest()) == (0, min(wait, lookout.rest()))
            asked = town.calls()
            assert asked > before
            assert (town.look(), town.calls()) == (0, asked), "nothing is due yet"
            town.clock.sleep(wait.total_seconds())
    faults = [said for said in heard if said[0] == "error"]
    told = {"company": town.company, "error": "RuntimeError"}
    assert faults == [("error", "look_failed", told)] * len(deliveries.BACKOFF)
    assert not town.ended(sale)
    assert town.look() == 1
    assert town.ended(sale)


def test_a_store_that_fails_is_not_asked_to_note_it_and_the_others_wait(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first fault is the one that is said."""
    town.pays(town.fresh())
    ((headers, body),) = town.told()
    assert town.post(headers, body)[0] == 200

    def broken(*_: Any) -> None:
        raise StoreError("la base ne répond pas")

    def down(*_: Any) -> None:
        raise StoreError("la base ne répond plus du tout")

    monkeypatch.setattr(nightly, "join", broken)
    monkeypatch.setattr(deliveries, "failed", down)
    with pytest.raises(StoreError, match="répond pas"):
        town.look()
