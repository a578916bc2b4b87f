"""What each call of Factomos REST v1 does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias, TypeVar, cast

from encaisse_simulator.factomos.account import STATUSES, Account, Invoice, Payment
from encaisse_simulator.factomos.refusals import CONTENT_TYPE, Refused
from encaisse_simulator.factomos.rows import contact_row, invoice_row, payment_row
from encaisse_simulator.identifiers import OpaqueIds
from encaisse_simulator.wire import Json, Routes, SimRequest, SimResponse, json_response

Kept = TypeVar("Kept")

PER_PAGE = 50
"""Documented maximum of rows per list."""

PAYMENT_TYPES = frozenset({"cb", "check", "especes", "paypal", "virement", "other"})
"""Documented."""

MAX_REFERENCE = 64
"""Assumed."""

_AMOUNT = re.compile(r"-?[0-9]{1,10}(\.[0-9]{1,2})?")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Call:
    """Hold one authenticated call: whose books, which day it is, and what a payment leads to."""

    request: SimRequest
    values: Mapping[str, str]
    account: Account
    today: date
    ids: OpaqueIds
    record: Callable[[Invoice, Payment], None]


def list_invoices(call: Call) -> SimResponse:
    """List invoices, of one status or all."""
    status = call.request.one("status")
    if status is not None and status not in STATUSES:
        raise Refused("bad_status")
    account = call.account
    wanted = account.listed() if status is None else account.of_status(status, call.today)
    return _page(call.request, wanted, lambda each: invoice_row(each, call.today), "invoices")


def read_invoice(call: Call) -> SimResponse:
    """Read one invoice with its articles."""
    return _answer({"invoice": invoice_row(_invoice(call), call.today, with_articles=True)})


def read_pdf(call: Call) -> SimResponse:
    """Give the document as it was attached."""
    document = _invoice(call).document
    if document is None:
        raise Refused("no_document")
    return SimResponse(200, {"content-type": "application/pdf"}, document)


def list_contacts(call: Call) -> SimResponse:
    """List contacts, or those whose name or e-mail holds the keyword."""
    keyword = (call.request.one("keyword") or "").casefold()
    wanted = [
        contact
        for contact in call.account.contacts.values()
        if keyword in contact.company_name.casefold() or keyword in contact.email.casefold()
    ]
    return _page(call.request, wanted, contact_row, "contacts")


def read_contact(call: Call) -> SimResponse:
    """Read one contact."""
    contact = call.account.contacts.get(call.values["pid"])
    if contact is None:
        raise Refused("unknown_contact")
    return _answer({"contact": contact_row(contact)})


def list_payments(call: Call) -> SimResponse:
    """List the payments of an invoice, whole [assumed]."""
    rows = [payment_row(payment) for payment in _invoice(call).payments]
    return _answer({"total_payments": len(rows), "payments": rows})


def create_payment(call: Call) -> SimResponse:
    """Record a payment [assumed]; nothing tells two equal posts apart, so each makes one."""
    invoice = _invoice(call)
    fields = _json_object(call.request.body)
    payment = Payment(
        payment_id=call.ids.draw("pay"),
        cents=_cents(fields.get("montant")),
        kind=_kind(fields.get("type")),
        reference=_reference(fields.get("reference")),
        on=_day(fields.get("payment_date")),
        via="api",
    )
    call.record(invoice, payment)
    return _answer({"payment": payment_row(payment)}, status=201)


Handler: TypeAlias = Callable[[Call], SimResponse]


def routes() -> Routes[Handler]:
    """Give the table of calls."""
    table: Routes[Handler] = Routes()
    table.add("GET", "/invoices", list_invoices)
    table.add("GET", "/invoices/{pid}", read_invoice)
    table.add("GET", "/invoices/{pid}/pdf", read_pdf)
    table.add("GET", "/invoices/{pid}/payments", list_payments)
    table.add("POST", "/invoices/{pid}/payments", create_payment)
    table.add("GET", "/contacts", list_contacts)
    table.add("GET", "/contacts/{pid}", read_contact)
    return table


def _answer(value: Mapping[str, Json], status: int = 200) -> SimResponse:
    return json_response(status, value, media_type=CONTENT_TYPE)


def _invoice(call: Call) -> Invoice:
    invoice = call.account.invoices.get(call.values["pid"])
    if invoice is None:
        raise Refused("unknown_invoice")
    return invoice


def _page(
    request: SimRequest, rows: Sequence[Kept], write: Callable[[Kept], Json], name: str
) -> SimResponse:
    page = _number(request.one("page"), default=1, most=1_000_000)
    per_page = _number(request.one("per_page"), default=PER_PAGE, most=PER_PAGE)
    first = (page - 1) * per_page
    shown = rows[first : first + per_page]
    pagination: dict[str, Json] = {
        "first_row": first,
        "last_row": first + len(shown) - 1,
        f"total_{name}": len(rows),
    }
    return _answer({"pagination": pagination, name: [write(row) for row in shown]})


def _number(text: str | None, *, default: int, most: int) -> int:
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,7}", text) or not 1 <= int(text) <= most:
        raise Refused("bad_page")
    return int(text)


def _json_object(body: bytes) -> dict[str, object]:
    try:
        value: object = json.loads(body)
    except ValueError:
        raise Refused("bad_body") from None
    if not isinstance(value, dict):
        raise Refused("bad_body")
    return cast("dict[str, object]", value)


def _cents(value: object) -> int:
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        raise Refused("bad_amount")
    whole, _, decimals = value.lstrip("-").partition(".")
    cents = int(whole) * 100 + int(decimals.ljust(2, "0"))
    if cents == 0:
        raise Refused("bad_amount")
    return -cents if value.startswith("-") else cents


def _kind(value: object) -> str:
    if not isinstance(value, str) or value not in PAYMENT_TYPES:
        raise Refused("bad_type")
    return value


def _reference(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MAX_REFERENCE:
        raise Refused("bad_reference")
    return value


def _day(value: object) -> date:
    if not isinstance(value, str) or not _ISO_DATE.fullmatch(value):
        raise Refused("bad_date")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise Refused("bad_date") from None
