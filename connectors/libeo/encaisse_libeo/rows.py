"""Describe what the assumed contract sends; everything it may add later is let through.

Names are ours (nobody outside the vendor knows its own). A field that may be missing has a default;
without any other one, the row is set aside.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StrictBool,
    StrictInt,
    StrictStr,
    StringConstraints,
    ValidationError,
)

_AMOUNT = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,3})?", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,15}(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)


def _amount(value: object) -> Decimal:
    """Read a decimal text; a JSON fraction arrives here as its own text, never as a float."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("montant attendu")
    if not _AMOUNT.fullmatch(str(value)):
        raise ValueError(f"montant illisible : {str(value)[:40]!r}")
    return Decimal(value)


def _day(value: object) -> object:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("date illisible (attendu aaaa-mm-jj)")
    return value


def _day_or_none(value: object) -> object:
    return None if value is None else _day(value)


def _instant(value: object) -> object:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise ValueError("instant illisible (attendu ISO 8601 avec son décalage)")
    return value


def _instant_or_none(value: object) -> object:
    return None if value is None else _instant(value)


Amount = Annotated[Decimal, BeforeValidator(_amount)]
Day = Annotated[date, BeforeValidator(_day)]
MaybeDay = Annotated[date | None, BeforeValidator(_day_or_none)]
Instant = Annotated[AwareDatetime, BeforeValidator(_instant)]
MaybeInstant = Annotated[AwareDatetime | None, BeforeValidator(_instant_or_none)]
Name = Annotated[StrictStr, StringConstraints(strip_whitespace=True, min_length=1, max_length=512)]
Currency = Annotated[StrictStr, StringConstraints(pattern=r"^[A-Z]{3}$")]


class Row(BaseModel):
    """Be one object of an answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class PartyRow(Row):
    """Be a supplier or a buyer."""

    siren: StrictStr | None = None
    name: StrictStr | None = None


class Position(Row):
    """Be where a row stands in the list of changes; readable even where the rest is not."""

    id: Name
    updated_at: Instant


class InvoiceRow(Position):
    """Be one invoice or avoir, sent or received."""

    direction: Literal["receivable", "payable"]
    number: Name
    supplier: PartyRow
    buyer: PartyRow
    issue_date: Day
    due_date: MaybeDay
    total: Amount
    balance: Amount
    credited: Amount | None = None
    currency: Currency
    status: Name
    document_url: StrictStr | None = None
    deleted_at: MaybeInstant = None


class CompanyRow(Row):
    """Be the company a key opens."""

    siret: Name
    name: Name


class Listing(Row):
    """Be one page; its rows are read one by one, so that a bad one does not take the page."""

    items: list[object]
    has_more: StrictBool
    next_cursor: StrictStr | None
    total: StrictInt


class Event(Row):
    """Be one notification: it names an invoice and none of its figures."""

    type: Name
    company_siret: Name
    invoice_id: Name


def why(error: ValidationError) -> str:
    """Say in French which fields of a row could not be read, and never their values."""
    told: list[str] = []
    for fault in error.errors(include_url=False, include_input=False):
        field = ".".join(str(part) for part in fault["loc"]) or "ligne"
        cause = fault.get("ctx", {}).get("error")
        told.append(f"{field} : {cause if cause is not None else _french(fault['type'])}")
    return " ; ".join(told)


def _french(kind: str) -> str:
    return "champ absent" if kind == "missing" else "valeur inattendue"
