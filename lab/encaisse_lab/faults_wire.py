"""A proxy that spoils real TCP between the host's own HTTP client and a simulated partner.

What an in-process fault can only pretend happens here on sockets: an answer cut in two, a
connection reset before or after the partner did its part, bytes that drip, silence.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Generator
from contextlib import chdir, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal, get_args

import httpx

from encaisse_core.http import transport
from encaisse_lab import faults_places
from encaisse_lab.faults_case import Case, Wire
from encaisse_lab.faults_check import Findings
from encaisse_lab.faults_host import STAGES
from encaisse_lab.faults_places import Ground
from encaisse_lab.faults_town import settle_in
from encaisse_lab.partners import HOSTS
from encaisse_simulator.server import serve
from encaisse_simulator.transport import SimTransport

WireFault = Literal["latency", "reset", "lost_reply", "truncated", "slow_close", "timeout"]
WIRE_FAULTS: tuple[WireFault, ...] = get_args(WireFault)

SILENCE = 1.5
"""Seconds of nothing; the harness makes the client give up earlier."""

END = b"\r\n\r\n"


@dataclass
class Proxy:
    """Stand between a client and a server on this machine; spoil the calls it is told to."""

    upstream: tuple[str, int]
    plan: list[tuple[str, str, WireFault]] = field(default_factory=list[tuple[str, str, WireFault]])
    """Method, a part of the path, and what happens to the next such call; each once."""
    struck: Counter[str] = field(default_factory=Counter[str])
    _listener: socket.socket = field(init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))

    @property
    def base_url(self) -> str:
        """Give the address clients call."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._speak, args=(client,), daemon=True).start()

    def close(self) -> None:
        """Take no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _speak(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            while (request := _message(client)) is not None:
                fault = self._drawn(request)
                if fault == "reset":
                    _reset(client)
                    return
                if fault == "latency":
                    time.sleep(SILENCE / 10)
                answer = self._asked(request)
                if answer is None or not self._answered(client, answer, fault):
                    return

    def _drawn(self, request: bytes) -> WireFault | None:
        method, path = request.split(b" ", 2)[:2]
        with self._lock:
            for each in self.plan:
                if each[0].encode() == method and each[1].encode() in path:
                    self.plan.remove(each)
                    self.struck[each[2]] += 1
                    return each[2]
        return None

    def _asked(self, request: bytes) -> bytes | None:
        """Ask the partner, on a connection of its own: what the client loses was done there."""
        with socket.create_connection(self.upstream, timeout=30) as server:
            server.sendall(request)
            return _message(server)

    def _answered(self, client: socket.socket, answer: bytes, fault: WireFault | None) -> bool:
        """Give the answer, or what is left of it; False when the connection is over."""
        match fault:
            case "lost_reply":
                _reset(client)
                return False
            case "truncated":
                head, _, body = answer.partition(END)
                client.sendall(head + END + body[: len(body) // 2])
                return False
            case "slow_close":
                for byte in answer[:40]:
                    client.sendall(bytes([byte]))
                    time.sleep(SILENCE / 200)
                return False
            case "timeout":
                time.sleep(SILENCE)
                return False
            case _:
                client.sendall(answer)
                return True


def _message(side: socket.socket) -> bytes | None:
    """Read one HTTP message with its body, by its Content-Length; None at the end."""
    data = b""
    while END not in data:
        more = side.recv(65_536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(END)
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        more = side.recv(65_536)
        if not more:
            return None
        body += more
    return head + END + body


def _reset(side: socket.socket) -> None:
    """Close with a reset instead of an end."""
    side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    side.close()


@contextmanager
def proxied(base_url: str) -> Generator[Proxy]:
    """Put a proxy before a server until the block ends."""
    there = httpx.URL(base_url)
    proxy = Proxy((there.host, there.port or 80))
    threading.Thread(target=proxy.serve, name="proxy", daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.close()


WRITES: tuple[tuple[str, str], ...] = (
    ("POST", "/mandates"),
    ("POST", "/procedures"),
    ("POST", "/direct_payments"),
    ("POST", "/withdraw"),
    ("POST", "/entry/temp"),
    ("PATCH", "/procedures/"),
)
"""Method and path of writes of the small company, one of each of which is spoilt."""


@dataclass(frozen=True, slots=True)
class Lived:
    """Hold a month lived over a spoilt wire: which faults came, and what stands afterwards."""

    seed: int
    struck: Counter[str]
    findings: Findings
    incidents: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Tell whether every fault came and nothing is wrong."""
        return set(self.struck) == set(WIRE_FAULTS) and self.findings.sound and not self.incidents


def live(seed: int) -> Lived:
    """Live the small company's month over real HTTP, each fault of the wire on a write of its own.

    The seed turns the table: over six seeds each write meets each fault.
    """
    town = settle_in(seed)
    place = faults_places.fresh(None)
    try:
        with (
            _impatient(),
            chdir(place.folder),
            serve(town.world) as server,
            proxied(server.base_url) as proxy,
        ):
            for number, (method, path) in enumerate(WRITES):
                fault = WIRE_FAULTS[(number + seed) % len(WIRE_FAULTS)]
                proxy.plan.append((method, path, fault))
            routes: dict[str, str] = dict.fromkeys(HOSTS, proxy.base_url)
            case = Case(town, Ground(place), Wire(SimTransport(town.world)), routes=routes)
            for number in range(len(STAGES)):
                case.run_stage(number)
            return Lived(seed, proxy.struck, case.findings(), tuple(case.incidents))
    finally:
        place.drop()


@contextmanager
def _impatient() -> Generator[None]:
    """Let the host's client give up sooner than in life."""
    before = transport.SILENCE_SECONDS
    transport.SILENCE_SECONDS = SILENCE * 2 / 3
    try:
        yield
    finally:
        transport.SILENCE_SECONDS = before
