"""Say which lines to letter together, and how they stand. Pure.

`GET /account/next_lettering`, then `PUT /entry/lettering` (accounting/folder/account/lettering).
What the vendor does when lines join a group that is already partly lettered is not documented: the
whole group is always named, so that the answer does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from encaisse_api import wire
from encaisse_api.errors import Conflict, Drift, OutcomeUnknown, Rejected, Transient
from encaisse_api.writing import LetteringEntry, Receipt
from encaisse_myunisoft import booking, refs, spelling
from encaisse_myunisoft.exercices import Exercice
from encaisse_myunisoft.lines import Line
from encaisse_myunisoft.mapping import Books, every_claim

CARRIED_OVER = timedelta(days=7)
"""How long to wait before looking again whether a year was closed: that takes months."""


@dataclass(frozen=True, slots=True)
class Lettered:
    """Hold the lines asked for, and every line that shares a group with one of them."""

    subject: str
    account: str
    asked: tuple[Line, ...]
    group: tuple[Line, ...]

    @property
    def account_id(self) -> str:
        """Give the vendor's id of the account."""
        return self.asked[0].account_id

    @property
    def partial(self) -> bool:
        """Tell whether the lines leave a rest."""
        return sum((line.signed for line in self.group), Decimal(0)) != 0

    def wait_for_carrying(self, years: Sequence[Exercice]) -> None:
        """Raise where lines of two years are to meet before the older one is carried over.

        In MONO a year letters within itself: the older lines come into the new one as à-nouveaux,
        which are final once their year is closed.
        """
        if len({line.exercice for line in self.group}) > 1 and not any(y.multi for y in years):
            raise Transient(
                f"{self.subject} : ses lignes sont de deux exercices ; elles se lettrent quand "
                "l'exercice précédent est clôturé.",
                retry_after=CARRIED_OVER,
            )

    def receipt(self) -> Receipt | None:
        """Prove that they stand together; None when they are free.

        Raises `Conflict` when some of them are lettered with others.
        """
        letters = {line.letters for line in self.asked}
        done = [line for line in self.asked if line.state == "complete"]
        if len(letters) == 1 and (done or self.asked[0].state == "partial"):
            return Receipt(remote_id=f"{self.account}:{letters.pop()}")
        if done:
            raise Conflict(
                f"{self.subject} : {len(done)} des {len(self.asked)} lignes sont déjà lettrées "
                f"autrement dans MyUnisoft ({', '.join(sorted(x.letters for x in done))}) ; "
                "laissez faire le comptable.",
                code="lettered",
            )
        return None

    def body(self, letters: str) -> dict[str, object]:
        """Write the request."""
        return {
            "lettering": letters,
            "line_entry_list": [
                {"line_entry_id": int(line.id)}
                for line in sorted(self.group, key=lambda line: int(line.id))
            ],
        }


def subject_of(lettering: LetteringEntry) -> str:
    """Name a lettering in a message."""
    return f"Lettrage du compte {lettering.account}"


def chosen(lettering: LetteringEntry, books: Books) -> Lettered:
    """Find the lines each reference names: an invoice, an entry of ours, or a line."""
    subject = subject_of(lettering)
    lines = [line for line in books.lines if line.account == lettering.account]
    asked: dict[str, Line] = {}
    for ref in lettering.line_refs:
        found = _named(ref, lines, books)
        if not found:
            raise Drift(f"{subject} : « {ref} » n'y est pas, rien ne peut en être dit.")
        if any(line.draft for line in found):
            raise Rejected(
                f"{subject} : l'écriture {ref} attend sa validation par le comptable ; elle se "
                "lettre ensuite.",
                code="draft",
            )
        asked.update({line.id: line for line in found})
    groups = {line.group for line in asked.values() if line.state == "partial"}
    group = {line.id: line for line in lines if line.id in asked or line.group in groups}
    return Lettered(subject, lettering.account, tuple(asked.values()), tuple(group.values()))


def _named(ref: str, lines: Sequence[Line], books: Books) -> list[Line]:
    if ref.startswith(booking.PREFIX):
        return [line for line in lines if line.partner_id == ref]
    parsed = refs.parse(ref)
    if parsed is not None and parsed.line:
        return [line for line in lines if parsed.line in (line.id, line.origin)]
    current = {line.id for line in lines}
    return [
        bill.line
        for claim in every_claim(books)
        if str(claim.ref) == ref
        for bill in claim.bills
        if bill.line.id in current
    ]


def next_letters(answer: object, subject: str) -> str:
    """Read the next free letters; a partial one may come with its star or without it.

    Which of the two is not documented, so it is handed back as it came.
    """
    said = wire.members(answer)
    try:
        return spelling.name(said.get("next_lettering"))
    except ValueError:
        raise Drift(f"{subject} : MyUnisoft ne donne pas de lettre libre.") from None


def check_done(answer: object, subject: str) -> None:
    """Read the reply to a lettering; anything but its one documented word is a doubt."""
    said = wire.members(answer)
    if said.get("code") != "Success":
        raise OutcomeUnknown(
            f"{subject} : réponse de MyUnisoft inattendue ; le lettrage sera recherché avant toute "
            "nouvelle tentative."
        )
