"""Speak GCollect's assumed contract by plain HTTP, as a test or another software would.

It is no connector: it knows no error, retries nothing, and numbers its keys and references by
itself so that a caller only says what it means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import httpx

from encaisse_simulator.wire import Json

BASE = "https://api.gcollect.example"


def euro(cents: int) -> dict[str, Json]:
    """Write an amount."""
    return {"amount": f"{cents // 100}.{cents % 100:02d}", "currency": "EUR"}


@dataclass(frozen=True, slots=True)
class CalledClaim:
    """Name one claim to collect, amounts in cents, dates as text."""

    number: str
    principal: int = 120_000
    interest: int = 0
    indemnity: int = 4_000
    issue_date: str = "2026-08-01"
    due_date: str = "2026-08-31"

    @property
    def external_id(self) -> str:
        """Give the creditor's own id of the claim."""
        return f"claim-{self.number}-{self.issue_date}"

    def quoted(self) -> dict[str, Json]:
        """Write it for a quote."""
        return {
            "external_id": self.external_id,
            "issue_date": self.issue_date,
            "due_date": self.due_date,
            "amount_due": euro(self.principal),
        }

    def line(self) -> dict[str, Json]:
        """Write it for a mandate or a procedure."""
        return {
            "external_id": self.external_id,
            "number": self.number,
            "issue_date": self.issue_date,
            "due_date": self.due_date,
            "principal": euro(self.principal),
            "interest": euro(self.interest),
            "indemnity": euro(self.indemnity),
        }


class GCollectCaller:
    """Call GCollect with one client's rights."""

    def __init__(
        self, http: httpx.Client, client_id: str, client_secret: str, *, base: str = BASE
    ) -> None:
        self._http = http
        self._access = (client_id, client_secret)
        self._base = base
        self._token = ""
        self._numbered = 0

    def log_in(self, scope: str | None = None) -> httpx.Response:
        """Fetch an access token and use it from now on."""
        form = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
        answer = self._http.post(
            f"{self._base}/v1/oauth/token", data=form, auth=self._access, headers=self._host()
        )
        if answer.status_code == 200:
            self._token = text_of(answer, "access_token")
        return answer

    def get(
        self, path: str, headers: Mapping[str, str] | None = None, **params: str
    ) -> httpx.Response:
        """Read."""
        sent = {**self._host(), "Authorization": f"Bearer {self._token}", **(headers or {})}
        return self._http.get(f"{self._base}/v1{path}", params=params, headers=sent)

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Json],
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Write, under a fresh key unless one is given."""
        sent = {
            **self._host(),
            "Authorization": f"Bearer {self._token}",
            "Idempotency-Key": key or self.fresh("key"),
            **(headers or {}),
        }
        return self._http.request(method, f"{self._base}/v1{path}", json=body, headers=sent)

    def fresh(self, kind: str) -> str:
        """Give a reference never used before by this caller."""
        self._numbered += 1
        return f"{kind}-{self._numbered:06d}"

    def quote(self, claims: Sequence[CalledClaim], **debtor: str) -> httpx.Response:
        """Ask for a price."""
        asked: dict[str, Json] = {
            "debtor": debtor or {"kind": "company", "siren": "987654324"},
            "invoices": [claim.quoted() for claim in claims],
        }
        return self.send("POST", "/quotes", asked)

    def ask_mandate(self, quote_id: str, claims: Sequence[CalledClaim]) -> httpx.Response:
        """Ask for a mandate."""
        body: dict[str, Json] = {
            "external_reference": self.fresh("mandate"),
            "quote_ids": [quote_id],
            "invoices": [claim.line() for claim in claims],
        }
        return self.send("POST", "/mandates", body)

    def prepare(self, *claims: CalledClaim) -> str:
        """Quote claims and ask for their mandate; give the mandate's id."""
        quoted = self.quote(claims)
        return text_of(self.ask_mandate(text_of(quoted, "id"), claims), "id")

    def open(
        self,
        mandate_id: str,
        claims: Sequence[CalledClaim],
        *,
        reference: str | None = None,
        key: str | None = None,
    ) -> httpx.Response:
        """Open a procedure."""
        body: dict[str, Json] = {
            "external_reference": reference or self.fresh("procedure"),
            "mandate_id": mandate_id,
            "debtor": {"kind": "company", "name": "Bureau Modèle SARL", "siren": "987654324"},
            "invoices": [claim.line() for claim in claims],
        }
        return self.send("POST", "/procedures", body, key=key)

    def _host(self) -> dict[str, str]:
        return {"X-Sim-Host": httpx.URL(BASE).host}


def text_of(answer: httpx.Response, name: str) -> str:
    """Read one text of a JSON answer."""
    value = cast("Mapping[str, object]", answer.json())[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text in {answer.text}")
    return value
