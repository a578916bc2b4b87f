"""Calls of MAD 1.0.0: what a connector reads [D AP/MAD]."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from encaisse_simulator.myunisoft.amounts import Row, Value, answer, answered, euros
from encaisse_simulator.myunisoft.calls import Call
from encaisse_simulator.myunisoft.choices import ENTRY_NOT_FOUND, LONGEST_RANGE
from encaisse_simulator.myunisoft.entries import SOURCES, Entry, plain
from encaisse_simulator.myunisoft.mad_rows import (
    account_row,
    brief_account,
    entry_row,
    exercice_row,
    journal_row,
    movement_json,
    payment_row,
)
from encaisse_simulator.myunisoft.plan import JOURNAL_TYPES
from encaisse_simulator.myunisoft.refusals import Refused
from encaisse_simulator.paris import paris_date
from encaisse_simulator.wire import SimResponse

PERIOD = ("idExercice", "startDate", "endDate")

DATES: dict[str, Callable[[Entry], date | None]] = {
    "document": lambda entry: entry.day,
    "myunisoft": lambda entry: paris_date(entry.created_at),
    "accounting": lambda entry: entry.accounted_on,
}
"""Which date of an entry `dateFilter` speaks of [D]."""


def exercices(call: Call) -> SimResponse:
    """List exercices, the latest first."""
    call.mad()
    ordered = sorted(call.dossier.exercices, key=lambda each: each.start, reverse=True)
    return answer([exercice_row(call.dossier, each) for each in ordered])


def accounts(call: Call) -> SimResponse:
    """List accounts under roots such as `411%`."""
    call.mad("classAccount", "comment")
    roots = call.several("classAccount")
    wanted = [
        account
        for account in call.dossier.accounts.values()
        if not roots or _under(account.number, roots)
    ]
    return answer([account_row(account) for account in sorted(wanted, key=lambda a: a.number)])


def journals(call: Call) -> SimResponse:
    """List journals."""
    call.mad()
    return answer([journal_row(each) for each in call.dossier.journals.values()])


def banks(call: Call) -> SimResponse:
    """List bank accounts: each bank journal with its 512."""
    call.mad()
    rows: list[Value] = []
    for journal in call.dossier.journals.values():
        if journal.type == "BQ" and journal.account is not None:
            short: Row = {
                "producerId": str(journal.id),
                "name": journal.name,
                "type": "BANQUE",
                "customerReferenceCode": journal.code,
            }
            rows.append(
                {
                    "producerId": str(journal.id),
                    "RIB": None,
                    "IBAN": None,
                    "BIC": None,
                    "account": brief_account(journal.account),
                    "journal": short,
                    "additionalProducerProperties": {"isDefault": True},
                }
            )
    return answer(rows)


def payments(call: Call) -> SimResponse:
    """List ways to pay."""
    call.mad()
    return answer([payment_row(each) for each in call.dossier.payment_types.values()])


def accounting_folder(call: Call) -> SimResponse:
    """Identify the dossier."""
    call.mad()
    dossier = call.dossier
    row: Row = {
        "name": dossier.name,
        "reference": dossier.reference,
        "address": {
            "fullName": dossier.street,
            "postalCode": dossier.postcode,
            "city": dossier.city,
        },
        "contact": None,
        "RCS": None,
        "SIRET": dossier.siret,
        "capital": None,
    }
    return answer(row)


def movements(call: Call) -> SimResponse:
    """List movements of a period, by account roots and lettering state."""
    call.mad(*PERIOD, "dateFilter", "source", "classAccount", "lettering", "draft")
    state = call.text("lettering")
    if state not in (None, "none", "partial", "complete"):
        raise Refused("GBL10", "lettering")
    roots = call.several("classAccount")
    begins = tuple(root.removesuffix("%") for root in roots) or ("",)
    told = [
        movement_json(entry, line)
        for entry in _entries(call)
        for line in entry.lines
        if line.account.number.startswith(begins) and state in (None, line.state)
    ]
    return answered(b"[" + b",".join(call.books.order.shuffled(told)) + b"]")


def entries(call: Call) -> SimResponse:
    """List entries of a period, by journals."""
    call.mad(*PERIOD, "dateFilter", "source", "journalIds", "draft", "comment")
    journal_ids = set(call.several("journalIds"))
    rows = [
        entry_row(entry, call.books.order)
        for entry in _entries(call)
        if not journal_ids or str(entry.journal.id) in journal_ids
    ]
    return answer(rows)


def entry(call: Call) -> SimResponse:
    """Read one entry by its id, an invoice number or a partner's id; 404 when there is none.

    Ids go first, then partners' ids, then invoice numbers, the latest entry of these [S].
    """
    call.mad("id", "draft", "comment")
    wanted = call.needed("id")
    dossier = call.dossier
    kept = dossier.pending if call.has("draft") else dossier.posted
    found = kept.get(int(wanted)) if wanted.isascii() and wanted.isdigit() else None
    tests: tuple[Callable[[Entry], bool], ...] = (
        lambda each: each.origin.partner_id == wanted,
        lambda each: any(plain(line.number) == plain(wanted) for line in each.lines),
    )
    for test in tests:
        found = found or next((each for each in reversed(kept.values()) if test(each)), None)
    if found is None:
        raise Refused(ENTRY_NOT_FOUND)
    return answer(entry_row(found, call.books.order))


def balance(call: Call) -> SimResponse:
    """Sum accounts up over a period, debit less credit, OD_EXC journals left out [D]."""
    call.mad(*PERIOD, "classAccount")
    roots = call.several("classAccount")
    if not roots:
        raise Refused("GBL10", "classAccount")
    under = {a.number for a in call.dossier.accounts.values() if _under(a.number, roots)}
    sums: dict[str, int] = {}
    names: dict[str, str] = {}
    for each in _entries(call):
        if each.journal.type == "OD_EXC":
            continue
        for line in each.lines:
            if (number := line.account.number) in under:
                names[number] = line.account.name
                sums[number] = sums.get(number, 0) + line.signed
    rows: list[Value] = [
        {"account": {"number": number, "name": names[number]}, "balance": euros(sums[number])}
        for number in sorted(sums)
    ]
    return answer(rows)


def diary(call: Call) -> SimResponse:
    """List journals in the historic shape."""
    call.only("type", "code", "q")
    kind, code, words = call.text("type"), call.text("code"), (call.text("q") or "").casefold()
    rows: list[Value] = []
    for journal in call.dossier.journals.values():
        if kind in (None, journal.type) and code in (None, journal.code):
            if words not in journal.name.casefold():
                continue
            account = journal.account
            short: Value = None
            if account is not None:
                short = {"id": account.id, "label": account.name, "number": account.number}
            type_id, type_name = JOURNAL_TYPES[journal.type]
            rows.append(
                {
                    "diary_id": journal.id,
                    "code": journal.code,
                    "name": journal.name,
                    "account": short,
                    "blocked": journal.locked,
                    "closed": False,
                    "diary_type_id": type_id,
                    "diary_type_code": journal.type,
                    "diary_type_name": type_name,
                }
            )
    return answer(rows)


def _under(number: str, roots: list[str]) -> bool:
    """Tell whether an account is under one of the roots; see `choices` for roots without `%`."""
    begins = tuple(root[:-1] for root in roots if root.endswith("%"))
    return number.startswith(begins) or number in roots


def _entries(call: Call) -> list[Entry]:
    """Choose the entries of a call's period, source and, if asked for, the drafts."""
    dossier = call.dossier
    start, end = _period(call)
    read = DATES.get(call.text("dateFilter") or "document")
    source = call.text("source")
    if read is None or (source is not None and source not in SOURCES):
        raise Refused("GBL10", "dateFilter" if read is None else "source")
    kept = dossier.pending if call.has("draft") else dossier.posted
    return [
        each
        for each in kept.values()
        if (day := read(each)) is not None
        and start <= day <= end
        and source in (None, each.origin.source)
    ]


def _period(call: Call) -> tuple[date, date]:
    """Read the period: one exercice, or two dates, never both."""
    exercice_id = call.number("idExercice")
    start, end = call.day("startDate"), call.day("endDate")
    if exercice_id is not None:
        exercice = call.dossier.exercice_named(exercice_id)
        if exercice is None or start is not None or end is not None:
            raise Refused("GBL10", "idExercice")
        return exercice.start, exercice.end
    if start is None or end is None or start > end:
        raise Refused("GBL10", "startDate, endDate")
    inside = any(each.holds(start) and each.holds(end) for each in call.dossier.exercices)
    if end - start >= LONGEST_RANGE and not inside:
        raise Refused("GBL10", "plus de 12 mois")
    return start, end
