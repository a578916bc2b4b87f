"""Work out a due date from a customer's payment term. Pure.

`payment_deadline` of an account (accounting/folder/account, miscellaneous_and_complementary_info)
and `customer_payment_deadline` of the dossier (accounting/firm/accounting_parameters.html). The
vendor gives the parts of a term and not their order; the order here is the usual reading of
« 30 jours fin de mois le 10 » and is inferred, so a date worked out is always marked as estimated.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from encaisse_api import wire
from encaisse_api.errors import Drift
from encaisse_myunisoft import spelling


@dataclass(frozen=True, slots=True)
class Term:
    """Hold a payment term."""

    days: int
    end_of_month: bool = False
    on_day: int | None = None

    def due(self, issued: date) -> date:
        """Count the days, go to the end of that month, then on to the day of the month."""
        due = issued + timedelta(days=self.days)
        if self.end_of_month:
            due = due.replace(day=_last(due))
        if self.on_day is not None:
            if self.end_of_month or due.day > self.on_day:
                due = due.replace(day=_last(due)) + timedelta(days=1)
            due = due.replace(day=min(self.on_day, _last(due)))
        return due


@dataclass(frozen=True, slots=True)
class Terms:
    """Hold the terms of the accounts, and that of the dossier for the others."""

    accounts: Mapping[str, Term]
    dossier: Term | None = None

    def of(self, account: str) -> Term | None:
        """Give the term of an account."""
        return self.accounts.get(account, self.dossier)


NO_TERMS = Terms({})


def read(value: object) -> Term | None:
    """Read a term; None where there is none, or where its parts are no numbers."""
    said = wire.members(value)
    days = _count(said.get("number_of_days"), 400)
    if days is None:
        return None
    on_day = _count(said.get("day_number"), 31)
    return Term(days, _yes(said.get("end_month")), on_day or None)


def of_accounts(answer: object) -> dict[str, Term]:
    """Read the terms of `account/v2?details=true`, an array or for one account an object.

    Raises `Drift` for a row that names no account: passed over, the term of the dossier would stand
    in the place of the account's own.
    """
    listed = wire.rows(answer)
    rows = [answer] if listed is None else listed
    found: dict[str, Term] = {}
    for raw in rows:
        row = wire.members(raw)
        more = row.get("complementary_informations")
        details = wire.members(more)
        number, term = row.get("account_number"), read(details.get("payment_deadline"))
        if not isinstance(number, str):
            raise _drift("une ligne ne nomme aucun compte", answer)
        if term is not None:
            found[number.strip()] = term
    return found


def of_dossier(answer: object) -> Term | None:
    """Read the term of the dossier from its accounting parameters, null where it has none."""
    said = wire.members(answer)
    if "customer_payment_deadline" not in said:
        raise _drift("les paramètres du dossier n'en disent rien", answer)
    return read(said["customer_payment_deadline"])


def _drift(what: str, answer: object) -> Drift:
    return Drift(
        f"Conditions de paiement MyUnisoft : {what}. La réponse est conservée.",
        raw=wire.write(answer),
    )


def _count(value: object, most: int) -> int | None:
    try:
        text = spelling.words(value)
    except ValueError:
        return None
    return int(text) if text.isascii() and text.isdigit() and int(text) <= most else None


def _yes(value: object) -> bool:
    return value is True or value == 1 or str(value).casefold() in ("1", "true")


def _last(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]
