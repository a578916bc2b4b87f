"""Name what can come back instead of an answer: one table, used by every check."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from encaisse_api.conformance.cassette import Breakage, Interaction
from encaisse_api.errors import Denied, OutcomeUnknown, PartnerError, Rejected, Transient

HTML = b"<!doctype html><html><body><h1>Maintenance</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """Turn a good answer into a bad one; `make` gives None where it cannot.

    `read` lists the errors a read or a look-up may raise then, `write` those of a write whose
    request may have been served.
    """

    name: str
    make: Callable[[Interaction], Interaction | None]
    read: tuple[type[PartnerError], ...] = (PartnerError,)
    write: tuple[type[PartnerError], ...] = (OutcomeUnknown,)

    def __str__(self) -> str:
        return self.name


def _status(code: int, body: bytes, kind: str) -> Callable[[Interaction], Interaction]:
    headers = (("content-type", kind),)
    return lambda good: replace(good, status=code, headers=headers, body=body)


def _problem(code: int) -> Callable[[Interaction], Interaction]:
    body = json.dumps({"title": "error", "status": code}).encode()
    return _status(code, body, "application/problem+json")


def _as_json(good: Interaction, body: bytes) -> Interaction | None:
    return None if good.document() is None else replace(good, body=body)


def _cut(good: Interaction) -> Interaction | None:
    return _as_json(good, good.body[: max(1, len(good.body.rstrip()) - 2)])


def _other_shape(good: Interaction) -> Interaction | None:
    return _as_json(good, b"{}" if isinstance(good.document(), list) else b"[]")


def _broken(how: Breakage) -> Callable[[Interaction], Interaction]:
    return lambda good: replace(good, breakage=how)


DENIED = Fault("401", _problem(401), read=(Denied,), write=(Denied,))
FORBIDDEN = Fault("403", _problem(403), write=(PartnerError,))
NOT_FOUND = Fault("404", _problem(404), write=(PartnerError,))
SERVER_ERROR = Fault("500", _problem(500))
GATEWAY = Fault("502 in HTML", _status(502, HTML, "text/html"))
HTML_PAGE = Fault("200 with HTML", _status(200, HTML, "text/html"))
EMPTY_BODY = Fault("200 with an empty body", _status(200, b"", "application/json"))
EMPTY_OBJECT = Fault("200 with {}", lambda good: _as_json(good, b"{}"))
OTHER_SHAPE = Fault("200 with another shape", _other_shape)
CUT_JSON = Fault("200 with JSON cut short", _cut)
LOST = Fault("reply lost", _broken("lost"))
UNREACHABLE = Fault("unreachable", _broken("unreachable"), write=(Transient, OutcomeUnknown))
BUSY = Fault("429", _problem(429), read=(Transient,), write=(Transient, OutcomeUnknown))
HOSTS_TRANSIENT = Fault(
    "host's Transient",
    _broken("host's Transient"),
    read=(Transient,),
    write=(Transient, OutcomeUnknown),
)
HOSTS_UNKNOWN = Fault("host's OutcomeUnknown", _broken("host's OutcomeUnknown"))
HOSTS_DENIED = Fault("host's Denied", _broken("host's Denied"), read=(Denied,), write=(Denied,))
HOSTS_REJECTED = Fault(
    "host's Rejected", _broken("host's Rejected"), write=(Rejected, OutcomeUnknown)
)
HOSTS_DRIFT = Fault("host's Drift", _broken("host's Drift"))

READ_FAULTS = (
    DENIED, FORBIDDEN, SERVER_ERROR, GATEWAY, HTML_PAGE, EMPTY_BODY, EMPTY_OBJECT, OTHER_SHAPE,
    CUT_JSON, LOST, UNREACHABLE, BUSY, HOSTS_TRANSIENT, HOSTS_DENIED, HOSTS_REJECTED, HOSTS_DRIFT,
)  # fmt: skip
"""No 404: for some reads it is the answer (a deleted invoice is `Missing`)."""
LOOKUP_FAULTS = (NOT_FOUND, *READ_FAULTS)
PULL_FAULTS = LOOKUP_FAULTS
WRITE_FAULTS = (
    DENIED, FORBIDDEN, NOT_FOUND, SERVER_ERROR, GATEWAY, HTML_PAGE, EMPTY_BODY, EMPTY_OBJECT,
    OTHER_SHAPE, CUT_JSON, LOST, UNREACHABLE, BUSY, HOSTS_TRANSIENT, HOSTS_UNKNOWN, HOSTS_DENIED,
    HOSTS_REJECTED,
)  # fmt: skip


def at(
    interactions: tuple[Interaction, ...], place: int, fault: Fault
) -> tuple[Interaction, ...] | None:
    """Put a fault in the place of one answer; None where this answer cannot fail so."""
    bad = fault.make(interactions[place])
    if bad is None:
        return None
    return (*interactions[:place], bad, *interactions[place + 1 :])
