"""One line of a customer account, read from a movement. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, TypeAlias

from pydantic import ValidationError

from encaisse_api import wire
from encaisse_api.answers import why
from encaisse_api.remembered import Remembered
from encaisse_myunisoft import booking, spelling
from encaisse_myunisoft.exercices import Exercice
from encaisse_myunisoft.rows import EntryExtra, MovementRow

JournalKind: TypeAlias = Literal["sale", "opening", "bank", "cash", "exceptional", "other"]
JOURNALS: Mapping[str, JournalKind] = {
    "vente": "sale",
    "ventes": "sale",
    "vte": "sale",
    "a nouveau": "opening",
    "a nouveaux": "opening",
    "an": "opening",
    "banque": "bank",
    "bq": "bank",
    "caisse": "cash",
    "od exc": "exceptional",
    "od exceptionnelle": "exceptional",
    "od exceptionnelles": "exceptional",
    "od extra comptable": "exceptional",
}
"""Types of journals as MAD spells them and as the historic table does; any other one is `other`."""


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one line of a customer account.

    `signed` is debit minus credit. `face` is the amount of the line it was carried over from, where
    less than that was carried. `origin` and `issued` are the id and the date of that line, or its
    own. `letters` is the lettering as it stands there, `group` the same made unique: in MONO the
    letters of two years have nothing to do with each other. `target` is the invoice an entry of
    ours was written for.
    """

    id: str
    entry: str
    exercice: str
    account: str
    account_id: str
    account_name: str
    number: str
    signed: Decimal
    face: Decimal
    state: Literal["none", "partial", "complete"]
    letters: str
    group: str
    issued: date
    due: date | None
    journal: JournalKind
    opening: bool
    label: str
    currency: str
    partner_id: str
    target: str
    tool: str
    documents: tuple[str, ...]
    origin: str
    draft: bool = False

    @property
    def live(self) -> bool:
        """Tell whether something of this line is still owed or unallocated."""
        return self.state != "complete"

    @property
    def ours(self) -> bool:
        """Tell whether an entry of ours made it."""
        return self.partner_id.startswith(booking.PREFIX)

    @property
    def bills(self) -> bool:
        """Tell whether the line claims money: a debit of a sale, or one carried over."""
        return self.signed > 0 and self.journal in ("sale", "opening")


@dataclass(frozen=True, slots=True)
class Spoilt:
    """Keep a row that is no line, raw, with what it still says of itself."""

    raw: str
    reason: str
    account: str = ""
    number: str = ""


LINES: Remembered[Line] = Remembered(8192)
"""About a kilobyte each: the customer lines of a dossier with some thousands of invoices."""


def read(raw: object, exercice: Exercice, *, draft: bool = False) -> Line | Spoilt:
    """Read one movement, or keep it aside with the fields at fault.

    Books only grow, and all of their lines are read every night: what a line was read as is
    remembered, by all that was read of it.
    """
    key = LINES.key(raw, exercice.id, exercice.multi, draft)
    if (known := LINES.get(key)) is not None:
        return known
    try:
        row = MovementRow.model_validate(raw)
    except ValidationError as error:
        return _spoilt(raw, why(error))
    line = of(row, exercice, draft=draft)
    LINES.keep(key, line)
    return line


def of(row: MovementRow, exercice: Exercice, *, draft: bool = False) -> Line:
    """Make a line of a movement."""
    extra = row.entry.additional_producer_properties or EntryExtra()
    source, partner = extra.source, extra.partner_metadata
    kind = journal_kind(row.entry.journal.type)
    signed = row.value.debit - row.value.credit
    tool = source.third_party.name if source is not None and source.third_party else ""
    return Line(
        id=row.producer_id,
        entry=row.entry.producer_id,
        exercice=exercice.id,
        account=row.account.number,
        account_id=row.account.producer_id,
        account_name=row.account.name,
        number=number(row, kind),
        signed=signed,
        face=signed,
        state=row.lettering.state,
        letters=row.lettering.value,
        group=_group(row.lettering.value, exercice),
        issued=row.entry.date,
        due=row.due_date or row.entry.due_date,
        journal=kind,
        opening=kind == "opening",
        label=row.description,
        currency=(row.entry.currency.code if row.entry.currency else "") or "EUR",
        partner_id=partner.partner_id if partner is not None else "",
        target=booking.target(partner.json_text if partner is not None else None),
        tool=tool,
        documents=documents(row),
        origin=row.producer_id,
        draft=draft,
    )


def _group(letters: str, exercice: Exercice) -> str:
    if not letters:
        return ""
    return letters if exercice.multi else f"{exercice.id}:{letters}"


def number(row: MovementRow, kind: JournalKind) -> str:
    """Give the invoice's number: « Pièce 2 », else for a sale « Pièce 1 » (a pairing inferred).

    On a payment « Pièce 1 » is the number of the cheque or transfer, which names no invoice.
    """
    if row.invoice_number or kind not in ("sale", "opening"):
        return row.invoice_number
    return row.free_number


def documents(row: MovementRow) -> tuple[str, ...]:
    """Name the files of the entry, else of the line, in a stable order."""
    return tuple(sorted(row.entry.attachments or row.attachments))


def journal_kind(word: str) -> JournalKind:
    """Tell what a journal is for by its type, in either of the vendor's spellings."""
    return JOURNALS.get(spelling.plain(word), "other")


def _spoilt(raw: object, reason: str) -> Spoilt:
    """Keep a raw row with what can still be read of it."""
    known = wire.members(raw)
    named = wire.members(known.get("account")).get("number")
    return Spoilt(wire.write(raw), reason, _text(named), _text(known.get("invoiceNumber")))


def _text(value: object) -> str:
    return value.strip()[:200] if isinstance(value, str) else ""
