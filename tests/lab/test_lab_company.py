"""The people of a simulated company answer what they are asked, an entry refused by a tool too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.core.houses import make

from encaisse_api import Rejected
from encaisse_core.clock import VirtualClock
from encaisse_lab import year_company


def test_what_a_collector_refused_is_sent_again_and_its_question_is_over(
    tmp_path: Path, clock: VirtualClock
) -> None:
    house = make(f"sqlite:///{tmp_path / 'maison.db'}", tmp_path, clock)
    try:
        house.open_everything()
        kind = house.shelf.known["papercollector"]
        declare: Callable[..., Any] = kind.declare_direct_payment  # type: ignore[attr-defined]

        def refuse(self: Any, key: str, payment: Any) -> Any:
            raise Rejected("non")

        kind.declare_direct_payment = refuse  # type: ignore[attr-defined]
        house.paper.pay("F-1", 100_00)
        house.night()
        assert "refused" in house.tasks()
        kind.declare_direct_payment = declare  # type: ignore[attr-defined]
        later = year_company.answer(house.app, house.company, after=timedelta(days=1))
        assert later == {}, "it takes its time"
        assert year_company.answer(house.app, house.company) == {"refused": 1}
        assert [kind for kind, _, _ in house.paper.stops] == ["direct_payment"]
        assert year_company.answer(house.app, house.company) == {}
    finally:
        house.app.close()
