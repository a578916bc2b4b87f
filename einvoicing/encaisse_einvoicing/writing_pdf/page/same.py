"""Hold the invoice of a page against the XML that goes with it: they must be one invoice."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Final

from encaisse_einvoicing.issues import Refused, shortened
from encaisse_einvoicing.model import Invoice, Party, Totals
from encaisse_einvoicing.reading.documents import read_bytes
from encaisse_einvoicing.writing_pdf.files import FILENAME

Said = str | date | Decimal | frozenset[str] | None


def _total(field: str) -> Callable[[Invoice], Said]:
    assert field in Totals.model_fields

    def get(invoice: Invoice) -> Said:
        value: Decimal | None = getattr(invoice.totals, field)
        return value

    return get


def _party(role: str, field: str) -> Callable[[Invoice], Said]:
    assert role in Invoice.model_fields and field in Party.model_fields

    def get(invoice: Invoice) -> Said:
        party: Party | None = getattr(invoice, role)
        value: str | None = None if party is None else getattr(party, field)
        return value

    return get


def _accounts(invoice: Invoice) -> Said:
    return frozenset(each.account for each in invoice.payment_means if each.account) or None


TERMS: Final[tuple[tuple[str, str, Callable[[Invoice], Said]], ...]] = (
    ("BT-1", "numéro", lambda invoice: invoice.number),
    ("BT-2", "date d'émission", lambda invoice: invoice.issue_date),
    ("BT-3", "type", lambda invoice: invoice.type_code),
    ("BT-5", "devise", lambda invoice: invoice.currency),
    ("BT-9", "échéance", lambda invoice: invoice.due_date),
    ("BT-27", "vendeur", _party("seller", "name")),
    ("BT-30", "identifiant du vendeur", _party("seller", "legal_id")),
    ("BT-31", "TVA du vendeur", _party("seller", "vat_id")),
    ("BT-44", "acheteur", _party("buyer", "name")),
    ("BT-47", "identifiant de l'acheteur", _party("buyer", "legal_id")),
    ("BT-59", "bénéficiaire", _party("payee", "name")),
    ("BT-84", "compte à créditer", _accounts),
    ("BT-109", "total HT", _total("tax_exclusive")),
    ("BT-110", "TVA", _total("tax")),
    ("BT-112", "total TTC", _total("tax_inclusive")),
    ("BT-113", "déjà payé", _total("prepaid")),
    ("BT-115", "net à payer", _total("payable")),
    ("BG-25", "total des lignes", lambda invoice: _sum_of_lines(invoice)),
)
"""What two writings of one invoice may not say differently: term, French name, how to read it."""


def check_same(invoice: Invoice, xml: bytes) -> None:
    """Refuse an XML that says another thing than the invoice, for each term the XML says at all.

    A low level says less than the page, which is no contradiction.
    """
    reading = read_bytes(FILENAME, xml)
    if reading.invoice is None:
        issue = reading.issues[0]
        raise Refused(issue.code, issue.message, issue.where)
    for term, label, get in TERMS:
        written, shown = get(reading.invoice), get(invoice)
        if written is not None and written != shown:
            raise Refused(
                "page_differs",
                f"La page et le XML ne seraient pas la même facture : {label} ({term}) est "
                f"{_told(shown)} sur l'une et {_told(written)} dans l'autre. Écrivez le XML à "
                "partir de cette facture.",
                term,
            )


def _sum_of_lines(invoice: Invoice) -> Said:
    amounts = [each.line_total for each in invoice.lines if each.line_total is not None]
    return sum(amounts, Decimal()) if amounts else None


def _told(value: Said) -> str:
    if value is None:
        return "absent"
    text = ", ".join(sorted(value)) if isinstance(value, frozenset) else str(value)
    return f"« {shortened(text)} »"
