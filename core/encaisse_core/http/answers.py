"""Read what an answer says about itself, and say it in the log and in French."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

RESET_HEADERS = ("x-rate-limit-reset", "x-ratelimit-reset")
"""When a quota opens again, as seconds since 1970, where `Retry-After` is missing (MyUnisoft)."""

REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid")


def retry_after(response: httpx.Response, now: datetime) -> timedelta | None:
    """Read when the partner wants us back: seconds or a date (RFC 9110 §10.2.3), or a reset."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    at: datetime | None = None
    try:
        if text:
            at = parsedate_to_datetime(text)
        for name in RESET_HEADERS if at is None else ():
            if name in response.headers:
                at = datetime.fromtimestamp(float(response.headers[name]), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    if at is None:
        return None
    return max(timedelta(0), at.replace(tzinfo=at.tzinfo or UTC) - now)


FRESH_WITHIN = timedelta(hours=1)
"""Oldest answer taken for today's: the last look before an opening is of the same hour."""

FILES = ("application/pdf", "application/xml", "application/octet-stream", "image/", "text/xml")
"""Media types of documents, which do not change: a cache may keep them."""


def staleness(response: httpx.Response) -> timedelta | None:
    """Give how old an answer says it is (`Age`, RFC 9111 §5.1); None while fresh.

    A gateway that answers from what it kept, while the tool behind it is down or frozen, must say
    so there. An answer that says nothing cannot be told from a fresh one; `Date` is no measure, for
    a vendor's clock may be wrong.
    """
    age = response.headers.get("Age", "").strip()
    if not (age.isascii() and age.isdigit()):
        return None
    if response.headers.get("Content-Type", "").startswith(FILES):
        return None
    told = timedelta(seconds=int(age[:9]))
    return told if told > FRESH_WITHIN else None


def request_id(response: httpx.Response) -> str | None:
    """Find the partner's id of a request: what their support asks for."""
    for name in REQUEST_ID_HEADERS:
        if name in response.headers:
            return re.sub(r"[^0-9A-Za-z._:/-]", "", response.headers[name])[:80] or None
    return None


def shown(path: str) -> str:
    """Give a path without what may be a person or a key: an address, an unusually long part."""
    parts = path.split("/")
    return "/".join("…" if "@" in part or " " in part or len(part) > 64 else part for part in parts)


CAUSES: tuple[tuple[type[httpx.RequestError], str], ...] = (
    (httpx.ConnectTimeout, "connexion trop longue"),
    (httpx.ConnectError, "connexion impossible"),
    (httpx.PoolTimeout, "trop d'appels en cours"),
    (httpx.TimeoutException, "délai dépassé"),
    (httpx.DecodingError, "réponse illisible"),
    (httpx.TransportError, "connexion interrompue"),
)


def cause(error: httpx.RequestError) -> str:
    return next((french for kind, french in CAUSES if isinstance(error, kind)), "erreur de réseau")


def spoken(wait: timedelta) -> str:
    seconds = max(1, round(wait.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h"
