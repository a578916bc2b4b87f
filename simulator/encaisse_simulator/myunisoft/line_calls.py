"""Historic reads of an account's lines, and comments on entries [D], [P]."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import cast

from encaisse_simulator.myunisoft.amounts import Row, Value, answer, euros
from encaisse_simulator.myunisoft.calls import Call
from encaisse_simulator.myunisoft.entries import Entry, Line
from encaisse_simulator.myunisoft.historic_rows import brief_row
from encaisse_simulator.myunisoft.plan import Account
from encaisse_simulator.myunisoft.refusals import Refused
from encaisse_simulator.myunisoft.webhook_calls import parsed
from encaisse_simulator.wire import SimResponse


def account_entries(call: Call) -> SimResponse:
    """List an account's lines, page by page."""
    names = ("account_no", "account_id", "search_date", "sort", "lettering", "limit", "offset")
    call.only(*names)
    account = _account(call)
    start, end = _search_date(call)
    pairs = [
        (entry, line)
        for entry, line in call.dossier.lines()
        if line.account is account and start <= entry.day <= end
    ]
    if call.text("lettering") == "false":
        pairs = [(entry, line) for entry, line in pairs if line.lettering is None]
    pairs.sort(key=lambda pair: (pair[0].day, pair[1].id))
    limit, offset = call.number("limit") or 100, call.number("offset") or 0
    balance, rows = 0, list[Value]()
    for entry, line in pairs:
        balance += line.signed
        rows.append(_row(entry, line, balance))
    row: Row = {
        "rows_number": len(rows),
        "pages_number": -(-len(rows) // limit),
        "total_debit": euros(sum(line.debit for _, line in pairs)),
        "total_credit": euros(sum(line.credit for _, line in pairs)),
        "list_entries_line": rows[offset : offset + limit],
    }
    return answer(row)


def line_entry(call: Call) -> SimResponse:
    """Read the entry a line is in."""
    call.only("line_entry_id")
    number = call.number("line_entry_id")
    found = call.dossier.line(number) if number is not None else None
    if found is None:
        raise Refused("GBL10", "line_entry_id")
    entry = found[0]
    lines: list[Value] = [
        {
            "line_entry_id": line.id,
            "account": brief_row(line.account),
            "debit": euros(line.debit) if line.debit else None,
            "credit": euros(line.credit) if line.credit else None,
            "label": line.label,
            "piece": line.piece or None,
            "piece2": line.number or None,
            "lettrage": line.lettering,
            "deadline": line.due.strftime("%Y%m%d") if line.due else None,
        }
        for line in call.books.order.shuffled(entry.lines)
    ]
    row: Row = {
        "entry_id": entry.id,
        "diary_id": entry.journal.id,
        "date_piece": entry.day.strftime("%Y%m%d"),
        "entry_list": lines,
    }
    return answer(row)


def comment(call: Call) -> SimResponse:
    """Say something about an entry."""
    body = parsed(call)
    fields = cast("dict[str, object]", body) if isinstance(body, dict) else {}
    kept = call.dossier.posted if fields.get("location") == "ENTRIES" else call.dossier.pending
    number, said = fields.get("entry_id"), fields.get("comment")
    entry = kept.get(number) if isinstance(number, int) else None
    if entry is None or not isinstance(said, str) or not said:
        raise Refused("GBL10", "entry_id, comment")
    entry.comment = said
    return answer([{"id": entry.id, "comment": said}])


def _account(call: Call) -> Account:
    number = call.number("account_id")
    if number is None:
        found = call.dossier.account(call.needed("account_no"))
    else:
        found = call.dossier.accounts.get(number)
    if found is None:
        raise Refused("COMPTE2")
    return found


def _search_date(call: Call) -> tuple[date, date]:
    text = call.text("search_date")
    if text is None:
        return date.min, date.max
    try:
        asked = cast("dict[str, str]", json.loads(text))
        start, end = (_compact(asked[name]) for name in ("start_date", "end_date"))
    except (ValueError, KeyError, TypeError) as error:
        raise Refused("GBL10", "search_date") from error
    return start, end


def _compact(text: str) -> date:
    return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007


def _row(entry: Entry, line: Line, balance: int) -> Row:
    files: list[Value] = [{"name": each.name} for each in (*entry.documents, *line.documents)]
    return {
        "diary_id": entry.journal.id,
        "diary_code": entry.journal.code,
        "is_an": entry.is_carried,
        "entry_id": entry.id,
        "entry_line_id": line.id,
        "account_id": line.account.id,
        "date": entry.day.strftime("%Y%m%d"),
        "piece": line.piece or None,
        "piece2": line.number or None,
        "label": line.label,
        "debit": euros(line.debit) if line.debit else None,
        "credit": euros(line.credit) if line.credit else None,
        "solde": euros(balance),
        "lettrage": line.lettering,
        "deadline": line.due.strftime("%Y%m%d") if line.due else None,
        "payment_type_id": line.payment_type.id if line.payment_type else None,
        "pj_list": files,
        "added_date": entry.created_at.strftime("%Y%m%d"),
        "closed": False,
        "dotted": False,
    }
