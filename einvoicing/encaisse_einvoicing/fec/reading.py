"""Read a FEC, whatever program wrote it, and report what it has against the rules.

The file's lines are kept in their order. A line that cannot be trusted is left out and named in
`Fec.unread`; everything else is read. Rules: LPF art. A47 A-1, and what the administration's
checker flags.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import PurePath
from typing import IO, Any

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
from encaisse_einvoicing.fec.judging import Judge
from encaisse_einvoicing.fec.lines import ZERO, Fec, FecLine
from encaisse_einvoicing.fec.records import encoding_of, records, starts_with_a_line
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
MOST_SHARED = 20_000
"""Distinct texts, and days, of which one copy is held for the lines that repeat them."""

SHARED = frozenset(
    {
        *("journal", "journal_name", "account", "account_name"),
        *("auxiliary", "auxiliary_name", "currency"),
    }
)
"""Fields whose texts come back all over a file; a piece or a label does on a line or two."""


def read_fec(
    data: bytes | IO[bytes], name: str = "", *, keep: Callable[[FecLine], bool] | None = None
) -> Fec:
    """Read a file's bytes; `name` is its file name, which says whose it is and of which year.

    With `keep`, every line is read and judged but only those it wants are held: with an open file
    as `data`, one of millions of lines then costs the memory of these. Raises `Refused` where it is
    no FEC: empty, of another encoding, without the law's columns.
    """
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    findings = Findings()
    siren, closing = _named(name, findings)
    encoding = _encoding(file, name, findings)
    if not starts_with_a_line(file, encoding, LONGEST_HEADER):
        raise _not_a_fec(name)
    found = records(file, encoding, LONGEST_LINE)
    header = next(found, None)
    if not isinstance(header, str):
        raise Refused("fec_empty", "Le fichier est vide.", name)
    separator = _separator(header, name)
    read = _Reading(_columns(header.split(separator), name, findings), findings)
    judge = Judge(closing, findings)
    lines: list[FecLine] = []
    unread: list[int] = []
    count = 0
    for number, record in enumerate(found, start=2):
        line = read.line(number, record, separator) if record else None
        if not record:
            findings.add("empty_line", number)
        elif line is None:
            unread.append(number)
        else:
            count += 1
            judge.see(line)
            if keep is None or keep(line):
                lines.append(line)
    judge.close()
    return Fec(
        tuple(lines),
        tuple(findings.all()),
        tuple(unread),
        separator,
        encoding,
        siren,
        closing,
        count,
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


def _encoding(file: IO[bytes], name: str, findings: Findings) -> str:
    if file.seek(0, io.SEEK_END) > MOST_BYTES:
        raise Refused("fec_too_large", "Le fichier dépasse 1 Gio : découpez-le (_1, _2).", name)
    file.seek(0)
    head = file.read(4096)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head:
        raise Refused(
            "fec_encoding",
            "Le fichier n'est pas un texte en UTF-8 ou en ISO 8859-15 : exportez le FEC de nouveau "
            "dans l'un des deux.",
            name,
        )
    found = encoding_of(file)
    if found == "cp1252":
        findings.add("encoding")
    return found


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
        self._texts: dict[str, str] = {}
        self._days: dict[str, date] = {}

    def line(self, number: int, text: str | int, separator: str) -> FecLine | None:
        """Read one line; None, with a finding, where it cannot be trusted."""
        if isinstance(text, int):
            self._findings.add("field_count", number, f"{text} caractères")
            return None
        extra = text.count(separator) + 1 - len(self._columns)
        if extra == 1 and text.endswith(separator):
            self._findings.add("trailing_separator", number)
        elif extra:
            self._findings.add("field_count", number, f"{extra + len(self._columns)} champs")
            return None
        record = text.split(separator)
        said: dict[str, Any] = {}
        for column, written in zip(self._columns, record, strict=False):
            if column is None:
                continue
            raw = written.replace("\u00a0", " ").strip()
            if raw and column.kind == "text":
                said[column.field] = self._shared(raw) if column.field in SHARED else raw
            elif raw in self._days and column.kind == "date":
                said[column.field] = self._days[raw]
            else:
                said[column.field] = self._value(column, raw, number)
        if self._sided:
            said["debit"], said["credit"] = _sides(said.pop("amount"), said.pop("side"))
        if said["debit"] is None or said["credit"] is None:
            return None
        return FecLine(line=number, **said)

    def _shared(self, raw: str) -> str:
        """Hold one copy of a text that comes back, as names, accounts and journals do."""
        known = self._texts.get(raw)
        if known is not None:
            return known
        if len(self._texts) < MOST_SHARED:
            self._texts[raw] = raw
        return raw

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
        elif len(self._days) < MOST_SHARED:
            self._days[raw] = found
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
