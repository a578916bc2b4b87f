"""Look entries up by our own id, and conclude that one is absent only when nothing holds it.

`GET /mad/entry` takes an entry's id, an invoice number or a partner's id, and answers 404 where
none fits (MAD/api/entry.html); the body of that 404 is not documented. So two 404 in the vendor's
own form, validated and pending, are not enough: the customer lines of the exercices are listed too,
whose empty answer is complete, and none may carry our id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from encaisse_api import wire
from encaisse_api.answers import why
from encaisse_api.errors import Conflict, Drift
from encaisse_myunisoft import booking
from encaisse_myunisoft.answers import NotFound
from encaisse_myunisoft.client import MAD, MyUnisoftClient
from encaisse_myunisoft.ledger import Ledger
from encaisse_myunisoft.mapping import Books
from encaisse_myunisoft.rows import EntryRow


@dataclass(frozen=True, slots=True)
class Found:
    """Hold an entry that stands there, and whether it still waits for an accountant."""

    entry: EntryRow
    draft: bool


@dataclass(frozen=True, slots=True)
class Entries:
    """Look entries up in one dossier."""

    client: MyUnisoftClient
    ledger: Ledger

    def by_partner_id(self, partner_id: str, subject: str) -> Found | None:
        """Find our entry among the validated ones, then among the drafts.

        A draft may be validated between the two looks, so the validated ones are asked again.
        """
        for draft in (False, True, False):
            entry = self._entry(partner_id, subject, draft=draft)
            if entry is None:
                continue
            if booking.partner_id(entry) != partner_id:
                raise Drift(
                    f"{subject} : MyUnisoft a répondu par l'écriture {entry.producer_id}, qui ne "
                    f"porte pas notre référence {partner_id}.",
                    raw=entry.model_dump_json(by_alias=True),
                )
            return Found(entry, draft)
        return None

    def by_id(self, entry_id: str, subject: str) -> EntryRow | None:
        """Find a validated entry by the vendor's own id."""
        entry = self._entry(entry_id, subject, draft=False)
        if entry is not None and entry.producer_id != entry_id:
            raise Drift(
                f"{subject} : MyUnisoft a répondu par l'écriture {entry.producer_id} au lieu de "
                f"{entry_id}.",
                raw=entry.model_dump_json(by_alias=True),
            )
        return entry

    def prove_absent(self, partner_id: str, subject: str, roots: Sequence[str]) -> str:
        """Search the customer lines for our id; give where was searched, raise when it is there."""
        books = self.ledger.books(roots)
        refuse_doubts(books, subject)
        held = _holders(books, partner_id)
        if held:
            raise Conflict(
                f"{subject} : la recherche de {partner_id} ne donne rien, et l'écriture {held[0]} "
                "de MyUnisoft le porte pourtant ; vérifiez-la avant tout nouvel essai.",
                code="not_listed",
            )
        searched = ", ".join(str(e.start.year) for e in self.ledger.current())
        return (
            f"écritures validées et en attente, référence {partner_id}, et lignes "
            f"{', '.join(roots)} des exercices {searched}"
        )

    def refuse_doubles(self, partner_id: str, subject: str, roots: Sequence[str]) -> None:
        """Raise when several entries carry our id, which the search by id does not tell."""
        held = _holders(self.ledger.books(roots), partner_id)
        if len(held) > 1:
            raise Conflict(
                f"{subject} : inscrit {len(held)} fois dans MyUnisoft sous la référence "
                f"{partner_id} (écritures {', '.join(held)}). Faites annuler celles en trop.",
                code="double",
            )

    def _entry(self, wanted: str, subject: str, *, draft: bool) -> EntryRow | None:
        params = {**MAD, "id": wanted, **({"draft": "true"} if draft else {})}
        try:
            answer = self.client.get("/mad/entry", subject=subject, params=params)
        except NotFound:
            return None
        try:
            return EntryRow.model_validate(answer)
        except ValidationError as error:
            raise Drift(
                f"{subject} : écriture illisible ({why(error)}). La réponse est conservée.",
                raw=wire.write(answer),
            ) from None


def _holders(books: Books, partner_id: str) -> list[str]:
    return sorted({line.entry for line in books.lines if line.partner_id == partner_id})


def refuse_doubts(books: Books, subject: str) -> None:
    """Raise when the lines that were read may not be all of them."""
    whys: Iterable[str] = (*books.doubts.values(), *(one.reason for one in books.spoilt))
    for one in whys:
        raise Drift(f"{subject} : la recherche n'est pas concluante ({one}).")
