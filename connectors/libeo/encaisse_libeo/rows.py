"""Describe what the assumed contract sends; everything it may add later is let through.

Names are ours (nobody outside the vendor knows its own). A field that may be missing has a default;
without any other one, the row is set aside.
"""

from __future__ import annotations

from datetime import date, datetime
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
)

from encaisse_api.spelling import Amounts, Days, instant

AMOUNTS = Amounts(places=3)
"""A decimal text with a point, or a JSON number; of which currency stands beside it."""
DAYS = Days(forms=("iso",), none=(None,))
"""A day such as 2026-03-31, null where there is none."""


def _maybe_instant(value: object) -> datetime | None:
    return None if value is None else instant(value)


Amount = Annotated[Decimal, BeforeValidator(AMOUNTS.read)]
Day = Annotated[date, BeforeValidator(DAYS.read)]
MaybeDay = Annotated[date | None, BeforeValidator(DAYS.maybe)]
Instant = Annotated[AwareDatetime, BeforeValidator(instant)]
MaybeInstant = Annotated[AwareDatetime | None, BeforeValidator(_maybe_instant)]
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
