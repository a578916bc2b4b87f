"""Hold what the page of an invoice says: French words ready to print, nothing left to work out.

The template only places these texts, and takes them as data: nothing an invoice says is ever
typst source.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

Pair = tuple[str, str]
"""A label and what stands beside it."""

BLANK: Final = "\u25a1"
"""A white square, printed for a character that none of the fonts has."""
_CONTROLS: Final = {code: BLANK for code in range(0x20) if code != 0x0A} | {0x09: " "}
_INVISIBLE: Final = dict.fromkeys(
    [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C]
)
"""Marks that turn the reading direction: a name that holds one could show an amount backwards."""


@dataclass(frozen=True, slots=True)
class PartyBox:
    """Be one party or place: a heading, a name, lines of address, facts below."""

    label: str
    name: str
    lines: tuple[str, ...] = ()
    facts: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """Be one line of the invoice."""

    id: str
    name: str
    details: tuple[str, ...]
    quantity: str
    price: str
    vat: str
    total: str


@dataclass(frozen=True, slots=True)
class VatRow:
    """Be one line of the VAT table."""

    name: str
    taxable: str
    tax: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """Be the whole page; empty texts and tuples are not printed."""

    title: str
    number: str
    author: str
    facts: tuple[Pair, ...]
    seller: PartyBox
    parties: tuple[PartyBox, ...]
    references: tuple[Pair, ...]
    preceding: tuple[str, ...]
    rows: tuple[Row, ...]
    adjustments: tuple[Pair, ...]
    vat: tuple[VatRow, ...]
    exemptions: tuple[str, ...]
    totals: tuple[Pair, ...]
    due: Pair
    due_by: Pair
    instalments: tuple[Pair, ...]
    payment: tuple[tuple[Pair, ...], ...]
    terms: str
    notes: tuple[Pair, ...]
    attachments: tuple[str, ...]
    footer: str


def clean(text: str | None) -> str:
    """Make a text printable: one kind of line break, no mark that turns the direction."""
    if text is None:
        return ""
    one = text.replace("\r\n", "\n").replace("\r", "\n")
    return one.translate(_INVISIBLE).translate(_CONTROLS).strip()


def pairs(*found: tuple[str, str | None]) -> tuple[Pair, ...]:
    """Keep the pairs that say something."""
    return tuple((label, text) for label, raw in found if (text := clean(raw)))


def as_json(sheet: Sheet) -> str:
    """Write a sheet as the template reads it; every text is cleaned here, whatever it came from."""
    return json.dumps(_cleaned(asdict(sheet)), ensure_ascii=False)


def _cleaned(value: Any) -> Any:
    """Clean the texts of plain data, at any depth."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        named = cast("dict[str, Any]", value)
        return {name: _cleaned(each) for name, each in named.items()}
    return [_cleaned(each) for each in cast("tuple[Any, ...]", value)]
