"""Rows as the older Factomos interface writes them: numeric ids, trimmed amounts, all as text."""

from __future__ import annotations

import re
from datetime import date

from encaisse_simulator.factomos.account import Account, Contact, Invoice, Mail
from encaisse_simulator.factomos.refusals import Refused
from encaisse_simulator.factomos.rows import contact_row, invoice_row
from encaisse_simulator.paris import PARIS
from encaisse_simulator.wire import Json

_AMOUNT = re.compile(r"(-?)([0-9]{1,10})(?:\.([0-9]{1,2}))?")
FIGURES = (
    "figures_total_withoutvat",
    "figures_total_vat",
    "figures_total_withvat",
    "figures_paid",
    "figures_due",
)


def listed(invoice: Invoice, account: Account, today: date) -> dict[str, Json]:
    """Write one row of a list: a document key is never told there."""
    return {
        **_common(invoice, account, today),
        "document_key": False,
        "payment_amount_total": "0",
        "is_exported": "0",
        "is_recurring": "1" if invoice.recurring else "0",
        "downpayment_percent": "0",
        "downpayment_amount": "0",
        "downpayment_paid_mention": "paid",
        "downpayment_term": None,
        "invoice_tags": ",".join(invoice.tags),
    }


def alone(invoice: Invoice, account: Account, today: date) -> dict[str, Json]:
    """Write one invoice asked for by its id."""
    return {
        **_common(invoice, account, today),
        "document_key": invoice.document_key or False,
        "invoice_format": "F%m%y%04d",
    }


def client(contact: Contact, account: Account) -> dict[str, Json]:
    """Write one card under the documented names."""
    row = contact_row(contact)
    return {
        "client_id": account.serial(contact.pid),
        **{name: value for name, value in row.items() if name not in _RENAMED},
        "client_address_more": "",
        **{there: row[here] for here, there in _RENAMED.items() if there},
    }


_RENAMED = {
    "pid": "",
    "client_firstname": "client_contact_firstname",
    "client_lastname": "client_contact_lastname",
    "client_phone": "client_phonenumber",
}
"""Names of REST v1 and the documented ones."""


def mail(sent: Mail, invoice: Invoice, account: Account) -> dict[str, Json]:
    """Write one e-mail of the history."""
    return {
        "id": str(sent.number),
        "invoice_id": account.serial(invoice.pid),
        "template_type": sent.template,
        "email_to": invoice.contact.email,
        "email_subject": f"Facture {invoice.number}",
        "email_content": f"Bonjour, la facture {invoice.number} reste ouverte.",
        "email_date": sent.at.astimezone(PARIS).strftime("%Y-%m-%d %H:%M:%S"),
        "email_attachment": "",
        "email_viewed": "0",
    }


def cents(value: str | None, most: int) -> int:
    """Read an amount; refuse what is none, is zero, or is beyond sense."""
    found = _AMOUNT.fullmatch(value or "")
    if found is None:
        raise Refused("bad_amount")
    sign, whole, decimals = found.groups()
    amount = int(whole) * 100 + int((decimals or "").ljust(2, "0"))
    if not 0 < amount < most:
        raise Refused("bad_amount")
    return -amount if sign else amount


def _common(invoice: Invoice, account: Account, today: date) -> dict[str, Json]:
    row = invoice_row(invoice, today)
    kept = {name: row[name] for name in _KEPT}
    figures = {name: _trimmed(str(row[name])) for name in FIGURES}
    return {
        "id": account.serial(invoice.pid),
        "client_id": account.serial(invoice.contact.pid),
        **kept,
        **figures,
        "articleList": [],
        "estimate_id": "0",
        "exists": True,
        "invoice_formated_year": str(invoice.issued.year),
        "invoice_paid_mention": "pay_before",
    }


_KEPT = (
    "invoice_formated_number",
    "client_company_name",
    "invoice_status",
    "invoice_type",
    "document_title",
    "payment_term_fr",
    "unix_timestamp",
)


def _trimmed(text: str) -> str:
    """Write `26100` and `5115.6`, as the vendor's examples do."""
    return text.rstrip("0").rstrip(".")
