"""Serve vendor hosts in process, behind an httpx transport."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import httpx

from encaisse_simulator.wire import SimRequest, SimResponse, parse_query
from encaisse_simulator.world import World


class SimTransport(httpx.BaseTransport):
    """Answer from a world instead of the network; `request.url.host` picks the partner.

    A lost reply raises `httpx.ReadError` and a slow one `httpx.ReadTimeout`, whatever the
    partner did before: the caller cannot tell whether it was done.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request, or break as the fault says."""
        response = self._world.handle(sim_request(request))
        if response.delivery == "lost":
            raise httpx.ReadError("the connection broke before the answer", request=request)
        if response.delivery == "slow":
            raise httpx.ReadTimeout("the answer did not come in time", request=request)
        headers = sent_headers(response, self._world.now)
        return httpx.Response(
            response.status, headers=headers, content=response.body, request=request
        )


def sim_request(request: httpx.Request) -> SimRequest:
    """Read an httpx request."""
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    return SimRequest(
        method=request.method,
        host=request.url.host,
        path=path,
        query=parse_query(query),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.read(),
    )


def sent_headers(response: SimResponse, now: datetime) -> dict[str, str]:
    """Add what a server adds, by the world's clock, so that a wait by date can be worked out."""
    return {"date": format_datetime(now.astimezone(UTC), usegmt=True), **response.headers}
