"""Hold what an e-invoice says of its sums against each other: rules BR-CO-10 and BR-CO-13 to 16.

Only terms that are there are compared. CEN computes each sum and rounds it to the cent; Factur-X
EXTENDED and EXTENDED-CTC-FR allow a cent for each line, allowance and charge (rules BR-FXEXT-CO and
BR-FREXT-CO), and let lines group other lines, so their lines are not added up here.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from encaisse_einvoicing import Invoice

CENT = Decimal("0.01")
NOTHING = Decimal(0)


def contradiction(invoice: Invoice) -> str | None:
    """Name in French the first two figures that cannot both be right; None where all agree."""
    return next(_contradictions(invoice), None)


def _contradictions(invoice: Invoice) -> Iterator[str]:
    sums = invoice.totals
    extended = "extended" in (invoice.profile or "").casefold()
    parts = len(invoice.lines) + len(invoice.allowances_charges)
    slack = CENT * max(parts, 1) if extended else NOTHING
    if sums.payable is not None and sums.tax_inclusive is not None:
        prepaid, rounding = sums.prepaid or NOTHING, sums.rounding or NOTHING
        if sums.payable != sums.tax_inclusive - prepaid + rounding:
            yield (
                f"le montant à payer {sums.payable} (BT-115) n'est pas le total "
                f"{sums.tax_inclusive} (BT-112) moins le déjà payé {prepaid} (BT-113)"
            )
    taxes = [group.tax for group in invoice.vat_breakdown if group.tax is not None]
    broken_down = sum(taxes, NOTHING)
    tax = broken_down if sums.tax is None else sums.tax
    if sums.tax_inclusive is not None and sums.tax_exclusive is not None:
        computed = sums.tax_exclusive + tax
        if _apart(sums.tax_inclusive, computed, slack):
            yield (
                f"le total TTC {sums.tax_inclusive} (BT-112) n'est pas le total HT "
                f"{sums.tax_exclusive} (BT-109) plus la TVA {tax} (BT-110), soit {computed}"
            )
    whole = bool(taxes) and len(taxes) == len(invoice.vat_breakdown)
    if whole and _apart(tax, broken_down, NOTHING):
        yield (
            f"la TVA totale {tax} (BT-110) n'est pas la somme {broken_down} des TVA par taux "
            "(BT-117)"
        )
    if sums.tax_exclusive is not None and sums.line_total is not None:
        computed = sums.line_total - (sums.allowances or NOTHING) + (sums.charges or NOTHING)
        if _apart(sums.tax_exclusive, computed, 2 * slack):
            yield (
                f"le total HT {sums.tax_exclusive} (BT-109) n'est pas le total des lignes "
                f"{sums.line_total} (BT-106) moins les remises (BT-107) plus les frais (BT-108), "
                f"soit {computed}"
            )
    nets = [line.line_total for line in invoice.lines if line.line_total is not None]
    if sums.line_total is not None and nets and len(nets) == len(invoice.lines) and not extended:
        computed = sum(nets, NOTHING)
        if _apart(sums.line_total, computed, NOTHING):
            yield (
                f"le total des lignes {sums.line_total} (BT-106) n'est pas la somme {computed} "
                "des lignes (BT-131)"
            )


def _apart(stated: Decimal, computed: Decimal, slack: Decimal) -> bool:
    """Tell whether rounding cannot explain the difference; less than a cent is rounding."""
    return abs(stated - computed) >= slack + CENT
