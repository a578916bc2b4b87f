"""Replay the stored answer of a key, as Debitura does [assumed for GCollect]."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from encaisse_simulator.gcollect.problems import Problem
from encaisse_simulator.wire import SimRequest, SimResponse

KEPT = timedelta(hours=24)
LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class _Stored:
    fingerprint: str
    at: datetime
    response: SimResponse


class StoredAnswers:
    """Keep the answers given under each client's keys for 24 hours."""

    def __init__(self) -> None:
        self._stored: dict[tuple[str, str], _Stored] = {}

    def key_of(self, request: SimRequest, *, required: bool) -> str | None:
        """Read the key of a request; a required one that is missing is refused."""
        key = request.headers.get("idempotency-key", "")
        if len(key) > LONGEST_KEY or (required and not key):
            raise Problem("idempotency_key_required")
        return key or None

    def replay(
        self, client_id: str, key: str, request: SimRequest, now: datetime
    ) -> SimResponse | None:
        """Give the stored answer, nothing for a new key, a refusal for another content."""
        stored = self._stored.get((client_id, key))
        if stored is None or stored.at + KEPT <= now:
            return None
        if stored.fingerprint != _fingerprint(request):
            raise Problem("idempotency_conflict")
        return stored.response.with_headers({"idempotency-replayed": "true"})

    def store(
        self, client_id: str, key: str, request: SimRequest, response: SimResponse, now: datetime
    ) -> None:
        """Keep an answer; a refusal never comes here, so that a corrected call may use its key."""
        self._stored[client_id, key] = _Stored(_fingerprint(request), now, response)


def _fingerprint(request: SimRequest) -> str:
    content = f"{request.method} {request.path}\n".encode() + request.body
    return hashlib.sha256(content).hexdigest()
