"""Serve a world over real HTTP on the loopback, with its faults."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import uvicorn

from encaisse_simulator.control import PREFIX, control
from encaisse_simulator.transport import sent_headers
from encaisse_simulator.wire import SimRequest, SimResponse, parse_query
from encaisse_simulator.world import World

Scope = Mapping[str, object]
Message = Mapping[str, object]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HOST_HEADER = "x-sim-host"
"""Names the vendor host a request is meant for, since the connection goes to the loopback."""


class ConnectionLost(Exception):
    """Break the connection without an answer; only the server raises and meets it."""


class SimApp:
    """Translate between ASGI and `World.handle`."""

    def __init__(self, world: World, slow_seconds: float, *, with_control: bool) -> None:
        self._world = world
        self._with_control = with_control
        self._slow_seconds = slow_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ConnectionLost
        request = await _read(scope, receive)
        if self._with_control and request.path.startswith(PREFIX):
            response = await asyncio.to_thread(control, self._world, request)
        else:
            response = await asyncio.to_thread(self._world.handle, request)
        if response.delivery == "lost":
            raise ConnectionLost
        if response.delivery == "slow":
            await asyncio.sleep(self._slow_seconds)
        await _write(response, sent_headers(response, self._world.now), send)


@dataclass(frozen=True, slots=True)
class RunningServer:
    """Name the address of a running server."""

    base_url: str


@contextmanager
def serve(
    world: World, *, port: int = 0, slow_seconds: float = 0.3, with_control: bool = False
) -> Generator[RunningServer]:
    """Run a server on 127.0.0.1 in a thread until the block ends; port 0 takes a free one.

    Addresses meant for a person's browser, such as the signing page, are then given under this
    server's own address. `with_control` adds the calls of `control`.
    """
    listener = socket.create_server(("127.0.0.1", port))
    # asyncio skips this for a listener made without naming TCP, and an answer in two writes then
    # waits 40 ms for the other side's delayed acknowledgement. Accepted sockets inherit it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        _Breaking(SimApp(world, slow_seconds, with_control=with_control)),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=1,
        http="h11",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="simulator", daemon=True)
    for partner in world.partners.values():
        partner.published_at(base_url)
    thread.start()
    try:
        yield RunningServer(base_url)
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()
        for partner in world.partners.values():
            partner.published_at(None)


class _Breaking:
    """Close the connection on `ConnectionLost` where uvicorn would answer 500."""

    def __init__(self, app: SimApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except ConnectionLost:
            _abort(send)
            # The server hears of the loss one turn of the loop later; returning before that would
            # make it log a fault of ours.
            await asyncio.sleep(0)


def _abort(send: Send) -> None:
    """Abort the transport under uvicorn's request cycle, whose bound method `send` is.

    ASGI has no word for "close without answering"; an application that merely returns makes the
    server say 500, which is another fault.
    """
    cycle = getattr(send, "__self__", None)
    transport = getattr(cycle, "transport", None)
    if not isinstance(transport, asyncio.Transport):
        raise RuntimeError("this server does not let a connection be broken")
    transport.abort()


async def _read(scope: Scope, receive: Receive) -> SimRequest:
    raw_headers = cast("list[tuple[bytes, bytes]]", scope["headers"])
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw_headers
    }
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionLost
        body += cast("bytes", message.get("body", b""))
        if not message.get("more_body", False):
            break
    raw_path = cast("bytes", scope["raw_path"])
    return SimRequest(
        method=cast("str", scope["method"]),
        host=headers.get(HOST_HEADER) or headers.get("host", "").partition(":")[0],
        path=raw_path.decode("ascii"),
        query=parse_query(cast("bytes", scope["query_string"]).decode("ascii")),
        headers=headers,
        body=bytes(body),
    )


async def _write(response: SimResponse, headers: Mapping[str, str], send: Send) -> None:
    listed = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    if response.status != 304:
        listed.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": listed})
    await send({"type": "http.response.body", "body": response.body})
