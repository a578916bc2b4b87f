"""Say which of the differences between tools a connector meets, as data beside its manifest.

Every way known so far by which two tools tell the same invoice differently stands in
`DIFFERENCES`. A connector says of each: it *reads* it, it *refuses* it (the row is set aside, never
guessed), or the difference cannot arise there, and why. The kit
(`encaisse_api.conformance.kit.NormaliserKit`) proves what is said, and the page of capabilities is
written from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import Field, model_validator

from encaisse_api.base import Frozen

DIFFERENCES: dict[str, str] = {
    "money.text": 'decimal text, "1234.56"',
    "money.number": "JSON number with a fraction, 1234.56",
    "money.whole": "JSON whole number of the main unit, 1500 for 1500.00",
    "money.cents": "whole number of the smallest coin, 123456",
    "money.object": 'in an object, {"amount": "1234.56", "currency": "EUR"}',
    "money.padded": 'padded text, " 1234.56 "',
    "money.comma": 'decimal comma, "1234,56"',
    "money.grouped": 'thousands apart by a blank, "1 234,56"',
    "money.nbsp": "thousands apart by a no-break space",
    "money.nnbsp": "thousands apart by a narrow no-break space",
    "date.iso": "2026-03-31",
    "date.compact": "20260331",
    "date.local": "ISO with a time and no zone",
    "date.instant": "ISO with its zone",
    "date.d/m/y": "31/03/2026",
    "date.d/m/yy": "31/03/26",
    "date.seconds": "seconds since 1970",
    "date.milliseconds": "milliseconds since 1970",
    "date.object": 'in an object, {"date": "2026-03-31"}',
    "date.padded": "padded text",
    "empty.absent": "the field is not there",
    "empty.null": "null",
    "empty.text": '""',
    "empty.false": "false",
    "empty.00/00/00": '"00/00/00"',
    "empty.0000-00-00": '"0000-00-00"',
    "paging.range": "by first and last row",
    "paging.offset": "by the number of rows to skip",
    "paging.page": "by page number",
    "paging.cursor": "by an opaque mark",
    "error.status": "an error is told by the HTTP status",
    "error.body": "an error is told in the body, under HTTP 200 too",
    "due.line": "the due date stands on the line",
    "due.invoice": "the due date stands on the invoice",
    "due.absent": "there may be no due date",
    "debtor.row": "the debtor stands in the row",
    "debtor.call": "the debtor takes a second call",
    "id.kept": "an invoice keeps the tool's id, which is its ref",
    "id.changing": "the tool's ids change, and the ref is none of them",
}
"""Each difference and how it looks. The part before the point is its family."""

VALUES = ("money", "date", "empty")
"""Families of how one value is written: what is not read is refused."""


def family(difference: str) -> str:
    """Name the family of a difference."""
    return difference.partition(".")[0]


class Dialect(Frozen):
    """Declare every difference once: read, refused, or spared with the reason.

    `spares` may name a whole family: its reason then goes for each member not named elsewhere. One
    may be refused only where it is how a value is written.
    """

    reads: frozenset[str]
    refuses: frozenset[str] = frozenset()
    spares: Mapping[str, str] = Field(default_factory=dict[str, str])

    def reason(self, difference: str) -> str | None:
        """Say why a difference cannot arise; None where it is read or refused."""
        if difference in self.reads | self.refuses:
            return None
        return self.spares.get(difference, self.spares.get(family(difference)))

    @model_validator(mode="after")
    def _covers(self) -> Dialect:
        named = [*self.reads, *self.refuses, *self.spares]
        families = {family(one) for one in DIFFERENCES}
        known = {*DIFFERENCES, *families}
        _none("no difference is called", (one for one in named if one not in known))
        _none("declared twice", (one for one in DIFFERENCES if named.count(one) > 1))
        _none("not declared", (one for one in DIFFERENCES if self._silent_on(one)))
        _none("only a value can be refused", (o for o in self.refuses if family(o) not in VALUES))
        silent = (one for one, why in self.spares.items() if not why.strip())
        _none("spared without a reason", silent)
        return self

    def _silent_on(self, difference: str) -> bool:
        return difference not in self.reads | self.refuses and self.reason(difference) is None


def _none(what: str, found: Iterable[str]) -> None:
    if names := sorted(found):
        raise ValueError(f"{what}: {', '.join(names)}")
