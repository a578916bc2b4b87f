"""What each call of the assumed contract does. All of them read: nothing here is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, get_args

from encaisse_simulator.libeo.account import STATUSES, Account, Direction, Invoice
from encaisse_simulator.libeo.pages import Paging, Shown
from encaisse_simulator.libeo.refusals import Refused
from encaisse_simulator.libeo.rows import company_row, invoice_row
from encaisse_simulator.wire import Json, Routes, SimRequest, SimResponse, json_response


@dataclass(frozen=True, slots=True)
class Call:
    """Hold one authenticated call: whose invoices, and how a list is cut."""

    request: SimRequest
    values: Mapping[str, str]
    account: Account
    paging: Paging
    listed: Callable[[Shown], None]


def read_company(call: Call) -> SimResponse:
    """Read the company of the key; any other does not exist for it."""
    if call.values["siret"] != call.account.siret:
        raise Refused("company_not_found")
    return json_response(200, company_row(call.account))


def list_invoices(call: Call) -> SimResponse:
    """List invoices, oldest change first; without `direction`, both sides.

    Once `updated_since` is given, deleted invoices are listed too, as they have changed.
    """
    asked = _asked(call.request)
    wanted = [invoice for invoice in call.account.changes() if asked(invoice)]
    shown = call.paging.page(wanted)
    call.listed(shown)
    answer: dict[str, Json] = {
        "items": [invoice_row(invoice) for invoice in shown.rows],
        "has_more": shown.next_cursor is not None,
        "next_cursor": shown.next_cursor,
        "total": len(wanted),
    }
    return json_response(200, answer)


def read_invoice(call: Call) -> SimResponse:
    """Read one invoice again."""
    return json_response(200, invoice_row(_invoice(call)))


def read_document(call: Call) -> SimResponse:
    """Give the document as it was attached: a PDF, or the XML of an e-invoice."""
    document = _invoice(call).document
    if document is None:
        raise Refused("document_not_found")
    kind = "application/pdf" if document.startswith(b"%PDF-") else "application/xml"
    return SimResponse(200, {"content-type": kind}, document)


Handler: TypeAlias = Callable[[Call], SimResponse]


def routes() -> Routes[Handler]:
    """Give the table of calls."""
    table: Routes[Handler] = Routes()
    table.add("GET", "/v1/companies/{siret}", read_company)
    table.add("GET", "/v1/invoices", list_invoices)
    table.add("GET", "/v1/invoices/{id}", read_invoice)
    table.add("GET", "/v1/invoices/{id}/document", read_document)
    return table


def _asked(request: SimRequest) -> Callable[[Invoice], bool]:
    direction, status = request.one("direction"), request.one("status")
    since = _moment(request.one("updated_since"))
    if direction is not None and direction not in get_args(Direction):
        raise Refused("invalid_parameter")
    if status is not None and status not in STATUSES:
        raise Refused("invalid_parameter")

    def holds(invoice: Invoice) -> bool:
        if since is None:
            fresh = invoice.deleted_at is None
        else:
            fresh = invoice.updated_at >= since
        return fresh and direction in (None, invoice.direction) and status in (None, invoice.status)

    return holds


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused("invalid_parameter") from None
    if moment.tzinfo is None:
        raise Refused("invalid_parameter")
    return moment


def _invoice(call: Call) -> Invoice:
    invoice = call.account.invoices.get(call.values["id"])
    if invoice is None or invoice.deleted_at is not None:
        raise Refused("invoice_not_found")
    return invoice
