"""Know of an invoice what declaring its collection asks for: who, how much, at which VAT rates."""

from datetime import date
from decimal import Decimal
from typing import Final

from encaisse_einvoicing.issues import Refused
from encaisse_einvoicing.model import Invoice, Part, VatSubtotal

OUT_OF_SCOPE: Final = "O"
"""VAT category whose BG-23 group has no rate (BR-O-05): it is declared at 0 %."""


class InvoiceFacts(Part):
    """Be what a 212 needs to know of its invoice."""

    number: str  # BT-1
    issue_date: date  # BT-2
    type_code: str  # BT-3
    currency: str  # BT-5
    total: Decimal  # BT-112
    prepaid: Decimal = Decimal(0)  # BT-113, paid before the invoice was issued
    vat_breakdown: tuple[VatSubtotal, ...]  # BG-23: BT-116, BT-117, BT-118, BT-119
    seller_siren: str  # BT-30
    seller_name: str | None = None  # BT-27
    buyer_siren: str | None = None  # BT-47
    buyer_name: str | None = None  # BT-44
    buyer_endpoint: str  # BT-49
    buyer_endpoint_scheme: str  # 0225 in France

    @classmethod
    def of(cls, invoice: Invoice) -> "InvoiceFacts":
        """Take the facts out of an invoice as read; refuse with the first term that is missing."""
        seller, buyer, totals = invoice.seller, invoice.buyer, invoice.totals
        found = {
            "number": (invoice.number, "BT-1", "le numéro"),
            "issue_date": (invoice.issue_date, "BT-2", "la date"),
            "type_code": (invoice.type_code, "BT-3", "le type"),
            "currency": (invoice.currency, "BT-5", "la devise"),
            "total": (totals.tax_inclusive, "BT-112", "le total TTC"),
            "vat_breakdown": (
                invoice.vat_breakdown or None,
                "BG-23",
                "le détail de la TVA par taux",
            ),
            "seller_siren": (seller and seller.siren, "BT-30", "le SIREN du vendeur"),
            "buyer_endpoint": (
                buyer and buyer.endpoint,
                "BT-49",
                "l'adresse électronique de l'acheteur",
            ),
            "buyer_endpoint_scheme": (
                buyer and buyer.endpoint_scheme,
                "BT-49",
                "le registre de l'adresse électronique de l'acheteur",
            ),
        }
        for value, term, what in found.values():
            if value is None:
                raise Refused(
                    "fact_missing",
                    f"La facture ne dit pas {what} ({term}) : son encaissement ne peut pas être "
                    "déclaré.",
                    term,
                )
        given: dict[str, object] = {field: value for field, (value, _, _) in found.items()}
        return cls.model_validate(
            {
                **given,
                "prepaid": totals.prepaid or Decimal(0),
                "seller_name": seller and seller.name,
                "buyer_siren": buyer and buyer.siren,
                "buyer_name": buyer and buyer.name,
            }
        )


def owed_by_rate(invoice: InvoiceFacts) -> dict[Decimal, Decimal]:
    """Sum the VAT breakdown TTC by rate, highest first; a rate given twice is one.

    Raises `Refused` for a group without its amounts or its rate, and where the sum is not BT-112.
    """
    owed: dict[Decimal, Decimal] = {}
    for group in invoice.vat_breakdown:
        rate = Decimal(0) if group.category == OUT_OF_SCOPE and group.rate is None else group.rate
        if rate is None or rate < 0 or group.taxable is None or group.tax is None:
            raise Refused(
                "breakdown_incomplete",
                f"Facture {invoice.number} : une ligne du détail de la TVA (BG-23) n'a pas sa "
                "base, sa taxe ou son taux ; l'encaissement ne peut pas être réparti par taux.",
                "BG-23",
            )
        owed[rate] = owed.get(rate, Decimal(0)) + group.taxable + group.tax
    if sum(owed.values()) != invoice.total:
        raise Refused(
            "breakdown_does_not_sum",
            f"Facture {invoice.number} : le détail de la TVA fait {sum(owed.values())} TTC, le "
            f"total (BT-112) {invoice.total} ; l'encaissement ne peut pas être réparti par taux.",
            "BG-23",
        )
    return dict(sorted(owed.items(), reverse=True))
