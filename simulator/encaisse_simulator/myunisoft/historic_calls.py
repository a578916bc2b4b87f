"""Historic routes about the dossier and its accounts: whole-number ids [D], [P]."""

from __future__ import annotations

import json
import re
from typing import cast

from encaisse_simulator.myunisoft.access import Key
from encaisse_simulator.myunisoft.amounts import Row, Value, answer, euros, parse
from encaisse_simulator.myunisoft.calls import Call
from encaisse_simulator.myunisoft.dossier import Dossier
from encaisse_simulator.myunisoft.entries import total
from encaisse_simulator.myunisoft.historic_rows import (
    brief_row,
    complementary_row,
    dossier_row,
    listed_row,
    term_row,
)
from encaisse_simulator.myunisoft.plan import Account, Company
from encaisse_simulator.myunisoft.refusals import Refused
from encaisse_simulator.wire import SimResponse


def society(call: Call) -> SimResponse:
    """Give the key's dossier; with a cabinet's key, the one named, or the list."""
    call.only("q", "sort", "siret")
    if call.maybe_dossier is not None:
        return answer(dossier_row(call.maybe_dossier))
    mine = dossiers_of(call)
    siret = call.text("siret")
    if siret is not None:
        for each in mine:
            if siret in (each.siret, each.siren):
                return answer(dossier_row(each))
        raise Refused("SOCIETE16", siret)
    words = (call.text("q") or "").casefold()
    found = [each for each in mine if words in each.name.casefold()]
    found.sort(key=lambda each: each.name)
    sort = call.text("sort")
    if sort is not None:
        try:
            asked = cast("dict[str, object]", json.loads(sort))
            found.sort(key=lambda each: each.name, reverse=asked.get("direction") == "desc")
        except (ValueError, AttributeError) as error:
            raise Refused("GBL10", "sort") from error
    rows: list[Value] = [listed_row(each) for each in found]
    return answer({"row_numbers": len(rows), "pages_number": None, "society_array": rows})


def society_search(call: Call) -> SimResponse:
    """Find a dossier by its reference."""
    call.only("reference")
    reference = call.needed("reference")
    found = [each for each in dossiers_of(call) if each.reference == reference]
    if len(found) != 1:
        raise Refused("SOCIETE16", reference)
    row: Row = {"name": found[0].name, "siret": found[0].siret, "society_id": found[0].society_id}
    return answer(row)


def accessible(call: Call) -> SimResponse:
    """List the ids of dossiers a user sees: all of the cabinet's."""
    call.only("userMail", "userId")
    return answer([str(each.society_id) for each in dossiers_of(call)])


def society_exercices(call: Call) -> SimResponse:
    """List exercices in the historic shape."""
    dossier = call.dossier
    rows: list[Value] = []
    for each in sorted(dossier.exercices, key=lambda one: one.start, reverse=True):
        closed_at = each.closed_on.isoformat() if each.closed_on else None
        rows.append(
            {
                "exercice_id": each.id,
                "start_date": each.start.strftime("%Y%m%d"),
                "end_date": each.end.strftime("%Y%m%d"),
                "label": dossier.label_of(each),
                "result": 0,
                "ca": 0,
                "closed": each.closed_on is not None,
                "duration": (each.end.year - each.start.year) * 12
                + each.end.month
                - each.start.month
                + 1,
                "closed_at": closed_at,
                "closed_by": None,
                "lettering_method_id": 1 if dossier.method == "MONO" else 2,
            }
        )
    return answer(rows)


def accounting_parameters(call: Call) -> SimResponse:
    """Give the parameters that matter to receivables."""
    kept = call.dossier.parameters
    sales = call.dossier.journal("VTE")
    term = kept.customer_term
    row: Row = {
        "customer_payment_deadline": term_row(term) if term else None,
        "enable_autolettering": kept.autolettering,
        "maximum_difference_amount": euros(kept.maximum_difference_cents),
        "account_income_lettering": None,
        "account_expense_lettering": None,
        "diary_lettering": None,
        "diary_sales": {"id": sales.id, "label": sales.name},
        "customer_waiting_account": None,
        "max_car_third_p_account": kept.tiers_length,
        "comptability_type": {
            "id": 1 if kept.comptability == "ENGA" else 2,
            "code": kept.comptability,
        },
    }
    return answer(row)


def account(call: Call) -> SimResponse:
    """Find accounts: mode 1 a few by words or number, mode 2 with balances."""
    call.only("mode", "q", "limit", "begin_by", "account_id")
    accounts = _by_number(call.dossier)
    mode = call.needed("mode")
    if mode == "1":
        words = (call.text("q") or "").casefold()
        found = [
            each
            for each in accounts
            if words in each.name.casefold() or each.number.casefold().startswith(words)
        ]
        limit = call.number("limit")
        return answer([brief_row(each) for each in found[: 5 if limit is None else limit]])
    if mode != "2":
        raise Refused("GBL10", "mode")
    wanted, root = call.number("account_id"), call.text("begin_by") or ""
    rows: list[Value] = [
        {**brief_row(each), **_balance(call.dossier, each), "closed": each.closed, "comment": None}
        for each in accounts
        if wanted in (None, each.id) and each.number.startswith(root)
    ]
    return answer({"rows_number": len(rows), "pages_number": 1, "account_array": rows})


def account_v2(call: Call) -> SimResponse:
    """Give accounts by root or id, with what only this call says: payment terms."""
    call.only("begin_by", "account_id", "details", "compta")
    wanted, root = call.number("account_id"), call.text("begin_by")
    if (wanted is None) == (root is None):
        raise Refused("GBL10", "begin_by, account_id")
    rows: list[Row] = []
    for each in _by_number(call.dossier):
        if each.id == wanted or (root is not None and each.number.startswith(root)):
            row = brief_row(each)
            if call.has("details") and each.company is not None:
                row["complementary_informations"] = complementary_row(each.company)
            if call.has("compta"):
                row |= _balance(call.dossier, each)
            rows.append(row)
    if wanted is not None and not rows:
        raise Refused("COMPTE2", str(wanted))
    if wanted is not None and call.books.choices.account_by_id == "object":
        return answer(rows[0])
    return answer(rows)


def create_account(call: Call) -> SimResponse:
    """Find an account by its number, or open it."""
    try:
        body = cast("dict[str, object]", parse(call.request.body))
        number, label = body.get("account_number"), body.get("label")
    except (ValueError, AttributeError) as error:
        raise Refused("GBL10", "corps illisible") from error
    if not isinstance(number, str) or not isinstance(label, str) or not label:
        raise Refused("GBL10", "account_number, label")
    if not re.match(r"[1-9]", number):
        raise Refused("COMPTE6", number)
    if len(number) > 20:
        raise Refused("COMPTE7", number)
    found = call.dossier.account(number)
    if found is None:
        company = Company(label) if number.startswith(("40", "41")) else None
        found = Account(call.books.numbers.draw("account"), number, label, company)
        call.dossier.accounts[found.id] = found
    return answer(brief_row(found))


def payment_types(call: Call) -> SimResponse:
    """List ways to pay in the historic shape."""
    rows: list[Value] = [
        {"payment_type_id": each.id, "name": each.name, "code": each.code}
        for each in call.dossier.payment_types.values()
    ]
    return answer(rows)


def dossiers_of(call: Call) -> list[Dossier]:
    """List the dossiers a key opens."""
    key: Key = call.key
    return [
        each
        for each in call.books.dossiers.values()
        if each.firm is key.firm and key.society_id in (None, each.society_id) and each.active
    ]


def _by_number(dossier: Dossier) -> list[Account]:
    return sorted(dossier.accounts.values(), key=lambda each: each.number)


def _balance(dossier: Dossier, account: Account) -> Row:
    sums = total(
        line
        for entry, line in dossier.lines()
        if line.account is account and not entry.is_carried and entry.journal.type != "OD_EXC"
    )
    sense = "D" if sums >= 0 else "C"
    return {"solde": euros(abs(sums)), "sens": sense, "blocked": account.closed}
