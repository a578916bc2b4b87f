"""Ask Factomos, and let no answer pass that is not one. All of the connector's HTTP is here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

import httpx

from encaisse_api import wire
from encaisse_api.answers import send
from encaisse_factomos.answers import Answer, NotFound, check_document, document
from encaisse_factomos.manifest import BASE

ACCEPT = "application/vnd.status+json; version=1"
"""Media type the vendor's own client sends with every request, PDFs included."""


class FactomosClient:
    """Send requests over the lent client; authentication, pacing and retries are the host's."""

    def __init__(self, http: httpx.Client, now: datetime) -> None:
        self._http = http
        self._now = now

    def get(
        self, path: str, *, subject: str, params: Mapping[str, str | int] | None = None
    ) -> Mapping[str, object]:
        """Read one JSON object; raises `NotFound` where the vendor says there is none."""
        return document(self._ask("GET", path, subject=subject, params=params), self._now)

    def post(self, path: str, content: Mapping[str, str], *, subject: str) -> Mapping[str, object]:
        """Write once. A record the vendor does not know refuses the write."""
        try:
            return document(self._ask("POST", path, subject=subject, content=content), self._now)
        except NotFound as unknown:
            raise unknown.error from None

    def pdf(self, path: str, *, subject: str) -> bytes:
        """Read one PDF."""
        answer = self._ask("GET", path, subject=subject)
        try:
            check_document(answer, self._now)
        except NotFound as unknown:
            raise unknown.error from None
        return answer.body

    def _ask(
        self,
        method: str,
        path: str,
        *,
        subject: str,
        params: Mapping[str, str | int] | None = None,
        content: Mapping[str, str] | None = None,
    ) -> Answer:
        headers = {"Accept": ACCEPT}
        if content is not None:
            headers["Content-Type"] = "application/json"
        response = send(
            self._http,
            method,
            BASE + path,
            partner=Answer.partner,
            subject=subject,
            headers=headers,
            params=params,
            body=None if content is None else wire.write(content).encode(),
        )
        return Answer(
            subject=subject,
            writes=method != "GET",
            status=response.status_code,
            body=response.content,
            retry_after=response.headers.get("retry-after"),
            request_id=response.headers.get("x-request-id"),
        )


def place(*parts: str) -> str:
    """Build a path from parts; ids are the vendor's and opaque, so each is escaped whole."""
    return "/" + "/".join(quote(part, safe="") for part in parts)
