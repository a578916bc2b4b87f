"""Answer, on this machine only, whether the daemon lives, can work, and what it counted.

`/healthz`: the loop ticks. `/readyz`: the store opens at this version and nights are in time.
`/metrics`: figures. `POST /hooks/…`: a partner's delivery, read whole and handed on. It answers
from threads of its own, so also while a night runs; a few requests at once, each short; anything
else is 404.
"""

from __future__ import annotations

import ipaddress
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer
from typing import Any

from encaisse_core.errors import UsageError
from encaisse_core.hooks.receiving import LARGEST, PREFIX, Letterbox
from encaisse_core.watch.figures import Figures
from encaisse_core.watch.state import Looking

AT_ONCE = 4
"""Requests answered at once, probes and deliveries apart; more are told to come back."""

PATIENCE_SECONDS = 5.0
"""How long a client may stay silent while it sends its request."""

WHOLE_SECONDS = 15.0
"""How long a delivery may take to arrive, so that one that drips holds nobody longer."""

STILL = {"waiting": timedelta(minutes=11), "running": timedelta(hours=2)}
"""How long the loop may show no sign of life in each state: two beats, and the longest phase."""

TEXT = "text/plain; version=0.0.4; charset=utf-8"
JSON = "application/json"


@dataclass
class Pulse:
    """Remember when the loop last ticked, and in which state."""

    monotonic: Callable[[], float]
    state: str = "starting"
    at: float = field(default=0.0)

    def tick(self, state: str) -> None:
        """Show a sign of life."""
        self.state, self.at = state, self.monotonic()

    def alive(self) -> bool:
        """Tell whether the loop moved lately enough."""
        still = STILL.get(self.state)
        return still is None or self.monotonic() - self.at <= still.total_seconds()


def address(told: str) -> tuple[str, int]:
    """Read `127.0.0.1:PORT`. Raises `UsageError` for anything that is not on this machine.

    What is answered names nobody, but nobody outside has to ask: a proxy of one's own can.
    """
    host, _, port = told.rpartition(":")
    try:
        inside = ipaddress.ip_address(host.strip("[]")).is_loopback
        number = int(port)
    except ValueError:
        inside, number = False, -1
    if not inside or not 0 <= number <= 65535:
        raise UsageError(f"« {told} » n'est pas une adresse de cette machine : 127.0.0.1:9464.")
    return host.strip("[]"), number


class Served:
    """Serve until closed. `port` is the one that was free where 0 was asked for."""

    def __init__(
        self,
        where: tuple[str, int],
        pulse: Pulse,
        looking: Looking,
        figures: Figures,
        letterbox: Letterbox | None = None,
    ) -> None:
        """Raises `UsageError` where the port is taken."""
        slots, letters = (threading.BoundedSemaphore(AT_ONCE) for _ in range(2))
        answers: dict[str, Callable[[], tuple[int, str, str]]] = {
            "/healthz": lambda: _health(pulse),
            "/readyz": lambda: _ready(looking),
            "/metrics": lambda: _metrics(looking, figures),
        }

        class Handler(BaseHTTPRequestHandler):
            timeout = PATIENCE_SECONDS
            server_version = "encaisse"
            sys_version = ""

            def do_GET(self) -> None:
                if not slots.acquire(blocking=False):
                    self._say(503, "text/plain", "busy\n")
                    return
                try:
                    answer = answers.get(self.path.partition("?")[0])
                    self._say(*(answer() if answer else (404, "text/plain", "not found\n")))
                finally:
                    slots.release()

            def do_POST(self) -> None:
                if not letters.acquire(blocking=False):
                    self._answer(HTTPStatus.SERVICE_UNAVAILABLE)
                    return
                try:
                    self._answer(self._delivered())
                finally:
                    letters.release()

            def _delivered(self) -> HTTPStatus:
                if letterbox is None or not self.path.startswith(PREFIX):
                    return HTTPStatus.NOT_FOUND
                length = self.headers.get("Content-Length", "")
                if "Transfer-Encoding" in self.headers or not _counts(length):
                    return HTTPStatus.LENGTH_REQUIRED
                if int(length) > LARGEST:
                    return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
                body, until = b"", pulse.monotonic() + WHOLE_SECONDS
                while len(body) < int(length):
                    try:
                        part = self.rfile.read1(int(length) - len(body))
                    except TimeoutError:
                        return HTTPStatus.REQUEST_TIMEOUT
                    if not part or pulse.monotonic() > until:
                        return HTTPStatus.REQUEST_TIMEOUT
                    body += part
                path, headers = self.path.partition("?")[0], tuple(self.headers.items())
                return letterbox.take(path, headers, body)

            def _answer(self, status: HTTPStatus) -> None:
                self._say(status, JSON, json.dumps({"ok": status == HTTPStatus.OK}) + "\n")

            def _say(self, status: int, kind: str, body: str) -> None:
                raw = body.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(raw)))
                self.send_header("Cache-Control", "no-store")
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing: a probe every few seconds is no event."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Say nothing of a client that went away."""

        if ":" in where[0]:
            import socket

            Server.address_family = socket.AF_INET6
        try:
            self._server: BaseServer = Server(where, Handler)
        except OSError as error:
            raise UsageError(
                f"L'adresse {where[0]}:{where[1]} est déjà prise : choisissez un autre port."
            ) from error
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.2,), name="health", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=PATIENCE_SECONDS)


def _counts(length: str) -> bool:
    return length.isascii() and length.isdigit() and len(length) < 12


def _health(pulse: Pulse) -> tuple[int, str, str]:
    alive = pulse.alive()
    body = json.dumps({"ok": alive, "state": pulse.state})
    return (200 if alive else 503), JSON, f"{body}\n"


def _ready(looking: Looking) -> tuple[int, str, str]:
    found = looking.ready()
    body = {
        "ok": found.ok,
        "store": found.store,
        "migrated": found.migrated,
        "companies": found.companies,
        "late": found.late,
    }
    return (200 if found.ok else 503), JSON, f"{json.dumps(body)}\n"


def _metrics(looking: Looking, figures: Figures) -> tuple[int, str, str]:
    """Write the figures; a store that does not answer costs its own figures only."""
    lines = figures.lines()
    try:
        lines += [*looking.lines(), "# TYPE encaisse_store_up gauge", "encaisse_store_up 1"]
    except Exception:  # whatever a database says when it does not open
        lines += ["# TYPE encaisse_store_up gauge", "encaisse_store_up 0"]
    return 200, TEXT, "".join(f"{line}\n" for line in lines)
