"""Écritures and their lines."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from encaisse_simulator.ledger import Via
from encaisse_simulator.myunisoft.plan import Account, Journal, PaymentType

SOURCES: frozenset[str] = frozenset(
    {
        *("E", "M", "O", "EXT", "L", "IB", "P", "AN", "OD_TVA", "OD_CALC_IS", "OD_ECART"),
        *("REM_BQ", "RB_MANUEL", "RB_JDC", "RB_QT", "RB_SB", "RB_FTP", "WORKSHEET", "QUADRA"),
        *("CEGID", "ACD", "FEC", "EXCEL", "RTVR", "QUICK", "ABO", "PRLV_SEPA", "VIRT_SEPA"),
        "API",
    }
)
"""Where an entry comes from [D]: E typed, AN à-nouveau, IB bank feed, API a partner…"""


@dataclass(frozen=True, slots=True)
class Document:
    """Keep one file of the GED; whoever holds the link may read it [S]."""

    key: str
    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Origin:
    """Say who made an entry, and under which id of theirs."""

    source: str = "E"
    third_party: tuple[str, str] | None = None
    partner_id: str | None = None
    json: str | None = None
    via: Via = "user"


@dataclass(slots=True, eq=False)
class Line:
    """Keep one line, in cents; `number` is "Pièce 2", the invoice's, `piece` is "Pièce 1"."""

    id: int
    account: Account
    label: str
    debit: int
    credit: int
    due: date | None = None
    piece: str = ""
    number: str = ""
    payment_type: PaymentType | None = None
    lettering: str | None = None
    documents: tuple[Document, ...] = ()
    told: tuple[object, bytes] | None = field(default=None, repr=False)
    """The line as it was last written, and what it was written of."""

    @property
    def signed(self) -> int:
        """Give debit less credit."""
        return self.debit - self.credit

    @property
    def state(self) -> str:
        """Name the lettering state as MAD does [D]."""
        if self.lettering is None:
            return "none"
        return "partial" if self.lettering.startswith("*") else "complete"


@dataclass(slots=True, eq=False)
class Entry:
    """Keep one balanced entry."""

    id: int
    journal: Journal
    day: date
    lines: list[Line]
    created_at: datetime
    accounted_on: date | None
    origin: Origin = Origin()
    comment: str | None = None
    documents: list[Document] = field(default_factory=list[Document])

    @property
    def is_carried(self) -> bool:
        """Tell whether these are à-nouveaux."""
        return self.journal.type == "AN"


def plain(number: str) -> str:
    """Reduce an invoice number to what the import takes: letters and digits, without case."""
    return re.sub(r"[^A-Za-z0-9]", "", number).upper()


def total(lines: Iterable[Line]) -> int:
    """Add lines up, debit less credit."""
    return sum(line.signed for line in lines)
