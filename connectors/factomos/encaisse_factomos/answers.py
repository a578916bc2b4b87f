"""Turn what Factomos answers when it does not do what was asked into the contract's errors.

The codes are those of the vendor's legacy documentation (README of
github.com/thefloatingstone/factomos, v1.29, one table per action). That the newer REST answers
carry the same body is assumed, as is the HTTP status beside it; so the body decides where there is
one, and the status only where there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import cast

from encaisse_api import answers
from encaisse_api.errors import Denied, PartnerError, Rejected, Transient
from encaisse_api.spelling import PARIS


class Fate(Enum):
    """Say what a vendor code means for the host."""

    DENIED = "the grant no longer opens the door"
    QUOTA = "the calls of the day are used up"
    INVOICE_UNKNOWN = "no such invoice"
    CONTACT_UNKNOWN = "no such contact"
    PAGE_UNKNOWN = "no such page"
    REFUSED = "this item is refused"
    UNEXPECTED = "our own request was wrong"


FATES: Mapping[int, Fate] = {
    -1: Fate.DENIED,  # Missing Token
    -2: Fate.UNEXPECTED,  # Missing Crypted Request: only the legacy dialect encrypts
    -3: Fate.DENIED,  # Invalid Token
    -4: Fate.QUOTA,  # Too many API calls for the day
    -5: Fate.UNEXPECTED,  # Invalid Crypted Request
    -6: Fate.UNEXPECTED,  # Action not found or invalid
    -8: Fate.UNEXPECTED,  # Missing parameter client_id
    -9: Fate.CONTACT_UNKNOWN,  # Client not found, as getClient says it
    -10: Fate.CONTACT_UNKNOWN,  # Client not found, as the invoice actions say it
    -17: Fate.UNEXPECTED,  # Missing parameter invoice_id
    -20: Fate.INVOICE_UNKNOWN,  # Invoice not found
    -21: Fate.REFUSED,  # Several payments for this invoice
    -28: Fate.DENIED,  # Your Token is not associated with a Factomos account
    -33: Fate.DENIED,  # Action not authorized: partners only
    -39: Fate.UNEXPECTED,  # Missing parameter invoice_status
    -40: Fate.UNEXPECTED,  # Invalid parameter invoice_status
    -41: Fate.PAGE_UNKNOWN,  # Invalid parameter page_index: beyond the last row
}
"""Each documented code that can answer what this connector asks; any other one is `REFUSED`."""


class Answer(answers.Answer):
    """Hold one answer of Factomos."""

    partner = "Factomos"


class NotFound(Exception):
    """Carry the vendor's own word that a record or a page does not exist."""

    def __init__(self, fate: Fate, error: Rejected) -> None:
        super().__init__(error.message)
        self.fate = fate
        self.error = error


def document(answer: Answer, now: datetime) -> Mapping[str, object]:
    """Read the JSON object of a good answer; raise what any other answer means.

    Raises `NotFound` only when the vendor itself says so (codes -9, -10, -20, -41): a bare 404 may
    come from a proxy or a moved path and proves nothing about a record.
    """
    if answer.status >= 500:
        raise answer.doubtful(f"Factomos est en panne (HTTP {answer.status})", not_now=True)
    content = _object(answer)
    code, words = _error_of(content)
    if code:
        raise _refusal(answer, code, words, now)
    _check_status(answer, now)
    if content is None:
        raise answer.doubtful("Factomos n'a pas répondu en JSON")
    return content


def confirmed(answer: Answer, now: datetime) -> Mapping[str, object]:
    """Read a good answer of the older dialect, which says so itself: code 0 stands in each of them.

    There every error travels under HTTP 200, so an answer without the word is no success.
    """
    content = document(answer, now)
    error = content.get("error")
    code = cast("Mapping[str, object]", error).get("code") if isinstance(error, dict) else None
    if isinstance(code, bool) or code not in (0, "0"):
        raise answer.doubtful("Factomos ne dit pas si la demande a réussi")
    return content


def check_document(answer: Answer, now: datetime) -> None:
    """Check an answer that should carry a file instead of JSON."""
    if answer.status != 200 or answer.body.lstrip()[:1] == b"{":
        document(answer, now)
    if b"%PDF-" not in answer.body[:1024]:
        raise answer.doubtful("Factomos n'a pas répondu un PDF")


def until_midnight(now: datetime) -> timedelta:
    """Tell how long until the next day in Paris, when the daily quota starts again (assumed)."""
    today = now.astimezone(PARIS).date()
    tomorrow = today + timedelta(days=1)
    midnight = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=PARIS)
    # Through UTC, because two Paris times an hour of clock change apart subtract wrongly.
    return timedelta(seconds=midnight.timestamp() - now.timestamp())


def _refusal(answer: Answer, code: int, words: str, now: datetime) -> PartnerError | NotFound:
    subject, request_id = answer.subject, answer.request_id
    fate = FATES.get(code, Fate.REFUSED)
    said = f"code {code}, {words!r}" if words else f"code {code}"
    match fate:
        case Fate.DENIED:
            return Denied(
                f"{subject} : Factomos refuse l'accès ({said}). Reconnectez le compte Factomos.",
                request_id=request_id,
            )
        case Fate.QUOTA:
            return Transient(
                f"{subject} : les appels Factomos du jour sont épuisés ({said}) ; "
                "la suite reprendra après minuit.",
                retry_after=until_midnight(now),
                request_id=request_id,
            )
        case Fate.INVOICE_UNKNOWN | Fate.CONTACT_UNKNOWN | Fate.PAGE_UNKNOWN:
            refused = Rejected(
                f"{subject} : Factomos ne connaît pas cet identifiant ({said}).",
                code=str(code),
                request_id=request_id,
            )
            return NotFound(fate, refused)
        case Fate.REFUSED if not answer.writes:
            return answer.drift(f"Factomos répond une erreur inconnue ({said})")
        case Fate.REFUSED | Fate.UNEXPECTED if answer.writes:
            return Rejected(
                f"{subject} : Factomos refuse l'écriture ({said}). Rien n'a été enregistré.",
                code=str(code),
                request_id=request_id,
            )
        case _:
            return answer.drift(f"Factomos ne comprend plus notre demande ({said})")


def _check_status(answer: Answer, now: datetime) -> None:
    if answer.status in (401, 403):
        raise Denied(
            f"{answer.subject} : Factomos refuse l'accès (HTTP {answer.status}). "
            "Reconnectez le compte Factomos.",
            request_id=answer.request_id,
        )
    if answer.status == 429:
        raise Transient(
            f"{answer.subject} : Factomos demande d'attendre (HTTP 429).",
            retry_after=answers.wait(answer.retry_after, now),
            request_id=answer.request_id,
        )
    if not 200 <= answer.status < 300:
        raise answer.doubtful(f"réponse inattendue de Factomos (HTTP {answer.status})")


def _object(answer: Answer) -> Mapping[str, object] | None:
    content = answer.json()
    return cast("Mapping[str, object]", content) if isinstance(content, dict) else None


def _error_of(content: Mapping[str, object] | None) -> tuple[int, str]:
    """Read `{"error": {"code", "message"}}`; 0 where there is none or all is well."""
    error = (content or {}).get("error")
    if not isinstance(error, dict):
        return 0, ""
    told = cast("Mapping[str, object]", error)
    code, words = told.get("code"), told.get("message")
    if isinstance(code, str) and code.strip().lstrip("-").isdecimal():
        code = int(code)
    if isinstance(code, bool) or not isinstance(code, int):
        return 0, ""
    return code, words[:120] if isinstance(words, str) else ""
