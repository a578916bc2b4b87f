"""What accountants and customers do in MyUnisoft, for a person who runs the world over HTTP.

A test that holds the world calls `MyUnisoft` and `Bookkeeping` themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import cast

from encaisse_simulator.myunisoft.bookkeeping import Bookkeeping
from encaisse_simulator.myunisoft.refusals import Refused
from encaisse_simulator.myunisoft.tool import MyUnisoft
from encaisse_simulator.wire import Json

Ask = Mapping[str, object]
Act = Callable[[MyUnisoft, Ask], Json]


def _dossier(tool: MyUnisoft, ask: Ask) -> Bookkeeping:
    return tool.dossier(_whole(ask, "society_id"))


def _drafts(tool: MyUnisoft, ask: Ask) -> Json:
    return {"drafts": [*_dossier(tool, ask).drafts()]}


def _open_items(tool: MyUnisoft, ask: Ask) -> Json:
    dossier = _dossier(tool, ask)
    items: list[Json] = [
        {
            "account": each.account,
            "invoice_number": each.invoice_number,
            "cents": each.cents,
            "due": each.due.isoformat() if each.due else None,
            "state": each.state,
        }
        for each in dossier.open_items()
    ]
    return {"balance_cents": dossier.balance(), "items": items}


def _validate(tool: MyUnisoft, ask: Ask) -> Json:
    return {"entry_id": _dossier(tool, ask).validate(_text(ask, "partner_id"))}


def _reject(tool: MyUnisoft, ask: Ask) -> Json:
    _dossier(tool, ask).reject(_text(ask, "partner_id"))
    return {}


def _revoke(tool: MyUnisoft, ask: Ask) -> Json:
    tool.revoke(_text(ask, "token"))
    return {}


def _lock_period(tool: MyUnisoft, ask: Ask) -> Json:
    _dossier(tool, ask).lock_period(_day(ask, "from"), _day(ask, "to"))
    return {}


def _lock_journal(tool: MyUnisoft, ask: Ask) -> Json:
    _dossier(tool, ask).lock_journal(_text(ask, "code"), ask.get("locked") is not False)
    return {}


def _carry_forward(tool: MyUnisoft, ask: Ask) -> Json:
    close = ask.get("close") is not False
    return {"entry_id": _dossier(tool, ask).carry_forward(_day(ask, "on"), close=close)}


def _receipt(tool: MyUnisoft, ask: Ask) -> Json:
    made = _dossier(tool, ask).receive(
        _text(ask, "customer"),
        _day(ask, "on"),
        _whole(ask, "cents"),
        number=str(ask.get("invoice_number") or ""),
        lettered=ask.get("lettered") is True,
    )
    return {"entry_id": made}


def _letter(tool: MyUnisoft, ask: Ask) -> Json:
    numbers = [str(each) for each in cast("Sequence[object]", ask["invoice_numbers"])]
    try:
        code = _dossier(tool, ask).letter_invoice(_text(ask, "customer"), *numbers)
    except Refused as refused:
        raise ValueError(str(refused)) from refused
    return {"lettering": code}


def _fail_next(tool: MyUnisoft, ask: Ask) -> Json:
    status = ask.get("status")
    tool.fail_next(
        _text(ask, "code"),
        status=status if isinstance(status, int) else None,
        method=str(ask.get("method") or ""),
        path=str(ask.get("path") or ""),
        after=ask.get("after") is True,
    )
    return {}


def _text(ask: Ask, name: str) -> str:
    value = ask[name]
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is a text")
    return value


def _whole(ask: Ask, name: str) -> int:
    value = ask[name]
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name} is a whole number")
    return value


def _day(ask: Ask, name: str) -> date:
    return date.fromisoformat(_text(ask, name))


ACTS: Mapping[tuple[str, str], Act] = {
    ("POST", "drafts"): _drafts,
    ("POST", "open_items"): _open_items,
    ("POST", "validate"): _validate,
    ("POST", "reject"): _reject,
    ("POST", "revoke"): _revoke,
    ("POST", "lock_period"): _lock_period,
    ("POST", "lock_journal"): _lock_journal,
    ("POST", "carry_forward"): _carry_forward,
    ("POST", "receipt"): _receipt,
    ("POST", "letter"): _letter,
    ("POST", "fail_next"): _fail_next,
}
"""Calls under `/_sim/myunisoft/`, with a JSON object each."""
