"""Send one request over the lent client, and say what an answer means that answers nothing.

What each partner's own codes mean stays with its connector. What is the same for all stands here:
a write whose reply is lost or makes no sense may have been done, a read may be tried again, and
only a connection that was never made says that nothing left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import ClassVar

import httpx
from pydantic import ValidationError

from encaisse_api import wire
from encaisse_api.errors import Drift, OutcomeUnknown, PartnerError, Transient

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Failures before a byte of the request left."""
LONGEST_WAIT = timedelta(days=1)
"""Most a `Retry-After` may ask for: a night later the host asks again anyway."""
READS = "encaisse.reads"
"""Extension of a request that changes nothing though it is no GET: the host may send it again."""
FRENCH = {"missing": "champ absent", "literal_error": "mot inconnu"}
"""What a fault in a row is called; any other one is a value of another type."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold one HTTP answer as plain values, and the request it answers.

    `subject` is how a message names what was asked ("la facture F1 …"); `writes` tells whether the
    request may have changed something there. A connector names its `partner` in a class of its own.
    """

    partner: ClassVar[str] = "Le partenaire"

    subject: str
    writes: bool
    status: int
    body: bytes
    retry_after: str | None = None
    request_id: str | None = None

    def json(self) -> object | None:
        """Read the body, every fraction exact; None where it is no JSON."""
        try:
            return wire.read(self.body)
        except ValueError:
            return None

    def doubtful(self, what: str, *, not_now: bool = False) -> PartnerError:
        """Say of an answer that makes no sense: a doubt after a write, else drift or a pause."""
        if self.writes:
            return OutcomeUnknown(
                f"{self.subject} : {what} ; {MAYBE_WRITTEN}", request_id=self.request_id
            )
        if not_now:
            return Transient(
                f"{self.subject} : {what} ; nouvel essai plus tard.", request_id=self.request_id
            )
        return self.drift(what)

    def drift(self, what: str) -> Drift:
        """Keep an answer that has not the shape known."""
        return Drift(
            f"{self.subject} : {what}. La réponse de {self.partner} est conservée.",
            raw=self.body.decode("utf-8", "replace"),
            request_id=self.request_id,
        )


MAYBE_WRITTEN = (
    "l'écriture est peut-être passée. Elle sera recherchée avant toute nouvelle tentative."
)


def send(
    http: httpx.Client,
    method: str,
    url: httpx.URL | str,
    *,
    partner: str,
    subject: str,
    headers: Mapping[str, str],
    params: Mapping[str, str | int] | None = None,
    body: bytes | None = None,
    reads: bool = False,
) -> httpx.Response:
    """Send once, without credentials, retries or pacing: those are the host's.

    `reads` promises that a POST changes nothing, so that the host tries it again as it does a GET;
    a connector that says it of a write will double it.

    Raises `Transient` where nothing left or a read went unanswered, `OutcomeUnknown` where a write
    did. What the host's own client raises passes through.
    """
    try:
        return http.request(
            method,
            url,
            params=params,
            content=body,
            headers=headers,
            extensions={READS: True} if reads else None,
        )
    except NEVER_SENT:
        raise Transient(f"{subject} : {partner} est injoignable ; rien n'a été envoyé.") from None
    except httpx.HTTPError:
        raise lost_reply(partner, subject, writes=method != "GET" and not reads) from None


def lost_reply(partner: str, subject: str, *, writes: bool) -> PartnerError:
    """Say what a request means whose reply never came."""
    if writes:
        return OutcomeUnknown(f"{subject} : {partner} n'a pas répondu à temps ; {MAYBE_WRITTEN}")
    return Transient(f"{subject} : {partner} n'a pas répondu à temps ; nouvel essai plus tard.")


def wait(retry_after: str | None, since: datetime | str | None) -> timedelta | None:
    """Read `Retry-After` (RFC 9110 §10.2.3): seconds, or a date measured from `since`.

    `since` is an instant, or the answer's own `Date` as sent. None where no wait can be told.
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdecimal():
        return min(timedelta(seconds=int(text[:9])), LONGEST_WAIT)
    try:
        start = parsedate_to_datetime(since) if isinstance(since, str) else since
        span = parsedate_to_datetime(text) - start if start is not None else None
    except (TypeError, ValueError):
        return None
    return None if span is None else max(span, timedelta(0))


def why(error: ValidationError) -> str:
    """Say in French which fields of a row could not be read, and never their values."""
    told: list[str] = []
    for fault in error.errors(include_url=False, include_input=False):
        field = ".".join(str(part) for part in fault["loc"]) or "ligne"
        cause = fault.get("ctx", {}).get("error")
        french = FRENCH.get(fault["type"], "valeur d'un autre type")
        told.append(f"{field} : {cause if cause is not None else french}")
    return " ; ".join(told)
