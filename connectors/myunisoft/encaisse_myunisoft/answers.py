"""Turn what MyUnisoft answers when it does not do what was asked into the contract's errors.

Every refusal has a JSON root `error` with a `code` (erreurs.html); messages are for people and
change. Only a `code` says what happened: a bare status may come from a proxy on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from encaisse_api import answers, wire
from encaisse_api.errors import (
    ActionNeeded,
    Conflict,
    Denied,
    PartnerError,
    PeriodClosed,
    Rejected,
    Transient,
)
from encaisse_myunisoft.codes import CODES, Fate

APP = "https://app.myunisoft.fr"
"""Where a person opens the dossier."""


GENERIC = frozenset({"ERR-HTTP"})
"""Codes that say no more than the status beside them."""


@dataclass(frozen=True, slots=True)
class Answer(answers.Answer):
    """Hold one answer of MyUnisoft; `reset` is `X-Rate-Limit-Reset` as sent."""

    partner = "MyUnisoft"

    reset: str | None = None


class NotFound(Exception):
    """Carry the vendor's own word, under a code of its own, that something does not exist."""

    def __init__(self, answer: Answer, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.error = Rejected(
            f"{answer.subject} : MyUnisoft ne le trouve pas ({code}).",
            code=code,
            request_id=answer.request_id,
        )


def content(answer: Answer, now: datetime) -> object:
    """Read the JSON of a good answer; raise what any other answer means."""
    document = answer.json()
    code = _code(document)
    if code is None:
        _check_status(answer, now)
        if document is None:
            raise answer.doubtful("MyUnisoft n'a pas répondu en JSON")
        return document
    if answer.status == 404 and (code not in CODES or code in GENERIC):
        raise NotFound(answer, code)
    raise _refusal(answer, code, now)


def check_file(answer: Answer, now: datetime) -> None:
    """Check an answer that should carry a PDF instead of JSON."""
    if answer.status != 200 or answer.body.lstrip()[:1] == b"{":
        content(answer, now)
    if b"%PDF-" not in answer.body[:1024]:
        raise answer.doubtful("la réponse n'est pas un PDF")


def _refusal(answer: Answer, code: str, now: datetime) -> PartnerError:
    fate, words = CODES.get(code, (None, ""))
    subject, request_id = answer.subject, answer.request_id
    said = f"{subject} : {words} ({code})."
    nothing = " Rien n'a été enregistré." if answer.writes else ""
    match fate:
        case Fate.DENIED:
            return Denied(said, request_id=request_id)
        case Fate.LATER:
            wait = until(answer.reset, now)
            return Transient(f"{said}{nothing}", retry_after=wait, request_id=request_id)
        case Fate.PERIOD:
            return PeriodClosed(f"{said}{nothing}", code=code, request_id=request_id)
        case Fate.PERSON:
            return ActionNeeded(f"{said}{nothing}", url=APP, request_id=request_id)
        case Fate.UNSURE:
            return answer.doubtful(f"{words} ({code})", not_now=True)
        case Fate.DIFFERS if answer.writes:
            return Conflict(f"{said}{nothing}", code=code, request_id=request_id)
        case Fate.REFUSED if answer.writes:
            return Rejected(f"{said}{nothing}", code=code, request_id=request_id)
        case _ if answer.status >= 500:
            return answer.doubtful(f"MyUnisoft est en panne ({code})", not_now=True)
        case None if answer.status in (401, 403):
            return Denied(
                f"{subject} : MyUnisoft refuse l'accès ({code}). Vérifiez la clé d'API.",
                request_id=request_id,
            )
        case None if answer.writes:
            return Rejected(
                f"{subject} : MyUnisoft refuse l'écriture ({code}).{nothing}",
                code=code,
                request_id=request_id,
            )
        case _:
            return answer.doubtful(f"MyUnisoft refuse la lecture ({code})")


def _check_status(answer: Answer, now: datetime) -> None:
    status = answer.status
    if status >= 500:
        raise answer.doubtful(f"MyUnisoft est en panne (HTTP {status})", not_now=True)
    if status in (401, 403):
        raise Denied(
            f"{answer.subject} : MyUnisoft refuse l'accès (HTTP {status}). "
            "Vérifiez la clé d'API, puis reconnectez MyUnisoft.",
            request_id=answer.request_id,
        )
    if status == 429:
        raise Transient(
            f"{answer.subject} : MyUnisoft demande d'attendre (HTTP 429).",
            retry_after=until(answer.reset, now),
            request_id=answer.request_id,
        )
    if not 200 <= status < 300:
        raise answer.doubtful(f"réponse inattendue de MyUnisoft (HTTP {status})")


def until(reset: str | None, now: datetime) -> timedelta | None:
    """Read `X-Rate-Limit-Reset`, seconds since 1970, as a wait; None where it is no such number."""
    try:
        seconds = Decimal((reset or "").strip())
    except InvalidOperation:
        return None
    if not seconds.is_finite() or not 0 < seconds < Decimal(10) ** 11:
        return None
    # counted in whole milliseconds: a reset is no money, yet needs no float either
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(seconds * 1000))
    return max(timedelta(0), at - now)


def _code(document: object) -> str | None:
    """Read `{"error": {"code"}}`; None where there is none, whatever else stands there."""
    code = wire.members(wire.members(document).get("error")).get("code")
    return code.strip()[:60] if isinstance(code, str) and code.strip() else None
