"""The two calls of lettering [D AP/…/lettering, AP/…/next_lettering_value]."""

from __future__ import annotations

from typing import cast

from encaisse_simulator.myunisoft.amounts import answer
from encaisse_simulator.myunisoft.calls import Call
from encaisse_simulator.myunisoft.lettering import letter as put_letter
from encaisse_simulator.myunisoft.lettering import next_code
from encaisse_simulator.myunisoft.refusals import Refused
from encaisse_simulator.myunisoft.webhook_calls import parsed
from encaisse_simulator.wire import SimResponse


def next_lettering(call: Call) -> SimResponse:
    """Give the next code of an account, partial or full."""
    call.only("account_id", "partial")
    number = call.number("account_id")
    account = call.dossier.accounts.get(number or 0)
    if number is None or account is None:
        raise Refused("COMPTE2" if number else "GBL10", "account_id")
    code = next_code(call.dossier, account)
    if call.text("partial") not in (None, "true", "false"):
        raise Refused("GBL10", "partial")
    if call.has("partial"):
        call.dossier.partial_codes.add((account.id, code))
        starred = call.books.choices.partial_code_starred
        return answer({"next_lettering": f"*{code}" if starred else code})
    call.dossier.partial_codes.discard((account.id, code))
    return answer({"next_lettering": code})


def letter(call: Call) -> SimResponse:
    """Letter lines under a code."""
    call.only()
    body = parsed(call)
    fields = cast("dict[str, object]", body) if isinstance(body, dict) else {}
    code, listed = fields.get("lettering"), fields.get("line_entry_list")
    if not isinstance(code, str) or not isinstance(listed, list):
        raise Refused("GBL10", "lettering, line_entry_list")
    ids: list[int] = []
    for each in cast("list[object]", listed):
        line = cast("dict[str, object]", each) if isinstance(each, dict) else {}
        number = line.get("line_entry_id")
        if not isinstance(number, int) or isinstance(number, bool):
            raise Refused("GBL10", "line_entry_id")
        ids.append(number)
    put_letter(call.books, call.dossier, code, ids, "api")
    return answer({"code": "Success", "message": ""})
