"""Answer a connector's requests from a recording: no socket, every request counted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

import httpx

from encaisse_api.conformance.cassette import Interaction
from encaisse_api.errors import (
    Denied,
    Drift,
    OutcomeUnknown,
    PartnerError,
    Rejected,
    Transient,
)

HOSTS_OWN: Mapping[str, type[PartnerError]] = {
    "host's Transient": Transient,
    "host's OutcomeUnknown": OutcomeUnknown,
    "host's Denied": Denied,
    "host's Rejected": Rejected,
    "host's Drift": Drift,
}
"""What the client the host lends raises by itself, as `encaisse_api.context` says."""


class Endless(BaseException):
    """Stop a connector that goes on asking.

    Not an `Exception`, because a connector that swallows what goes wrong and asks again is just
    what has to be stopped.
    """


@dataclass(frozen=True, slots=True)
class Sent:
    """Keep one request as it left."""

    method: str
    url: httpx.URL
    headers: httpx.Headers
    body: bytes
    recorded: Interaction | None
    """What it was answered with; None when nothing recorded answers it."""

    @property
    def line(self) -> str:
        """Name the request in a message."""
        return f"{self.method} {self.url}"


class Replay(httpx.BaseTransport):
    """Match requests on method, scheme, host, path and query, then on the body, each answer once.

    `stuck` answers every request to its address for ever, as a partner does that ignores its own
    cursors. More than `limit` requests raise `Endless`.
    """

    def __init__(
        self,
        interactions: tuple[Interaction, ...],
        *,
        stuck: Interaction | None = None,
    ) -> None:
        self.interactions = interactions
        self.stuck = stuck
        self.limit = len(interactions) + 10
        self.sent: list[Sent] = []
        self._left = list(interactions)

    def rewind(self) -> None:
        """Put every answer back, for a second pass of the same connector."""
        self.sent.clear()
        self._left = list(self.interactions)

    @property
    def unrecorded(self) -> list[str]:
        """List the requests no recording answers."""
        return [sent.line for sent in self.sent if sent.recorded is None]

    @property
    def unasked(self) -> list[str]:
        """List the recorded requests that were not made."""
        return [f"{left.method} {left.url}" for left in self._left]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request as recorded."""
        body = request.read()
        if len(self.sent) >= self.limit:
            raise Endless(
                f"goes on asking: {len(self.sent)} requests, {len(self.interactions)} were recorded"
            )
        chosen = self._choose(request, body)
        self.sent.append(Sent(request.method, request.url, request.headers, body, chosen))
        if chosen is None:
            raise httpx.ConnectError(f"not recorded: {request.method} {request.url}")
        if chosen.breakage:
            _break(chosen)
        return httpx.Response(chosen.status, headers=list(chosen.headers), content=chosen.body)

    def _choose(self, request: httpx.Request, body: bytes) -> Interaction | None:
        stuck = self.stuck
        if stuck and stuck.address == (request.method, request.url.host, request.url.path):
            return stuck
        fitting = [left for left in self._left if _same_place(left, request)]
        alike = [left for left in fitting if same_body(left.request_body, body)]
        chosen = next(iter(alike or fitting), None)
        if chosen is not None:
            self._left.remove(chosen)
        return chosen


def _same_place(recorded: Interaction, request: httpx.Request) -> bool:
    ours, theirs = recorded.url, request.url
    return (
        recorded.method == request.method
        and (ours.scheme, ours.host, ours.port, ours.path)
        == (theirs.scheme, theirs.host, theirs.port, theirs.path)
        and sorted(ours.params.multi_items()) == sorted(theirs.params.multi_items())
    )


def same_body(one: bytes, other: bytes) -> bool:
    """Compare two bodies: as JSON values where they are JSON, else byte by byte."""
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return one == other


def _break(chosen: Interaction) -> NoReturn:
    """Fail as the wire does under a plain client, or as the host's own client does."""
    if chosen.breakage == "unreachable":
        raise httpx.ConnectError("connection refused")
    if chosen.breakage == "lost":
        raise httpx.ReadTimeout("the reply was lost")
    error = HOSTS_OWN[chosen.breakage]
    raise error(f"Le client prêté par l’hôte a levé {error.__name__}.")
