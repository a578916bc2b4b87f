"""Say what a kind of effect must know: how it is found, sent and recorded, or why not now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import BaseModel
from sqlalchemy import Connection

from encaisse_api import Conflict, Money, OutcomeUnknown, Receipt, Rejected
from encaisse_core.cents import euros
from encaisse_core.host import Host, Link
from encaisse_core.journal import Entry
from encaisse_core.outbox import Effect


class NotNow(Exception):
    """Say that an effect must wait: its facts are stale, changed, or not ready."""

    def __init__(self, reason: str, retry_in: timedelta = timedelta(hours=6)) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_in = retry_in


NOTHING_TO_TELL = "Il n'y a plus rien à annoncer : ce paiement ne tient plus, ou tout est clos."
"""Why a stop is not sent; what it tells of may come up again, and is then planned again."""

ANSWER_AWAITED = "Une question sur ce paiement attend sa réponse."


class Waits(NotNow):
    """Say that an effect waits for something else, however long: that is no attempt that failed.

    Raised where it is ready, after the look-up: it does not stand at its partner. `soon` tells that
    another effect of the same drain may end the wait; `asked` names the claim whose question is to
    be answered first.
    """

    def __init__(
        self,
        reason: str,
        retry_in: timedelta = timedelta(hours=6),
        *,
        soon: bool = False,
        asked: str | None = None,
    ) -> None:
        super().__init__(reason, retry_in)
        self.soon = soon
        self.asked = asked


class Never(Exception):
    """Say that an effect has no object any more: the facts it rested on are gone."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Kind:
    """Say how one kind of effect is found, sent and recorded.

    `build` gives what the partner is told: the first value goes to the look-up, all of them to the
    send. `ready` is asked between the look-up and the send, where an effect that stands there
    already no longer needs anybody's leave. Both may raise `NotNow` or `Never`. `look` does the
    reads that follow a success, outside of any transaction. `landed` records the success in the
    transaction that closes the effect, behind the events it `says`; `failed` records a refusal.
    """

    send: str
    find: str
    answers: ClassVar[type] = Receipt
    """What the look-up and the send give when the write stands there."""

    reads_back: ClassVar[bool] = False
    """Whether `look` gives something unless the partner could not be read."""

    yields: ClassVar[bool] = False
    """Whether what a person did there instead is as good: a conflict then asks nobody."""

    def outdated(self, host: Host, link: Link, effect: Effect) -> str | None:
        """Say why what stands there instead is not as good after all; None where it is."""
        return None

    def amount(self, effect: Effect) -> Money | None:
        """Tell what the receipt must confirm, None where no money is written."""
        return None

    def build(self, host: Host, link: Link, effect: Effect) -> tuple[BaseModel, ...]:
        """Make what the partner is told."""
        raise NotImplementedError

    def whole(self, effect: Effect, answer: Any) -> Any:
        """Take only an answer that says all of what was asked stands there.

        A write the partner took in and then refused never landed; one of another amount is somebody
        else's, or half of ours: a person looks.
        """
        if not isinstance(answer, self.answers):
            raise OutcomeUnknown(f"Le partenaire n'a pas rendu de reçu ({type(answer).__name__}).")
        if not isinstance(answer, Receipt):
            return answer
        if answer.state == "rejected":
            raise Rejected("Le partenaire a reçu l'envoi, puis l'a refusé.")
        asked = self.amount(effect)
        if asked is not None and answer.amount not in (asked, -asked):
            raise Conflict(
                f"Le partenaire confirme {_told(answer.amount)} au lieu de {_told(asked)}."
            )
        return answer

    def otherwise(self, host: Host, link: Link, effect: Effect) -> Receipt | None:
        """Find what was sent before a restored backup under a name nobody knows any more."""
        return None

    def ready(
        self, host: Host, link: Link, effect: Effect, told: BaseModel
    ) -> Mapping[str, Any] | None:
        """Check what must still hold at the moment of sending; `told` is what was built first.

        Gives the payload that is sent instead where the facts say something else by now.
        """
        return None

    def look(self, host: Host, link: Link, partner: Any, effect: Effect) -> Any:
        """Read what the write changed there."""

    def landed(
        self, host: Host, tx: Connection, link: Link, effect: Effect, receipt: Any, seen: Any
    ) -> None:
        """Record the success."""

    def says(self, host: Host, effect: Effect) -> Sequence[Entry]:
        """Give the events a success adds to its own, right behind it."""
        return ()

    def failed(self, host: Host, tx: Connection, link: Link, effect: Effect) -> None:
        """Record the refusal."""


def _told(money: Money | None) -> str:
    return "aucun montant" if money is None else f"{euros(money.minor)} {money.currency}"
