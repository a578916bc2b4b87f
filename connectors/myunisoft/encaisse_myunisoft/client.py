"""Ask MyUnisoft, and let no answer pass that is not one. All of the connector's HTTP is here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import httpx

from encaisse_api import wire
from encaisse_api.answers import send
from encaisse_api.errors import Rejected
from encaisse_myunisoft import answers
from encaisse_myunisoft.answers import Answer, NotFound
from encaisse_myunisoft.manifest import API_HOST, BASE, FILES_HOST

MAD = {"version": "1.0.0"}
"""Version of the norm every MAD route has to be asked for."""


class MyUnisoftClient:
    """Send requests over the lent client; authentication, pacing and retries are the host's.

    `account` is the dossier: a firm's key opens many, and has to say which in `society-id`.
    """

    def __init__(self, http: httpx.Client, now: datetime, account: str | None) -> None:
        self._http = http
        self._now = now
        self._account = account

    def get(
        self,
        path: str,
        *,
        subject: str,
        params: Mapping[str, str] | None = None,
        firm_wide: bool = False,
    ) -> object:
        """Read JSON; raises `NotFound` where the vendor says there is none.

        `firm_wide` leaves the dossier out, for the routes that list them.
        """
        return answers.content(
            self._ask("GET", path, subject, params=params, firm_wide=firm_wide), self._now
        )

    def must(self, path: str, *, subject: str, params: Mapping[str, str] | None = None) -> object:
        """Read what must be there: the vendor's "not found" is a refusal here."""
        try:
            return self.get(path, subject=subject, params=params)
        except NotFound as unknown:
            raise unknown.error from None

    def mad(self, path: str, *, subject: str, **params: str) -> object:
        """Read a MAD route that always answers with what there is."""
        return self.must(f"/mad/{path}", subject=subject, params={**MAD, **params})

    def send(
        self,
        method: str,
        path: str,
        content: Mapping[str, object],
        *,
        subject: str,
        params: Mapping[str, str] | None = None,
    ) -> object:
        """Write once. A record the vendor does not know refuses the write."""
        try:
            answer = self._ask(method, path, subject, params=params, content=content)
            return answers.content(answer, self._now)
        except NotFound as unknown:
            raise unknown.error from None

    def file(self, url: str, *, subject: str) -> bytes:
        """Read a PDF at an address the vendor gave; only its own hosts are asked at all."""
        where = httpx.URL(url)
        if where.scheme != "https" or where.host not in (API_HOST, FILES_HOST) or where.userinfo:
            raise Rejected(
                f"{subject} : le document est sur « {where.host} », qui n'est pas un hôte déclaré "
                "de MyUnisoft ; il n'a pas été demandé.",
                code="host_refused",
            )
        try:
            answer = self._answer(self._sent("GET", where, subject), subject, writes=False)
            answers.check_file(answer, self._now)
        except NotFound as unknown:
            raise unknown.error from None
        return answer.body

    def _ask(
        self,
        method: str,
        path: str,
        subject: str,
        *,
        params: Mapping[str, str] | None = None,
        content: Mapping[str, object] | None = None,
        firm_wide: bool = False,
    ) -> Answer:
        headers = {"Accept": "application/json"}
        if self._account and not firm_wide:
            headers["society-id"] = self._account
        if content is not None:
            headers["Content-Type"] = "application/json"
        response = self._sent(
            method,
            httpx.URL(BASE + path, params=dict(params or {})),
            subject,
            headers=headers,
            body=None if content is None else wire.write(content).encode(),
        )
        return self._answer(response, subject, writes=method != "GET")

    def _sent(
        self,
        method: str,
        url: httpx.URL,
        subject: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> httpx.Response:
        return send(
            self._http,
            method,
            url,
            partner=Answer.partner,
            subject=subject,
            headers=headers or {},
            body=body,
        )

    def _answer(self, response: httpx.Response, subject: str, *, writes: bool) -> Answer:
        return Answer(
            subject=subject,
            writes=writes,
            status=response.status_code,
            body=response.content,
            reset=response.headers.get("x-rate-limit-reset"),
            request_id=response.headers.get("request-id"),
        )
