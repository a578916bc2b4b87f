"""Record a connector's conversations with the simulator as the exam's cassettes.

The connector speaks to the vendor's real addresses and the world answers in process, so a cassette
reads like the vendor. Headers are kept by name, never dropped by name: a credential nobody thought
of is not recorded either. The format is described in `encaisse_api.conformance`.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from vcr.serializers import yamlserializer

from encaisse_api import Context
from encaisse_api.conformance.cassette import ContextFile, write_sidecar
from encaisse_simulator.transport import SimTransport
from encaisse_simulator.world import World

KEPT_OF_REQUESTS = frozenset(
    {"accept", "content-type", "gcollect-version", "idempotency-key", "if-match", "if-none-match"}
)
KEPT_OF_ANSWERS = frozenset({"content-type", "etag", "location", "retry-after"})
_EMAIL = re.compile(rb"[A-Za-z0-9._%+-]+@([A-Za-z0-9.-]+)")


class NotForPublication(Exception):
    """Refuse a cassette that holds something that must not be published."""


def connector_named(slug: str) -> type:
    """Find an installed connector by its entry point, as the host does."""
    (found,) = entry_points(group="encaisse.connectors", name=slug)
    registered: list[type] = []
    found.load().register_connectors(registered.append)
    return registered[0]


class RecordingTransport(httpx.BaseTransport):
    """Pass requests on and keep each with its answer."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self._kept: list[dict[str, object]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request and keep it."""
        body = request.read()
        response = self._inner.handle_request(request)
        content = response.read()
        self._kept.append(
            {
                "request": {
                    "method": request.method,
                    "uri": str(request.url),
                    "body": _text(body) or None,
                    "headers": _kept(request.headers, KEPT_OF_REQUESTS),
                },
                "response": {
                    "status": {"code": response.status_code, "message": response.reason_phrase},
                    "headers": _kept(response.headers, KEPT_OF_ANSWERS),
                    "body": {"string": _text(content)},
                },
            }
        )
        return response

    def cassette(self) -> str:
        """Write what was kept in vcrpy's format, version 1."""
        kept = {"version": 1, "interactions": self._kept}
        text: str = yamlserializer.serialize(kept)  # pyright: ignore[reportUnknownMemberType] - untyped
        return text


@dataclass
class Recorder:
    """Record calls of one connector into one folder, all at one instant of one world.

    `headers` carry the authentication the host would add; they reach the simulator and no file.
    """

    folder: Path
    connector: type
    world: World
    recorded_against: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    account: str | None = None

    def write_context(self) -> None:
        """Say when the folder was recorded, and against what."""
        said = ContextFile(
            recorded_against=self.recorded_against,
            now=self.world.now.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            today=_today(self.world.now).isoformat(),
            account=self.account,
            settings=dict(self.settings),
        )
        text = json.dumps(
            said.model_dump(mode="json", exclude_unset=True), ensure_ascii=False, indent=2
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "context.json").write_text(text + "\n", "utf-8")

    @contextmanager
    def instance(self, transport: httpx.BaseTransport) -> Generator[Any]:
        """Build the connector on a transport, as the host would."""
        now = self.world.now
        with httpx.Client(transport=transport, headers=dict(self.headers)) as http:
            yield self.connector(
                Context(
                    http=http,
                    settings=self.settings,
                    account=self.account,
                    today=_today(now),
                    now=now,
                    log=logging.getLogger("encaisse.record"),
                    deadline=now + timedelta(minutes=10),
                )
            )

    def record(
        self, name: str, arguments: Mapping[str, object] | None = None, *, method: str = ""
    ) -> Any:
        """Make one call and write `<name>.yaml`; a pull is drawn to its end.

        Returns what the call returned (the list of pages of a pull). `method` is the connector's
        method where the file is named otherwise, as `find_payment_absent`.
        """
        transport = RecordingTransport(SimTransport(self.world))
        with self.instance(transport) as connector:
            result: Any = getattr(connector, method or name)(**(arguments or {}))
            if name.startswith("pull_"):
                result = list(result)
        text = transport.cassette()
        _check_publishable(name, text.encode())
        (self.folder / f"{name}.yaml").write_text(text, "utf-8")
        return result

    def record_write(self, write: str, twin: str, key: str, arguments: Mapping[str, object]) -> Any:
        """Record a write between its two look-ups, with one sidecar for the three."""
        write_sidecar(self.folder, write, key, **arguments)
        keyed = {"key": key, **arguments}
        self.record(f"{twin}_absent", keyed, method=twin)
        result = self.record(write, keyed)
        self.record(f"{twin}_present", keyed, method=twin)
        return result


def _text(body: bytes) -> str | bytes:
    """Write text as text, so that a cassette can be read in a review."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def _kept(headers: httpx.Headers, names: frozenset[str]) -> dict[str, list[str]]:
    return {name: [value] for name, value in headers.items() if name.lower() in names}


def _today(now: datetime) -> date:
    return now.astimezone(ZoneInfo("Europe/Paris")).date()


def _check_publishable(name: str, text: bytes) -> None:
    """Refuse addresses outside the domain reserved for examples (RFC 2606)."""
    for domain in _EMAIL.findall(text):
        if not (domain == b"example.org" or domain.endswith(b".example.org")):
            raise NotForPublication(f"{name}: an e-mail address at {domain.decode()}")
    if b"bearer " in text.lower():
        raise NotForPublication(f"{name}: a bearer token")
