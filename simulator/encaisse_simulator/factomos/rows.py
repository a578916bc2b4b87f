"""Rows as Factomos writes them: text amounts, two-digit years, `false` for no document."""

from __future__ import annotations

from datetime import date

from encaisse_simulator.factomos.account import Contact, Invoice, Payment
from encaisse_simulator.paris import paris_midnight
from encaisse_simulator.wire import Json

NO_DATE = "00/00/00"
"""Documented: no payment term."""

VAT_PERCENT = 20


def invoice_row(invoice: Invoice, today: date, *, with_articles: bool = False) -> dict[str, Json]:
    """Write one invoice [field names fac-legacy; `pid` fac-php; `origin_invoice_id` assumed]."""
    without_vat = _share(invoice.total_cents)
    vat = invoice.total_cents - without_vat
    articles: list[Json] = []
    if with_articles:
        articles.append(
            {
                "article_title": invoice.title,
                "article_quantity": "1",
                "article_unit_price": euros(without_vat),
                "article_vat_rate": str(VAT_PERCENT),
            }
        )
    return {
        "pid": invoice.pid,
        "invoice_formated_number": invoice.number,
        "client_id": invoice.contact.pid,
        "client_company_name": invoice.contact.company_name,
        "invoice_status": invoice.status(today),
        "invoice_type": "down-payment" if invoice.kind == "down-payment" else "invoice",
        "document_title": invoice.title,
        "document_key": invoice.document_key if invoice.document is not None else False,
        "figures_total_withoutvat": euros(without_vat),
        "figures_total_vat": euros(vat),
        "figures_total_withvat": euros(invoice.total_cents),
        "figures_paid": euros(invoice.paid_cents),
        "figures_due": euros(invoice.due_cents),
        "payment_term_fr": NO_DATE if invoice.due is None else invoice.due.strftime("%d/%m/%y"),
        "unix_timestamp": str(int(paris_midnight(invoice.issued).timestamp())),
        "invoice_tags": list(invoice.tags),
        "is_recurring": "1" if invoice.recurring else "0",
        "is_exported": "0",
        "estimate_id": False,
        "origin_invoice_id": invoice.origin_pid or False,
        "articleList": articles,
    }


def contact_row(contact: Contact) -> dict[str, Json]:
    """Write one contact [names fac-legacy; the parts of the address assumed]."""
    return {
        "pid": contact.pid,
        "client_company_name": contact.company_name,
        "client_address": contact.address,
        "client_zipcode": contact.postcode,
        "client_city": contact.city,
        "client_country": contact.country,
        "number_siret": contact.siret,
        "number_tva": contact.vat_number,
        "client_email": contact.email,
        "client_firstname": contact.first_name,
        "client_lastname": contact.last_name,
        "client_phone": contact.phone,
        "client_lang": contact.language,
        "client_code_analytic": contact.analytic_code,
        "category": contact.category,
    }


def payment_row(payment: Payment) -> dict[str, Json]:
    """Write one payment [names of the documented write; reading it back is assumed]."""
    return {
        "payment_id": payment.payment_id,
        "montant": euros(payment.cents),
        "type": payment.kind,
        "reference": payment.reference,
        "payment_date": payment.on.isoformat(),
    }


def euros(cents: int) -> str:
    """Write cents as a decimal text."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{rest:02d}"


def _share(total_cents: int) -> int:
    """Take 20 % VAT out of a total, to the nearest cent, halves away from zero."""
    sign = -1 if total_cents < 0 else 1
    doubled, base = abs(total_cents) * 200, 100 + VAT_PERCENT
    return sign * ((doubled + base) // (2 * base))
