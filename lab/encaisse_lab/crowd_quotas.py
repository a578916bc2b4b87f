"""Quotas of simulated partners, and what each partner itself counted against them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

import httpx

from encaisse_api import Connector, Manifest, Quota
from encaisse_core.clock import PARIS
from encaisse_core.host import Connectors
from encaisse_lab.stage import Stage
from encaisse_simulator.transport import SimTransport
from encaisse_simulator.world import World

SECOND = timedelta(seconds=1)

WIDE: Mapping[str, tuple[Quota, ...]] = {
    "libeo": (Quota(scope="partner", limit=4, period=SECOND),),
    "factomos": (Quota(scope="partner", limit=70, period=10 * SECOND),),
    "gcollect": (
        Quota(scope="partner", limit=7, period=SECOND),
        Quota(scope="route", route="POST *", limit=20, period=60 * SECOND),
    ),
}
"""Quotas over all our grants, beside those the connectors declare. Invented: no vendor says any."""

LATENCY = (0.08, 0.4)
"""Seconds an answer takes, at least and at most."""

TICK = timedelta(minutes=10)
"""How often what falls due at the partners is done; between two, their clock stands still."""


@dataclass(frozen=True)
class Widened:
    """Offer the connectors with `WIDE` beside their own quotas."""

    known: Connectors
    made: dict[str, type[Connector]] = field(default_factory=dict[str, type[Connector]])

    def connector(self, slug: str) -> type[Connector]:
        """Give a subclass, so that the real one keeps its manifest."""
        if slug not in self.made:
            real = self.known.connector(slug)
            quotas = (*real.manifest.quotas, *WIDE.get(slug, ()))
            manifest = real.manifest.model_copy(update={"quotas": quotas})
            self.made[slug] = type(real.__name__, (real,), {"manifest": manifest})
        return self.made[slug]


@dataclass
class Counted:
    """Count the calls of one scope of one quota as the partner sees them come in."""

    quota: Quota
    lately: deque[datetime] = field(default_factory=deque[datetime])
    day: date | None = None
    calls: int = 0
    most: int = 0

    def call(self, at: datetime) -> None:
        """Count one call; `most` is the most any window of the quota held."""
        if self.quota.calendar_day:
            today = at.astimezone(PARIS).date()
            self.calls = self.calls + 1 if today == self.day else 1
            self.day = today
            self.most = max(self.most, self.calls)
            return
        self.lately.append(at)
        while at - self.lately[0] >= self.quota.period:
            self.lately.popleft()
        self.most = max(self.most, len(self.lately))


class Street(httpx.BaseTransport):
    """Carry calls to a world's partners: each is counted when it leaves, and takes its time."""

    def __init__(self, world: World, stage: Stage, manifests: Mapping[str, Manifest]) -> None:
        self._inner = SimTransport(world)
        self._world, self._stage = world, stage
        self._chance = Random(f"street-{world.seed}")
        self._manifests = {
            host: manifest for manifest in manifests.values() for host in manifest.test_hosts
        }
        self._clients: dict[str, str] = {}
        self.counted: dict[tuple[str, int, str], Counted] = {}
        self.calls: dict[str, int] = {}
        self.down: dict[str, tuple[datetime, datetime]] = {}
        """Hosts that answer nothing but 503 between two instants."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer after a while."""
        self._count(request)
        self._stage.sleep(self._chance.uniform(*LATENCY))
        now = self._stage.now()
        self.keep_time()
        outage = self.down.get(request.url.host)
        if outage is not None and outage[0] <= now < outage[1]:
            return httpx.Response(503, request=request)
        answer = self._inner.handle_request(request)
        if request.url.path.endswith("/oauth/token") and answer.status_code == 200:
            token = json.loads(answer.read())["access_token"]
            self._clients[f"Bearer {token}"] = _client(request)
        return answer

    def keep_time(self, *, now: bool = False) -> None:
        """Bring the partners' clock up to ours, where they are too far behind or `now`."""
        if now or self._stage.now() - self._world.now >= TICK:
            self._world.set_now(self._stage.now())

    def over(self) -> list[str]:
        """Name the scopes that ever held more than their limit."""
        return [
            f"{slug} {count.quota.scope} {count.most} > {count.quota.limit}"
            for (slug, _, _), count in sorted(self.counted.items())
            if count.most > count.quota.limit
        ]

    def _count(self, request: httpx.Request) -> None:
        manifest = self._manifests[request.url.host]
        self.calls[manifest.slug] = self.calls.get(manifest.slug, 0) + 1
        for number, quota in enumerate(manifest.quotas):
            who = "" if quota.scope == "partner" else self._who(request)
            if quota.scope == "route" and not f"{request.method} ".startswith(
                (quota.route or "").partition("*")[0]
            ):
                continue
            count = self.counted.setdefault((manifest.slug, number, who), Counted(quota))
            count.call(self._stage.now())

    def _who(self, request: httpx.Request) -> str:
        """Name the grant a call shows, whatever token it has by now."""
        if request.url.path.endswith("/oauth/token"):
            return _client(request)
        shown = request.headers.get("Authorization") or request.headers.get("X-Api-Key", "")
        return self._clients.get(shown) or hashlib.sha256(shown.encode()).hexdigest()


def _client(request: httpx.Request) -> str:
    shown = request.headers["Authorization"].removeprefix("Basic ")
    return base64.b64decode(shown).decode().partition(":")[0]
