"""One world: a clock that only moves when told, partners by host, and the faults between."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import RLock
from typing import cast

from encaisse_simulator.bridge import Bridge
from encaisse_simulator.factomos import Factomos
from encaisse_simulator.faults import OF_LISTS, FaultPlan, Strike, credential
from encaisse_simulator.gcollect import GCollect
from encaisse_simulator.identifiers import OpaqueIds
from encaisse_simulator.ledger import LedgerEntry
from encaisse_simulator.libeo import Libeo
from encaisse_simulator.myunisoft import Bookkeeping, MyUnisoft
from encaisse_simulator.partner import Partner
from encaisse_simulator.wire import Json, SimRequest, SimResponse, as_json, json_response


class World:
    """Own the time, the chance and the partners; one lock makes every exchange whole.

    The same seed, the same start and the same calls in the same order give the same bytes.
    """

    def __init__(self, seed: int, now: datetime) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        """For whoever writes what people do in this world; nothing of the world draws from it."""
        self.faults = FaultPlan(seed)
        self._now = _utc(now)
        self._lock = RLock()
        self.factomos = Factomos(self, OpaqueIds(seed, "factomos"))
        self.gcollect = GCollect(self, OpaqueIds(seed, "gcollect"))
        self.libeo = Libeo(self, OpaqueIds(seed, "libeo"))
        self.myunisoft = MyUnisoft(self, seed)
        self.partners: dict[str, Partner] = {}
        self.bridges: list[Bridge] = []
        parts = (self.factomos, self.factomos.legacy, self.gcollect, self.libeo, self.myunisoft)
        for partner in parts:
            self.add_partner(partner)

    @property
    def now(self) -> datetime:
        """Give the current instant, aware, UTC."""
        return self._now

    def add_partner(self, partner: Partner) -> None:
        """Answer for one more vendor host."""
        self.partners[partner.host] = partner

    def connect_bridge(
        self,
        token: str,
        books: Bookkeeping,
        *,
        carries_payments: bool = True,
        letter: Callable[[str, str, date], None] | None = None,
    ) -> Bridge:
        """Let a Factomos account send its entries to a dossier of MyUnisoft, every night."""
        made = Bridge(self, self.factomos, token, books, carries_payments, letter)
        made.tick()
        self.bridges.append(made)
        return made

    @contextmanager
    def locked(self) -> Generator[None]:
        """Keep calls out while a test changes partners by hand next to running clients."""
        with self._lock:
            yield

    def advance(self, span: timedelta) -> None:
        """Move the clock forward and do what falls due on the way."""
        self.set_now(self._now + span)

    def set_now(self, now: datetime) -> None:
        """Set the clock; it never goes back, because what happened stays dated."""
        with self._lock:
            now = _utc(now)
            if now < self._now:
                raise ValueError(f"the clock stands at {self._now}, it cannot go back to {now}")
            self._now = now
            for partner in self.partners.values():
                partner.tick()
            for bridge in self.bridges:
                bridge.tick()

    def ledger(self) -> list[LedgerEntry]:
        """Tell every effect at every partner."""
        with self._lock:
            return [entry for partner in self.partners.values() for entry in partner.ledger()]

    def handle(self, request: SimRequest) -> SimResponse:
        """Answer one request, struck by at most one fault."""
        with self._lock:
            partner = self._partner(request)
            if partner is None:
                return json_response(502, {"error": f"no partner is simulated at {request.host}"})
            if self.faults.is_revoked(request):
                return partner.unauthorized()
            strike = self.faults.choose(request)
            if strike is None:
                return partner.handle(request)
            return self._struck(strike, partner, request)

    def _partner(self, request: SimRequest) -> Partner | None:
        known = self.partners.get(request.host)
        if known is not None:
            return known
        return next((each for each in self.partners.values() if each.serves(request.path)), None)

    def _struck(self, strike: Strike, partner: Partner, request: SimRequest) -> SimResponse:
        if strike.kind in OF_LISTS:
            return self._cut(strike, partner, partner.handle(request))
        self.faults.struck(strike)
        match strike.kind:
            case "5xx":
                return self._gateway_page()
            case "429":
                return partner.too_many(self.faults.retry_after)
            case "slow":
                return replace(_page(504, "Gateway Timeout"), delivery="slow")
            case "revoked_token":
                if (shown := credential(request)) is not None:
                    self.faults.revoked.add(shown)
                return partner.unauthorized()
            case "slow_after":
                return replace(partner.handle(request), delivery="slow")
            case "lost_reply":
                return replace(partner.handle(request), delivery="lost")
            case "5xx_after":
                partner.handle(request)
                return self._gateway_page()
            case _:
                return self._malformed(partner.handle(request))

    def _cut(self, strike: Strike, partner: Partner, response: SimResponse) -> SimResponse:
        listing = _listing(response)
        miscounted = strike.kind == "miscounted_list"
        cut: Json = None
        if isinstance(listing, list):
            # A bare list has no count to be wrong.
            cut = listing[: len(listing) // 2] if listing and not miscounted else None
        elif listing is not None:
            cut = partner.cut(listing, honest_total=miscounted)
        if cut is None:
            return response
        self.faults.struck(strike)
        return replace(response, body=as_json(cut))

    def _gateway_page(self) -> SimResponse:
        return _page(*self.faults.chooser.choice(GATEWAY_ANSWERS))

    def _malformed(self, response: SimResponse) -> SimResponse:
        if self.faults.chooser.random() < 0.5:
            return _page(200, "Maintenance en cours")
        broken = response.body[: max(1, len(response.body) // 2)].rstrip(b"}") + b'"'
        return SimResponse(200, {"content-type": "application/json"}, broken)


GATEWAY_ANSWERS = (
    (500, "Internal Server Error"),
    (502, "Bad Gateway"),
    (503, "Service Unavailable"),
)


def _page(status: int, title: str) -> SimResponse:
    html = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return SimResponse(status, {"content-type": "text/html; charset=utf-8"}, html.encode())


def _listing(response: SimResponse) -> Mapping[str, Json] | list[Json] | None:
    if response.status != 200 or "json" not in response.headers.get("content-type", ""):
        return None
    value: object = json.loads(response.body)
    if isinstance(value, list):
        return cast("list[Json]", value)
    return cast("Mapping[str, Json]", value) if isinstance(value, dict) else None


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("the clock needs an aware datetime")
    return at.astimezone(UTC)
