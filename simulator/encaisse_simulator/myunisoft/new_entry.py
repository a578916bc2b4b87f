"""Read a `NewEntry` and refuse it by the vendor's rules [D AP/…/import/json, AP/erreurs]."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import cast

from encaisse_simulator.myunisoft.amounts import cents_of
from encaisse_simulator.myunisoft.books import Books
from encaisse_simulator.myunisoft.calls import read_day
from encaisse_simulator.myunisoft.document_calls import LARGEST, LONGEST_NAME, MEDIA_TYPES
from encaisse_simulator.myunisoft.dossier import Dossier
from encaisse_simulator.myunisoft.entries import Document, Line, total
from encaisse_simulator.myunisoft.plan import Account, Journal, PaymentType
from encaisse_simulator.myunisoft.refusals import Refused

Fields = Mapping[str, object]

LONGEST_LABEL = 50
REFERENCE = re.compile(r"[a-zA-Z0-9]{1,25}")
"""What `piece` and `piece2` may hold [D]."""

ENTRY_FIELDS = frozenset(
    {
        *("diary_id", "etablissement_id", "date_piece", "period_from", "period_to", "entry_list"),
        *("pj_list", "entry_origin_partner_id", "json", "comment", "id_source"),
    }
)
LINE_FIELDS = frozenset(
    {
        *("account_id", "label", "debit", "credit", "deadline", "piece", "piece2"),
        *("payment_type_id", "currency", "value_currency", "analytique", "pj_list"),
        *("lettrage", "pointage_aa", "pointage_mm", "pointage_jj"),
    }
)

NEEDS = {"BQ": (("51", "54"), "ECR36"), "CAISSE": (("53",), "ECR37")}
"""Accounts an entry of a journal type must have [D]."""

LONGEST_PARTNER_ID = 255


@dataclass(frozen=True, slots=True)
class NewEntry:
    """Hold an entry that may be written."""

    journal: Journal
    day: date
    lines: list[Line]
    partner_id: str | None
    json: str | None
    comment: str | None
    documents: tuple[Document, ...]


def read_entry(books: Books, dossier: Dossier, body: object) -> NewEntry:
    """Read a body and apply every rule; nothing is kept of an entry at fault."""
    if not isinstance(body, dict):
        raise Refused("GBL10", "corps")
    fields = cast("Fields", body)
    _only(fields, ENTRY_FIELDS)
    if _whole(fields, "etablissement_id") != dossier.society_id:
        raise Refused("ECR48")
    journal = _journal(dossier, fields)
    day = _day(fields, "date_piece")
    _open(dossier, day)
    listed = fields.get("entry_list")
    if not isinstance(listed, list) or not listed:
        raise Refused("ECR39")
    partner_id = _text(fields, "entry_origin_partner_id", LONGEST_PARTNER_ID)
    refuse_twice = books.choices.duplicate_partner_id == "refuse"
    if partner_id is not None and refuse_twice and dossier.by_partner_id(partner_id):
        raise Refused("GBL6", partner_id)
    comment = fields.get("comment")
    said = None
    if comment is not None:
        said = _text(_object(comment, "comment"), "content", 10_000)
    json_text = _text(fields, "json", 1_000_000)
    files = _files(fields)
    rows = [_object(each, "entry_list") for each in cast("list[object]", listed)]
    read = [_line(books, dossier, journal, row, day) for row in rows]
    lines = [line for line, _ in read]
    if total(lines):
        raise Refused("ECR14")
    roots, code = NEEDS.get(journal.type, (("",), ""))
    if not any(line.account.number.startswith(roots) for line in lines):
        raise Refused(code)
    for line, own in read:
        line.id = books.numbers.draw("line")
        line.documents = tuple(books.keep(*each) for each in own)
    kept = tuple(books.keep(*each) for each in files)
    return NewEntry(journal, day, lines, partner_id, json_text, said, kept)


def _line(
    books: Books, dossier: Dossier, journal: Journal, row: Fields, day: date
) -> tuple[Line, list[tuple[str, str, bytes]]]:
    _only(row, LINE_FIELDS)
    account = _account(books, dossier, row)
    if journal.type == "VTE" and account.number.startswith("40"):
        raise Refused("ECR16", "un journal de vente refuse les comptes 40")
    label = row.get("label")
    if not isinstance(label, str) or not label.strip():
        raise Refused("ECR42")
    if len(label) > LONGEST_LABEL:
        raise Refused("GBL10", "label")
    debit, credit = _side(row, "debit"), _side(row, "credit")
    if debit and credit:
        raise Refused("ECR27")
    if not debit and not credit:
        raise Refused("ECR21")
    due = _day(row, "deadline", "GBL10")
    if due < day:
        raise Refused("ECR4", "deadline avant date_piece")
    line = Line(
        id=0,
        account=account,
        label=label,
        debit=debit,
        credit=credit,
        due=due,
        piece=_reference(row, "piece"),
        number=_reference(row, "piece2"),
        payment_type=_payment_type(books, dossier, row),
    )
    return line, _files(row)


def _journal(dossier: Dossier, fields: Fields) -> Journal:
    journal = dossier.journals.get(_whole(fields, "diary_id"))
    if journal is None:
        raise Refused("JOURNAL3")
    if journal.locked:
        raise Refused("JOURNAL2")
    if journal.type == "AN":
        raise Refused("JOURNAL13")
    return journal


def _open(dossier: Dossier, day: date) -> None:
    exercice = dossier.exercice_of(day)
    if exercice is None:
        raise Refused("ECR10")
    if exercice.closed_on is not None:
        raise Refused("ECR9")
    if dossier.is_locked(day):
        raise Refused("BLOCAGE_PERIODIQUE23")


def _account(books: Books, dossier: Dossier, row: Fields) -> Account:
    number = _whole(row, "account_id")
    account = dossier.accounts.get(number)
    if account is None:
        elsewhere = any(number in each.accounts for each in books.dossiers.values())
        raise Refused("COMPTE5" if elsewhere else "COMPTE2", str(number))
    if account.closed:
        raise Refused("COMPTE32", account.number)
    return account


def _payment_type(books: Books, dossier: Dossier, row: Fields) -> PaymentType | None:
    if row.get("payment_type_id") is None or row["payment_type_id"] == -1:
        return None
    found = dossier.payment_types.get(_whole(row, "payment_type_id"))
    if found is None:
        raise Refused("TYPEPAY1")
    return found


def _side(row: Fields, name: str) -> int:
    value = row.get(name)
    cents = 0 if value is None else cents_of(value)
    if cents is None or cents < 0:
        raise Refused("ECR2", name)
    return cents


def _files(fields: Fields) -> list[tuple[str, str, bytes]]:
    """Read attachments: short names, allowed types, base64 content [D]."""
    given = fields.get("pj_list") or list[object]()
    listed = cast("list[object]", given) if isinstance(given, list) else [given]
    files: list[tuple[str, str, bytes]] = []
    for each in listed:
        file = _object(each, "pj_list")
        name, media_type, content = file.get("name"), file.get("type"), file.get("content")
        if not (isinstance(name, str) and isinstance(content, str) and isinstance(media_type, str)):
            raise Refused("DOCUMENT6")
        try:
            raw = base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Refused("DOCUMENT6", name) from error
        allowed = media_type in MEDIA_TYPES.values()
        if not allowed or not 0 < len(name) <= LONGEST_NAME or not 0 < len(raw) <= LARGEST:
            raise Refused("DOCUMENT6", name)
        files.append((name, media_type, raw))
    return files


def _only(fields: Fields, known: frozenset[str]) -> None:
    unknown = sorted(set(fields) - known)
    if unknown:
        raise Refused("GBL10", ", ".join(unknown))


def _object(value: object, name: str) -> Fields:
    if not isinstance(value, dict):
        raise Refused("GBL10", name)
    return cast("Fields", value)


def _whole(fields: Fields, name: str) -> int:
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused("GBL10", name)
    return value


def _text(fields: Fields, name: str, longest: int) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise Refused("GBL10", name)
    return value


def _reference(row: Fields, name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or not REFERENCE.fullmatch(value):
        raise Refused("GBL10", name)
    return value


def _day(fields: Fields, name: str, code: str = "ECR6") -> date:
    value = fields.get(name)
    try:
        return read_day(value if isinstance(value, str) else "", name)
    except Refused as refused:
        raise Refused(code, name) from refused
