"""Read a FEC, whatever program wrote it, and report what it has against the rules.

The file's lines are kept in their order. A line that cannot be trusted is left out and named in
`Fec.unread`; everything else is read. Rules: LPF art. A47 A-1, and what the administration's
checker flags.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from stdnum.fr import siren as siren_key

from encaisse_einvoicing.fec import values
from encaisse_einvoicing.fec.columns import (
    AMOUNT,
    BLANK_IN_CASH,
    BY_NAME,
    CASH,
    COLUMNS,
    NAMES,
    SIDE,
    Column,
    plain_name,
)
from encaisse_einvoicing.fec.findings import Findings
from encaisse_einvoicing.fec.lines import ZERO, Fec, FecLine
from encaisse_einvoicing.issues import Refused, shortened

MOST_BYTES = 1 << 30
"""Larger files are split by the law's own rule (`_1`, `_2`)."""

LONGEST_HEADER = 10_000
"""Characters of the line that names the columns; the law's take two hundred."""

LONGEST_LINE = 1_000_000
"""Characters of one line of an entry: a longer one is named and not read."""

NAME = re.compile(
    r"(?P<siren>[0-9]{9})FEC(?P<day>[0-9]{8})(?:_[0-9]+)?\.(?:txt|csv)", re.IGNORECASE
)
HIGH = re.compile(rb"[\x80-\x9f]")
THREE_DIGITS = re.compile(r"[0-9]{3}")
ENDS = re.compile(r"\r\n|\n|\r")


def read_fec(data: bytes, name: str = "") -> Fec:
    """Read a file's bytes; `name` is its file name, which says whose it is and of which year.

    Raises `Refused` where it is no FEC: empty, of another encoding, without the law's columns.
    """
    findings = Findings()
    siren, closing = _named(name, findings)
    text, encoding = _decoded(data, name, findings)
    if len(text) > LONGEST_HEADER and not ENDS.search(text, 0, LONGEST_HEADER):
        raise _not_a_fec(name)
    records = ENDS.split(text)
    while records and not records[-1]:
        records.pop()
    if not records:
        raise Refused("fec_empty", "Le fichier est vide.", name)
    separator = _separator(records[0], name)
    columns = _columns(records[0].split(separator), name, findings)
    read = _Reading(columns, findings)
    lines: list[FecLine] = []
    unread: list[int] = []
    for number, record in enumerate(records[1:], start=2):
        line = read.line(number, record, separator) if record else None
        if not record:
            findings.add("empty_line", number)
        elif line is None:
            unread.append(number)
        else:
            lines.append(line)
    _judge(lines, closing, findings)
    return Fec(
        tuple(lines), tuple(findings.all()), tuple(unread), separator, encoding, siren, closing
    )


def _named(name: str, findings: Findings) -> tuple[str | None, date | None]:
    """Read the SIREN and the closing day in the file's name."""
    found = NAME.fullmatch(PurePath(name).name)
    closing = None if found is None else values.day(found["day"])[0]
    if found is None or closing is None:
        if name:
            findings.add("name", example=PurePath(name).name)
        return None, None
    if not siren_key.is_valid(found["siren"]):
        findings.add("name_siren", example=found["siren"])
        return None, closing
    return found["siren"], closing


def _decoded(data: bytes, name: str, findings: Findings) -> tuple[str, str]:
    if len(data) > MOST_BYTES:
        raise Refused("fec_too_large", "Le fichier dépasse 1 Gio : découpez-le (_1, _2).", name)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4096]:
        raise Refused(
            "fec_encoding",
            "Le fichier n'est pas un texte en UTF-8 ou en ISO 8859-15 : exportez le FEC de nouveau "
            "dans l'un des deux.",
            name,
        )
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        pass
    if HIGH.search(data):
        findings.add("encoding")
        return data.decode("cp1252", errors="replace"), "cp1252"
    return data.decode("iso8859-15"), "iso8859-15"


def _separator(header: str, name: str) -> str:
    for separator in ("\t", "|"):
        if header.count(separator) >= len(COLUMNS) - 1:
            return separator
    if header.count(";") >= len(COLUMNS) - 1 or header.count(",") >= len(COLUMNS) - 1:
        raise Refused(
            "fec_separator",
            "Les champs sont séparés par des points-virgules ou des virgules : un FEC les sépare "
            "par des tabulations ou des barres verticales. Exportez-le de nouveau.",
            name,
        )
    raise _not_a_fec(name)


def _not_a_fec(name: str) -> Refused:
    return Refused(
        "fec_columns",
        "Ce n'est pas un FEC : sa première ligne ne nomme pas les colonnes de la loi "
        "(JournalCode, JournalLib, EcritureNum…), séparées par des tabulations ou des barres "
        "verticales.",
        name,
    )


def _columns(header: Sequence[str], name: str, findings: Findings) -> list[Column | None]:
    """Tell which column each field belongs to; None for one the law does not know."""
    found = [BY_NAME.get(plain_name(each)) for each in header]
    names = [column.name for column in found if column is not None]
    expected = [*NAMES]
    if AMOUNT.name in names or SIDE.name in names:
        expected[11:13] = [AMOUNT.name, SIDE.name]
    missing = [each for each in expected if each not in names]
    if missing:
        raise Refused(
            "fec_columns",
            f"Ce n'est pas un FEC complet : il manque {', '.join(missing)}.",
            name,
        )
    twice = sorted({each for each in names if names.count(each) > 1})
    if twice:
        raise Refused("fec_columns", f"Colonne écrite deux fois : {', '.join(twice)}.", name)
    if names[: len(expected)] != expected or None in found[: len(expected)]:
        findings.add("order")
    others = [each for each, column in zip(header, found, strict=True) if column is None and each]
    if others:
        findings.add("extra_columns", example=", ".join(others))
    return found


class _Reading:
    """Read lines under one header."""

    def __init__(self, columns: Sequence[Column | None], findings: Findings) -> None:
        self._columns = columns
        self._findings = findings
        named = {column.name for column in columns if column is not None}
        self._cash = not named.isdisjoint(column.name for column in CASH)
        self._sided = SIDE.name in named

    def line(self, number: int, text: str, separator: str) -> FecLine | None:
        """Read one line; None, with a finding, where it cannot be trusted."""
        extra = text.count(separator) + 1 - len(self._columns)
        if len(text) > LONGEST_LINE:
            self._findings.add("field_count", number, f"{len(text)} caractères")
            return None
        if extra == 1 and text.endswith(separator):
            self._findings.add("trailing_separator", number)
        elif extra:
            self._findings.add("field_count", number, f"{extra + len(self._columns)} champs")
            return None
        record = text.split(separator)
        said: dict[str, Any] = {}
        for column, raw in zip(self._columns, record, strict=False):
            if column is not None:
                said[column.field] = self._value(column, raw.replace("\u00a0", " ").strip(), number)
        if self._sided:
            said["debit"], said["credit"] = _sides(said.pop("amount"), said.pop("side"))
        if said["debit"] is None or said["credit"] is None:
            return None
        return FecLine(line=number, **said)

    def _value(self, column: Column, raw: str, number: int) -> Any:
        if column.kind == "text":
            if not raw and column.required and not self._may_be_blank(column):
                self._findings.add("required", number, column.name)
            return raw
        if column.kind == "date":
            return self._day(column, raw, number)
        if column.kind == "side":
            way = values.side(raw)
            if way is None:
                self._findings.add("side_unreadable", number, shortened(raw))
            return way
        return self._amount(column, raw, number)

    def _may_be_blank(self, column: Column) -> bool:
        return self._cash and column.name in BLANK_IN_CASH

    def _day(self, column: Column, raw: str, number: int) -> date | None:
        if raw in values.NO_DAY:
            if column.required:
                self._findings.add("required", number, column.name)
            return None
        found, lawful = values.day(raw)
        if found is None:
            self._findings.add("date_unreadable", number, f"{column.name} : {shortened(raw)}")
        elif not lawful:
            self._findings.add("date_form", number, f"{column.name} : {raw}")
        return found

    def _amount(self, column: Column, raw: str, number: int) -> Decimal | None:
        if not raw:
            if column.required:
                self._findings.add("amount_blank", number, column.name)
            return ZERO if column.required else None
        found, lawful = values.amount(raw)
        if found is None:
            self._findings.add("amount_unreadable", number, f"{column.name} : {shortened(raw)}")
        elif not lawful:
            self._findings.add("amount_form", number, f"{column.name} : {shortened(raw)}")
        return found


def _sides(amount: Decimal | None, way: int | None) -> tuple[Decimal | None, Decimal | None]:
    """Put one amount on its side."""
    if amount is None or way is None:
        return None, None
    return (amount, ZERO) if way > 0 else (ZERO, amount)


def _judge(lines: Sequence[FecLine], closing: date | None, findings: Findings) -> None:
    """Find what only shows once the lines are read."""
    opening = None if closing is None else _year_before(closing)
    entries: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    first: dict[tuple[str, str], int] = {}
    for line in lines:
        if line.account and not THREE_DIGITS.match(line.account):
            findings.add("account", line.line, line.account)
        if line.debit and line.credit:
            findings.add("two_sides", line.line)
        elif not line.debit and not line.credit:
            findings.add("no_side", line.line)
        if closing and opening and line.day and not opening <= line.day <= closing:
            findings.add("date_outside", line.line, f"{line.day:%Y%m%d}")
        entry = (line.journal, line.number)
        first.setdefault(entry, line.line)
        entries[entry] += line.balance
    for entry, left in entries.items():
        if left:
            findings.add("unbalanced", first[entry], f"{entry[0]} {entry[1]} : {left}")


LONGEST_YEAR = 24
"""Months before its closing an exercice may begin: twelve as a rule, more for a first one."""


def _year_before(closing: date) -> date:
    """Give the earliest day an exercice closed on this day can have; no day is before year 1."""
    year, month = divmod(closing.year * 12 + closing.month - 1 - LONGEST_YEAR, 12)
    return date(year, month + 1, 1) if year > 0 else date.min
