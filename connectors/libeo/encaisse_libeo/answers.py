"""Say what each answer means that is not the one asked for. Everything here is assumed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import cast

from encaisse_api.errors import CursorLost, Denied, Drift, PartnerError, Rejected, Transient

NOT_FOUND = frozenset({"company_not_found", "invoice_not_found", "document_not_found"})
"""Codes by which the vendor itself says that something is not there."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold one HTTP answer as plain values; `subject` names in a sentence what was asked."""

    subject: str
    status: int
    media_type: str
    body: bytes
    retry_after: timedelta | None = None
    request_id: str | None = None

    def document(self) -> object:
        """Read the JSON of a good answer; raise what any other means."""
        self.check()
        found = self._json()
        if found is None:
            raise self.drift("la réponse n'est pas du JSON")
        return found

    def check(self) -> None:
        """Raise what a status other than 200 means.

        `Rejected` carries the vendor's own code; a bare 404 may come from a proxy or a moved
        address and proves nothing about a record, so it is a `Drift`.
        """
        if self.status == 200:
            return
        code = self._code()
        if self.status in (401, 403):
            raise Denied(
                f"{self.subject} : Libeo refuse l'accès (réponse {self.status}). Vérifiez la clé "
                "d'API de l'entreprise, puis reconnectez Libeo.",
                request_id=self.request_id,
            )
        if self.status == 429:
            raise self._later("demande d'attendre")
        if self.status >= 500 or self.status == 408:
            raise self._later(f"est en panne (réponse {self.status})")
        if self.status == 410 and code == "cursor_unknown":
            raise CursorLost(
                f"{self.subject} : Libeo ne connaît plus la marque de lecture ; tout est relu.",
                request_id=self.request_id,
            )
        if self.status == 404 and code in NOT_FOUND:
            raise Rejected(
                f"{self.subject} : Libeo ne connaît pas cet élément ({code}).",
                code=code,
                request_id=self.request_id,
            )
        raise self.drift(f"réponse {self.status} inattendue")

    def drift(self, what: str) -> Drift:
        """Keep an answer that has not the shape known."""
        return Drift(
            f"{self.subject} : {what}. La réponse de Libeo est conservée ; une personne doit la "
            "lire.",
            raw=self.body.decode("utf-8", "replace"),
            request_id=self.request_id,
        )

    def _later(self, what: str) -> PartnerError:
        return Transient(
            f"{self.subject} : Libeo {what} ; nouvel essai plus tard.",
            retry_after=self.retry_after,
            request_id=self.request_id,
        )

    def _json(self) -> object | None:
        try:
            # A fraction stays the text it was: it must never pass through a float.
            return cast("object", json.loads(self.body, parse_float=str))
        except (ValueError, RecursionError):
            return None

    def _code(self) -> str | None:
        content = self._json()
        error = _field(content, "error")
        code = _field(error, "code")
        return code if isinstance(code, str) else None


def wait(retry_after: str | None, date: str | None) -> timedelta | None:
    """Read `Retry-After` (RFC 9110 §10.2.3): seconds, or a date measured from their own `Date`."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdecimal():
        return timedelta(seconds=min(int(text), 86_400))
    try:
        span = parsedate_to_datetime(text) - parsedate_to_datetime(date or "")
    except (TypeError, ValueError):
        return None
    return max(span, timedelta(0))


def _field(content: object, name: str) -> object:
    if not isinstance(content, dict):
        return None
    return cast("Mapping[str, object]", content).get(name)
