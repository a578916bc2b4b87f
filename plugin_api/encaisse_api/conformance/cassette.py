"""Read what vcrpy recorded, as plain values that can be altered before they are replayed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast

import httpx
from pydantic import BaseModel, Field, TypeAdapter
from vcr.serializers import yamlserializer

from encaisse_api.base import Environment, Frozen
from encaisse_api.source import Hint

plain = TypeAdapter[object](object)
Breakage = Literal[
    "",
    "unreachable",
    "lost",
    "host's Transient",
    "host's OutcomeUnknown",
    "host's Denied",
    "host's Rejected",
    "host's Drift",
]
"""`unreachable`: the request never left. `lost`: it was served, and the reply never came. The
others: the client the host lends has already said what it means.
"""


class _Status(BaseModel):
    code: int
    message: str | None = None


class _Body(BaseModel):
    string: str | bytes | None = None


class _Request(BaseModel):
    method: str
    uri: str
    body: str | bytes | None = None
    headers: dict[str, list[str] | str] = {}


class _Response(BaseModel):
    status: _Status
    headers: dict[str, list[str] | str] = {}
    body: _Body = _Body()


class _Recorded(BaseModel):
    request: _Request
    response: _Response


class _Cassette(BaseModel):
    version: Literal[1]
    interactions: list[_Recorded]


@dataclass(frozen=True, slots=True)
class Interaction:
    """Hold one recorded request with its answer; every disturbance of the exam is another one."""

    method: str
    url: httpx.URL
    request_headers: tuple[tuple[str, str], ...]
    request_body: bytes
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    breakage: Breakage = ""

    @property
    def address(self) -> tuple[str, str, str]:
        """Name the door that was knocked at, whatever the query: what pages of a list share."""
        return (self.method, self.url.host, self.url.path)

    @property
    def writes(self) -> bool:
        """Tell whether the method may change something at the partner (RFC 9110 §9.2.1)."""
        return self.method in {"POST", "PUT", "PATCH", "DELETE"}

    def document(self) -> object:
        """Parse the answer as JSON, None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def answering(self, document: object) -> Interaction:
        """Answer this document instead."""
        return replace(self, body=json.dumps(document).encode())


def read_cassette(path: Path) -> tuple[Interaction, ...]:
    """Read one vcrpy file, in recorded order."""
    # vcrpy has no types; the model below is what is trusted of its answer.
    load = cast("Callable[[str], object]", yamlserializer.deserialize)  # pyright: ignore[reportUnknownMemberType]
    cassette = _Cassette.model_validate(load(path.read_text("utf-8")))
    return tuple(_interaction(recorded) for recorded in cassette.interactions)


def _interaction(recorded: _Recorded) -> Interaction:
    # The lengths and codings described the wire; the body is kept decoded, because it gets altered.
    gone = {"content-length", "content-encoding", "transfer-encoding"}
    body = _octets(recorded.response.body.string)
    if body[:2] == b"\x1f\x8b":
        body = gzip.decompress(body)
    return Interaction(
        method=recorded.request.method.upper(),
        url=httpx.URL(recorded.request.uri),
        request_headers=_pairs(recorded.request.headers),
        request_body=_octets(recorded.request.body),
        status=recorded.response.status.code,
        headers=tuple(p for p in _pairs(recorded.response.headers) if p[0] not in gone),
        body=body,
    )


def _pairs(headers: dict[str, list[str] | str]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name.lower(), value)
        for name, values in headers.items()
        for value in ([values] if isinstance(values, str) else values)
    )


def _octets(body: str | bytes | None) -> bytes:
    return body.encode() if isinstance(body, str) else body or b""


class Sidecar(Frozen):
    """Give the key and the arguments of a recorded call, JSON values by parameter name."""

    key: str | None = None
    arguments: dict[str, object] = Field(default_factory=dict[str, object])


class ContextFile(Frozen):
    """Give the context a folder was recorded under, and what it was recorded against."""

    recorded_against: str
    now: str
    today: str
    account: str | None = None
    siren: str | None = None
    environment: Environment = "test"
    settings: dict[str, str] = Field(default_factory=dict[str, str])


class DamagedFile(Frozen):
    """Point a connector without HTTP at its files with one bad row."""

    settings: dict[str, str]


class RecordedDelivery(Frozen):
    """Keep one webhook as received, with the hints it must give (None: at least one)."""

    headers: dict[str, str]
    body: str
    received_at: str
    hints: tuple[Hint, ...] | None = None


class WebhookFile(Frozen):
    """Keep deliveries and the invented secrets that signed them."""

    secrets: tuple[str, ...] = ()
    deliveries: tuple[RecordedDelivery, ...]


def write_sidecar(folder: Path, method: str, key: str | None = None, **arguments: object) -> Path:
    """Write `<method>.json` from the values a call was recorded with."""
    dumped = {name: plain.dump_python(value, mode="json") for name, value in arguments.items()}
    content: dict[str, object] = {"arguments": dumped}
    if key is not None:
        content = {"key": key, **content}
    path = folder / f"{method}.json"
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf-8")
    return path
