"""Ask the older interface: one address, an action in a form, errors inside the answer.

The forms leave here plain; the host seals them and opens what comes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

import httpx

from encaisse_api.answers import send
from encaisse_factomos.answers import Answer, NotFound, confirmed
from encaisse_factomos.legacy.manifest import ADDRESS

FORM = "application/x-www-form-urlencoded"


class LegacyClient:
    """Send actions over the lent client."""

    def __init__(self, http: httpx.Client, now: datetime) -> None:
        self._http = http
        self._now = now

    def read(self, action: str, *, subject: str, **fields: str) -> Mapping[str, object]:
        """Make an action that changes nothing; raises `NotFound` where the vendor says so.

        It travels as a POST, and is tried again as a GET would be.
        """
        return self._said(action, fields, subject, writes=False)

    def write(self, action: str, *, subject: str, **fields: str) -> Mapping[str, object]:
        """Make an action that changes something, once."""
        try:
            return self._said(action, fields, subject, writes=True)
        except NotFound as unknown:
            raise unknown.error from None

    def _said(
        self, action: str, fields: Mapping[str, str], subject: str, *, writes: bool
    ) -> Mapping[str, object]:
        response = send(
            self._http,
            "POST",
            ADDRESS,
            partner=Answer.partner,
            subject=subject,
            headers={"Content-Type": FORM},
            body=urlencode({"action": action, **fields}).encode(),
            reads=not writes,
        )
        answer = Answer(
            subject=subject,
            writes=writes,
            status=response.status_code,
            body=response.content,
            retry_after=response.headers.get("retry-after"),
            request_id=response.headers.get("x-request-id"),
        )
        return confirmed(answer, self._now)
