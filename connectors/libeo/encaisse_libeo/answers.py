"""Say what each answer means that is not the one asked for. Everything here is assumed."""

from __future__ import annotations

from dataclasses import dataclass

from encaisse_api import answers, wire
from encaisse_api.errors import CursorLost, Denied, PartnerError, Rejected, Transient

NOT_FOUND = frozenset({"company_not_found", "invoice_not_found", "document_not_found"})
"""Codes by which the vendor itself says that something is not there."""


@dataclass(frozen=True, slots=True)
class Answer(answers.Answer):
    """Hold one answer of Libeo; `date` is when it was sent, by its own header."""

    partner = "Libeo"

    media_type: str = ""
    date: str | None = None

    def document(self) -> object:
        """Read the JSON of a good answer; raise what any other means."""
        self.check()
        found = self.json()
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

    def _later(self, what: str) -> PartnerError:
        return Transient(
            f"{self.subject} : Libeo {what} ; nouvel essai plus tard.",
            retry_after=answers.wait(self.retry_after, self.date),
            request_id=self.request_id,
        )

    def _code(self) -> str | None:
        code = wire.members(wire.members(self.json()).get("error")).get("code")
        return code if isinstance(code, str) else None
