"""Requests, answers and a route table, without any input or output."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, Literal, TypeAlias, TypeVar
from urllib.parse import parse_qs, unquote

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"
"""JSON without floats: no amount of ours can pass through one."""

JsonObject: TypeAlias = Mapping[str, Json]

Delivery = Literal["sent", "lost", "slow"]
"""How an answer travels: it arrives, the connection breaks first, or it comes too late."""

Handler = TypeVar("Handler")


@dataclass(frozen=True, slots=True)
class SimRequest:
    """Carry one request; header names are lower case, the path is still percent-encoded."""

    method: str
    host: str
    path: str
    query: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    def one(self, name: str) -> str | None:
        """Give the last value of a query parameter, None when it is absent or empty."""
        values = self.query.get(name)
        return values[-1] or None if values else None


@dataclass(frozen=True, slots=True)
class SimResponse:
    """Carry one answer, and how it reaches the caller."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    delivery: Delivery = "sent"

    def with_headers(self, extra: Mapping[str, str]) -> SimResponse:
        """Add headers."""
        return replace(self, headers={**self.headers, **extra})


def as_json(value: Json) -> bytes:
    """Write JSON in one stable way, so that equal content is equal bytes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def json_response(
    status: int,
    value: Json,
    *,
    media_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> SimResponse:
    """Answer with a JSON body."""
    return SimResponse(status, {"content-type": media_type, **(headers or {})}, as_json(value))


def parse_query(raw: str) -> dict[str, list[str]]:
    """Read a query string or a form; empty values stay."""
    return parse_qs(raw, keep_blank_values=True)


@dataclass(frozen=True, slots=True)
class Matched(Generic[Handler]):
    """Name the handler of a request and the values its path gave."""

    handler: Handler
    values: Mapping[str, str]


class Routes(Generic[Handler]):
    """Find a handler by method and path template such as `/invoices/{pid}`."""

    def __init__(self) -> None:
        self._table: list[tuple[str, tuple[str, ...], Handler]] = []

    def add(self, method: str, template: str, handler: Handler) -> None:
        """Add one route; the first one added wins."""
        self._table.append((method, tuple(template.split("/")), handler))

    def find(self, method: str, path: str) -> Matched[Handler] | None:
        """Find the route of a request."""
        for known, template, handler in self._table:
            if known == method and (values := _values(template, path)) is not None:
                return Matched(handler, values)
        return None

    def knows(self, path: str) -> bool:
        """Tell whether any method is served at this path, so that 405 differs from 404."""
        return any(_values(template, path) is not None for _, template, _ in self._table)


def _values(template: tuple[str, ...], path: str) -> dict[str, str] | None:
    parts = path.split("/")
    if len(parts) != len(template):
        return None
    values: dict[str, str] = {}
    for name, part in zip(template, parts, strict=True):
        if name.startswith("{"):
            if not part:
                return None
            values[name[1:-1]] = unquote(part)
        elif name != part:
            return None
    return values
