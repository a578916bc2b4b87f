"""Name the columns of a FEC, in the order the law gives them.

LPF art. A47 A-1, VII 1° and 2° (18 columns), VIII 3° to 8° (cash accounting: 21 for farms, 22 for
liberal professions). A table instead of branches: reader, rules and writer all go by it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "date", "amount", "side"]


@dataclass(frozen=True, slots=True)
class Column:
    """Describe one column: its name in the file, the field of `FecLine`, what stands in it."""

    name: str
    field: str
    kind: Kind = "text"
    required: bool = True


COLUMNS = (
    Column("JournalCode", "journal"),
    Column("JournalLib", "journal_name"),
    Column("EcritureNum", "number"),
    Column("EcritureDate", "day", "date"),
    Column("CompteNum", "account"),
    Column("CompteLib", "account_name"),
    Column("CompAuxNum", "auxiliary", required=False),
    Column("CompAuxLib", "auxiliary_name", required=False),
    Column("PieceRef", "piece"),
    Column("PieceDate", "piece_day", "date"),
    Column("EcritureLib", "label"),
    Column("Debit", "debit", "amount"),
    Column("Credit", "credit", "amount"),
    Column("EcritureLet", "letter", required=False),
    Column("DateLet", "letter_day", "date", required=False),
    Column("ValidDate", "validated", "date"),
    Column("Montantdevise", "foreign_amount", "amount", required=False),
    Column("Idevise", "currency", required=False),
)

NAMES = tuple(column.name for column in COLUMNS)

AMOUNT = Column("Montant", "amount", "amount")
SIDE = Column("Sens", "side", "side")
"""The variant of columns 12 and 13: one amount, and the side it stands on."""

CASH = (
    Column("DateRglt", "paid_on", "date", required=False),
    Column("ModeRglt", "paid_by", required=False),
    Column("NatOp", "nature", required=False),
    Column("IdClient", "client", required=False),
)
"""Columns 19 to 21 of cash accounting (farms), and 22 (liberal professions)."""

BLANK_IN_CASH = frozenset({"JournalCode", "JournalLib", "CompteNum"})
"""Columns that cash accounting may leave blank."""


def plain_name(name: str) -> str:
    """Compare a header as the administration's checker does: no case, accent or blank counts."""
    decomposed = unicodedata.normalize("NFKD", name.replace("\u00a0", " "))
    return "".join(c for c in decomposed if c.isalnum()).casefold()


BY_NAME = {plain_name(c.name): c for c in (*COLUMNS, AMOUNT, SIDE, *CASH)}
