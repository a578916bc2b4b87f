"""Record the exam's cassettes: from a vendor's sandbox, or from a server of one's own.

    recorder = Recorder(
        folder=Path("tests/cassettes/acme"),
        connector=AcmeConnector,
        transport=Loopback({"api.acme.example": "http://127.0.0.1:8000"}),
        now=datetime(2026, 3, 2, 2, 0, tzinfo=UTC),
        recorded_against="our own server after the vendor's page on invoices, version 3",
        headers={"Authorization": "Bearer invented"},
    )
    recorder.write_context()
    recorder.record("pull_invoices", {"since": None})
    recorder.record_write("record_payment", "find_payment", KEY, {"payment": payment})

The connector speaks to the vendor's real addresses, whoever answers, so a cassette reads like the
vendor; `httpx.HTTPTransport()` in the place of `Loopback` records a sandbox. The files are
vcrpy's. Headers are kept by name, never dropped by name: a credential nobody thought of is not
recorded either.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import httpx
from vcr.serializers import yamlserializer

from encaisse_api.base import Environment
from encaisse_api.conformance.cassette import ContextFile, write_sidecar
from encaisse_api.context import Context
from encaisse_api.roles import Connector

KEPT_OF_REQUESTS = frozenset(
    {"accept", "content-type", "idempotency-key", "if-match", "if-none-match"}
)
KEPT_OF_ANSWERS = frozenset({"content-type", "etag", "location", "retry-after"})
MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})
_EMAIL = re.compile(rb"[A-Za-z0-9._%+-]+@([A-Za-z0-9.-]+)")


class NotForPublication(Exception):
    """Refuse a cassette that holds something that must not be published."""


class Loopback(httpx.BaseTransport):
    """Send a vendor's hosts to servers on this machine; `Host` still names the vendor."""

    def __init__(self, routes: Mapping[str, str]) -> None:
        self._routes = {host: httpx.URL(base) for host, base in routes.items()}
        for host, base in self._routes.items():
            if base.host not in MACHINE:
                raise ValueError(f"{host} leads to {base.host}, which is not this machine")
        self._inner = httpx.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer from the server that stands for the host."""
        base = self._routes.get(request.url.host)
        if base is None:
            raise httpx.ConnectError(f"no route to {request.url.host}", request=request)
        url = base.copy_with(raw_path=base.raw_path.rstrip(b"/") + request.url.raw_path)
        return self._inner.handle_request(
            httpx.Request(request.method, url, headers=request.headers, content=request.read())
        )

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class RecordingTransport(httpx.BaseTransport):
    """Pass requests on and keep each with its answer."""

    def __init__(self, inner: httpx.BaseTransport, kept: frozenset[str]) -> None:
        self._inner = inner
        self._names = kept
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
                    "headers": _kept(request.headers, self._names),
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


@dataclass(kw_only=True)
class Recorder:
    """Record calls of one connector into one folder, all at one instant.

    `headers` carry the authentication the host would add; they reach the partner and no file.
    `kept` names the request headers of the vendor's own that are recorded too.
    """

    folder: Path
    connector: type
    transport: httpx.BaseTransport
    now: datetime
    recorded_against: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    account: str | None = None
    siren: str | None = None
    environment: Environment = "test"
    kept: frozenset[str] = frozenset()

    def write_context(self) -> None:
        """Say when the folder was recorded, and against what."""
        said: dict[str, object] = {
            "recorded_against": self.recorded_against,
            "now": self.now.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "today": _today(self.now).isoformat(),
            "account": self.account,
            "settings": dict(self.settings),
        }
        if self.siren is not None:
            said["siren"] = self.siren
        if self.environment != "test":
            said["environment"] = self.environment
        file = ContextFile.model_validate(said).model_dump(mode="json", exclude_unset=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(file, ensure_ascii=False, indent=2)
        (self.folder / "context.json").write_text(text + "\n", "utf-8")

    @contextmanager
    def instance(self, transport: httpx.BaseTransport | None = None) -> Generator[Any]:
        """Build the connector on a transport, as the host would."""
        manifest = cast("type[Connector]", self.connector).manifest
        inner = transport or self.transport
        with httpx.Client(transport=inner, headers=dict(self.headers)) as http:
            yield self.connector(
                Context(
                    http=http,
                    settings=self.settings,
                    account=self.account,
                    today=_today(self.now),
                    now=self.now,
                    log=logging.getLogger("encaisse.record"),
                    deadline=self.now + timedelta(minutes=10),
                    environment=self.environment,
                    hosts=manifest.hosts(self.environment),
                    siren=self.siren,
                )
            )

    def record(
        self, name: str, arguments: Mapping[str, object] | None = None, *, method: str = ""
    ) -> Any:
        """Make one call and write `<name>.yaml`; a pull is drawn to its end.

        Returns what the call returned (the list of pages of a pull). `method` is the connector's
        method where the file is named otherwise, as `find_payment_absent`.
        """
        names = KEPT_OF_REQUESTS | self.kept
        transport = RecordingTransport(self.transport, names)
        with self.instance(transport) as connector:
            result: Any = getattr(connector, method or name)(**(arguments or {}))
            if name.startswith("pull_"):
                result = list(result)
        text = transport.cassette()
        hidden = [value for header, value in self.headers.items() if header.lower() not in names]
        _check_publishable(name, text.encode(), hidden)
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


def _check_publishable(name: str, text: bytes, hidden: Iterable[str]) -> None:
    """Refuse addresses outside the domain reserved for examples (RFC 2606), and credentials."""
    for domain in _EMAIL.findall(text):
        if not (domain == b"example.org" or domain.endswith(b".example.org")):
            raise NotForPublication(f"{name}: an e-mail address at {domain.decode()}")
    told = [value.rpartition(" ")[2].encode() for value in hidden]
    # Shorter than eight, it would be found in any word.
    if b"bearer " in text.lower() or any(len(one) >= 8 and one in text for one in told):
        raise NotForPublication(f"{name}: a credential")
