"""What every role of the connector stands on: the requests, the creditor, one way to look up."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import TypeVar

from pydantic import JsonValue, ValidationError

from encaisse_api import Absent, Conflict, Context, Denied, Drift, Rejected
from encaisse_gcollect.client import Answer, GCollectApi
from encaisse_gcollect.wire import CreditorRow, Me, Referenced

Standing = TypeVar("Standing", bound=Referenced)


class Bound:
    """Hold one unit of work's context; nothing is kept between two."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._api = GCollectApi(context.http)

    @property
    def _account(self) -> str | None:
        """Name the creditor chosen for this connection, None where the access opens one only."""
        return self._context.account or self._context.settings.get("creditor_id") or None

    def _me(self) -> Me:
        return self._api.read("/me", subject="l'accès").read(Me)

    def _creditor(self, me: Me) -> CreditorRow:
        """Choose the creditor; `Rejected` where several stand open and none was chosen."""
        if self._account is None:
            if len(me.creditors) == 1:
                return me.creditors[0]
            raise Rejected(
                f"GCollect : cet accès ouvre {len(me.creditors)} créanciers. Choisissez celui de "
                "l'entreprise dans le réglage « Identifiant du créancier »."
            )
        for creditor in me.creditors:
            if creditor.id == self._account:
                return creditor
        raise Denied(
            f"GCollect : cet accès n'ouvre plus le créancier {self._account}. Reconnectez GCollect "
            "ou choisissez un autre créancier."
        )

    def _creditor_id(self) -> str:
        """Name the creditor whose rows are ours, asking them when nobody chose."""
        return self._account or self._creditor(self._me()).id

    def _filed(
        self, path: str, key: str, shape: type[Standing], *, subject: str
    ) -> tuple[Standing, ...]:
        """List everything filed under a key, completely, or raise.

        A row under another key means that the filter is not applied; then the list is not the
        answer to our question, whatever it holds.
        """
        found: list[Standing] = []
        with looking_up():
            for page in self._api.pages(path, {"external_reference": key}, subject=subject):
                found += [_filed_row(row, key, shape, subject) for row in page.items]
        return tuple(found)

    def _one(
        self, path: str, key: str, shape: type[Standing], *, subject: str
    ) -> Standing | Absent:
        """Find the one thing filed under a key."""
        found = self._filed(path, key, shape, subject=subject)
        if len(found) > 1:
            raise Conflict(
                f"GCollect, {subject} : {len(found)} éléments portent la clé {key}. Une personne "
                "doit dire lequel garder ; rien n'est envoyé.",
                code="duplicate",
            )
        return found[0] if found else self._absent(path, key)

    def _absent(self, path: str, key: str) -> Absent:
        return Absent(
            searched=f"GET /v1{path}?external_reference={key}, liste complète",
            at=self._context.now,
        )

    def _differs(self, key: str, subject: str) -> Conflict:
        return Conflict(
            f"GCollect, {subject} : la clé {key} y désigne un autre contenu que le nôtre. Comparez "
            "avec votre espace GCollect ; rien n'est envoyé.",
            code="other_content",
        )


@contextmanager
def looking_up() -> Generator[None]:
    """Keep a refusal of the search from passing for a refusal of the effect.

    `Rejected` would end the effect although it may stand there; a search that is refused says
    nothing about that, so it is doubt.
    """
    try:
        yield
    except Rejected as refused:
        raise Drift(
            f"{refused.message} C'est la recherche qui est refusée : rien n'en est conclu.",
            request_id=refused.request_id,
        ) from refused


def _filed_row(row: JsonValue, key: str, shape: type[Standing], subject: str) -> Standing:
    try:
        read = shape.model_validate(row)
    except ValidationError as error:
        raise Drift(
            f"GCollect, {subject} : une ligne trouvée sous la clé {key} est illisible. "
            "Une personne doit la lire avant tout nouvel envoi.",
            raw=str(row),
        ) from error
    if read.external_reference != key:
        raise Drift(
            f"GCollect, {subject} : la recherche de la clé {key} rend une autre "
            "référence ; son filtre n'est pas appliqué. Rien n'en est conclu.",
            raw=str(row),
        )
    return read


def confirmed(answer: Answer, row: Referenced, key: str, *, same: bool) -> None:
    """Require that the reply to a write speaks of what was asked; else the outcome is unknown."""
    if row.external_reference != key or not same:
        answer.doubt("la réponse parle d'autre chose que de la demande")


def named(numbers: Iterable[str]) -> str:
    """Name invoices in a sentence, the first five and how many more."""
    listed = sorted(numbers)
    shown = ", ".join(listed[:5])
    more = f" et {len(listed) - 5} autres" if len(listed) > 5 else ""
    return f"{'factures' if len(listed) > 1 else 'facture'} {shown}{more}"
