"""Faults of the wire and of partners: by rule, or drawn from the world's seed."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, get_args

from encaisse_simulator.wire import SimRequest

FaultKind = Literal[
    "lost_reply",
    "5xx",
    "5xx_after",
    "429",
    "slow",
    "slow_after",
    "malformed",
    "truncated_list",
    "miscounted_list",
    "revoked_token",
]
"""What can go wrong; `_after` and `lost_reply`, `malformed` strike once the state has changed."""

KINDS: tuple[FaultKind, ...] = get_args(FaultKind)

OF_LISTS: frozenset[FaultKind] = frozenset({"truncated_list", "miscounted_list"})
"""Only strike an answer that is a list with rows; elsewhere they wait for one."""

KEY_HEADER = "x-api-key"


def credential(request: SimRequest) -> str | None:
    """Give what a request opens a partner's door with: a bearer token, or a key of its own."""
    bearer = request.headers.get("authorization", "")
    return bearer if bearer.startswith("Bearer ") else request.headers.get(KEY_HEADER)


@dataclass(slots=True)
class Scope:
    """Say which requests a fault may strike: regular expressions searched in each part."""

    method: str = ""
    path: str = ""
    host: str = ""

    def holds(self, request: SimRequest) -> bool:
        """Tell whether a request is concerned."""
        parts = (
            (self.method, request.method),
            (self.path, request.path),
            (self.host, request.host),
        )
        return all(re.search(pattern, text) is not None for pattern, text in parts)


@dataclass(slots=True)
class _Rule:
    kind: FaultKind
    scope: Scope
    skip: int
    left: int


@dataclass(slots=True)
class _Draw:
    chances: Mapping[FaultKind, float]
    scope: Scope
    left: int | None


@dataclass(slots=True)
class Strike:
    """Hold one fault chosen for one request; `struck` is called when it really happens."""

    kind: FaultKind
    source: _Rule | _Draw


class FaultPlan:
    """Choose at most one fault per request; rules come before draws."""

    def __init__(self, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self.retry_after = 2
        self.chooser = random.Random(f"{seed}:faults")
        self.revoked: set[str] = set()
        self._rules: list[_Rule] = []
        self._draws: list[_Draw] = []
        self._paused = 0

    def schedule(
        self,
        kind: FaultKind,
        *,
        method: str = "",
        path: str = "",
        host: str = "",
        nth: int = 1,
        count: int = 1,
    ) -> None:
        """Strike the `nth` matching request from now on, and `count - 1` after it."""
        if kind not in KINDS or nth < 1 or count < 1:
            raise ValueError(f"no such fault: {kind}, nth {nth}, count {count}")
        self._rules.append(_Rule(kind, Scope(method, path, host), nth - 1, count))

    def draw(
        self,
        chances: Mapping[FaultKind, float],
        *,
        method: str = "",
        path: str = "",
        host: str = "",
        maximum: int | None = None,
    ) -> None:
        """Strike matching requests with these probabilities, `maximum` times in all."""
        unknown = set(chances) - set(KINDS)
        if unknown or any(chance < 0 for chance in chances.values()) or sum(chances.values()) > 1:
            raise ValueError(f"chances of known faults, at most 1 together: {dict(chances)}")
        self._draws.append(_Draw(dict(chances), Scope(method, path, host), maximum))

    def clear(self) -> None:
        """Forget rules, draws and revocations; counts stay."""
        self._rules.clear()
        self._draws.clear()
        self.revoked.clear()

    def restore_tokens(self) -> None:
        """Let revoked tokens work again."""
        self.revoked.clear()

    @contextmanager
    def paused(self) -> Generator[None]:
        """Strike nothing and draw nothing meanwhile; revoked tokens work too."""
        self._paused += 1
        try:
            yield
        finally:
            self._paused -= 1

    def is_revoked(self, request: SimRequest) -> bool:
        """Tell whether the request's token was revoked."""
        return not self._paused and credential(request) in self.revoked

    def choose(self, request: SimRequest) -> Strike | None:
        """Choose the fault of this request, if any."""
        if self._paused:
            return None
        for rule in self._rules:
            if rule.left and rule.scope.holds(request) and self._can_strike(rule.kind, request):
                if rule.skip:
                    rule.skip -= 1
                    continue
                return Strike(rule.kind, rule)
        for draw in self._draws:
            if draw.left != 0 and draw.scope.holds(request):
                kind = self._drawn(draw.chances)
                if kind is not None and self._can_strike(kind, request):
                    return Strike(kind, draw)
        return None

    def struck(self, strike: Strike) -> None:
        """Count a fault that really happened."""
        self.counts[strike.kind] += 1
        if strike.source.left is not None:
            strike.source.left -= 1

    def _drawn(self, chances: Mapping[FaultKind, float]) -> FaultKind | None:
        at = self.chooser.random()
        for kind, chance in chances.items():
            if at < chance:
                return kind
            at -= chance
        return None

    @staticmethod
    def _can_strike(kind: FaultKind, request: SimRequest) -> bool:
        if kind in OF_LISTS:
            return request.method == "GET"
        if kind == "revoked_token":
            return credential(request) is not None
        return True
