"""One call in five goes wrong, of its own kind: what a partner answers, and how long that takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from encaisse_core.http.transport import SILENCE_SECONDS
from encaisse_simulator.factomos.legacy import HOST as LEGACY_HOST
from encaisse_simulator.faults import FaultKind
from encaisse_simulator.wire import SimRequest, SimResponse
from encaisse_simulator.world import World

READS: Mapping[FaultKind, float] = {
    "5xx": 0.085,
    "429": 0.06,
    "slow": 0.03,
    "lost_reply": 0.015,
    "malformed": 0.005,
    "miscounted_list": 0.003,
    "truncated_list": 0.002,
}
WRITES: Mapping[FaultKind, float] = {
    "5xx": 0.05,
    "5xx_after": 0.04,
    "429": 0.05,
    "lost_reply": 0.03,
    "slow_after": 0.02,
    "malformed": 0.01,
}
SEALED: Mapping[FaultKind, float] = {"5xx": 0.09, "429": 0.06, "slow": 0.03, "lost_reply": 0.02}
"""The older Factomos sends reads as it sends writes; its lists are sealed, and none is cut."""


class SlowWorld(World):
    """Let an answer that comes too late cost the time it is waited for, on the shared clock.

    It then counts as lost on every way in, so that a night is the same in process and over HTTP.
    """

    def __init__(self, seed: int, now: datetime) -> None:
        super().__init__(seed, now)
        self.wait: Callable[[float], None] = lambda _: None
        self.calls = 0

    def handle(self, request: SimRequest) -> SimResponse:
        """Answer one request."""
        self.calls += 1
        response = super().handle(request)
        if response.delivery != "slow":
            return response
        self.wait(SILENCE_SECONDS)
        return replace(response, delivery="lost")


def begin(world: World) -> None:
    """Let one call in five of every partner go wrong from now on."""
    elsewhere = f"^(?!{LEGACY_HOST.replace('.', '[.]')}$)"
    world.faults.draw(SEALED, host=f"^{LEGACY_HOST}$")
    world.faults.draw(READS, method="GET", host=elsewhere)
    world.faults.draw(WRITES, method="POST|PUT|PATCH", host=elsewhere)
