"""Say what it comes to, and how it is paid."""

from decimal import Decimal

from encaisse_einvoicing.model import Invoice, PaymentMeans
from encaisse_einvoicing.writing_pdf.page import french
from encaisse_einvoicing.writing_pdf.page.lines import vat_words
from encaisse_einvoicing.writing_pdf.page.sheet import Pair, VatRow, clean, pairs
from encaisse_einvoicing.writing_pdf.page.words import words, words_or_code


def vat_rows(invoice: Invoice) -> tuple[VatRow, ...]:
    """Give the VAT table: what is taxed, at which rate, for how much."""
    return tuple(
        VatRow(
            vat_words(each.category, each.rate),
            _amount(each.taxable, invoice.currency),
            _amount(each.tax, invoice.currency),
        )
        for each in invoice.vat_breakdown
    )


def exemptions(invoice: Invoice) -> tuple[str, ...]:
    """Give the reasons for which no VAT is due; the law wants them on the invoice (CGI ann. II
    art. 242 nonies A)."""
    found: dict[str, None] = {}
    for each in invoice.vat_breakdown:
        reason, code = clean(each.exemption_reason), clean(each.exemption_code)
        said = f"{reason} ({code})" if reason and code else reason or code
        if said:
            found.setdefault(said)
    return tuple(found)


def totals(invoice: Invoice) -> tuple[Pair, ...]:
    """Give the totals that lead to what is due, each as the invoice states it."""
    sums, currency = invoice.totals, invoice.currency
    adjusted = sums.allowances or sums.charges
    stated: list[tuple[str, Decimal | None, str | None]] = [
        ("Total des lignes HT", sums.line_total if adjusted else None, currency),
        ("Remises", _opposite(sums.allowances) if sums.allowances else None, currency),
        ("Frais", sums.charges or None, currency),
        ("Total HT", sums.tax_exclusive, currency),
        ("TVA", sums.tax, currency),
        (f"TVA en {invoice.tax_currency}", sums.tax_accounting, invoice.tax_currency),
        ("Total TTC", sums.tax_inclusive, currency),
        ("Déjà payé", _opposite(sums.prepaid) if sums.prepaid else None, currency),
        ("Arrondi", sums.rounding or None, currency),
    ]
    return tuple(
        (label, french.amount(value, unit)) for label, value, unit in stated if value is not None
    )


def due(invoice: Invoice) -> Pair:
    """Give what is due in the end (BT-115), and to whom; no amount where the invoice says none."""
    label = "Net à votre crédit" if _is_credit(invoice) else "Net à payer"
    return label, _amount(invoice.totals.payable, invoice.currency)


def due_by(invoice: Invoice) -> Pair:
    """Say by when to pay; nothing where échéances say it or where nothing is due."""
    payable = invoice.totals.payable
    if invoice.instalments or (payable is not None and payable <= 0):
        return "", ""
    verb = "À rembourser" if _is_credit(invoice) else "À régler"
    return f"{verb} au plus tard le", french.day(invoice.due_date)


def _is_credit(invoice: Invoice) -> bool:
    return words("credit", invoice.type_code) is not None


def instalments(invoice: Invoice) -> tuple[Pair, ...]:
    """Give each échéance: its day, its amount."""
    return tuple(
        (french.day(each.due_date), _amount(each.amount, invoice.currency))
        for each in invoice.instalments
    )


def payment(invoice: Invoice) -> tuple[tuple[Pair, ...], ...]:
    """Give each way to pay, then what to write with the payment."""
    ways = [_means(each) for each in invoice.payment_means]
    ways.append(
        pairs(
            ("Référence à rappeler", invoice.remittance_information),
            ("Mandat de prélèvement", invoice.mandate_reference),
            ("Identifiant du créancier", invoice.creditor_id),
        )
    )
    return tuple(way for way in ways if way)


def _means(means: PaymentMeans) -> tuple[Pair, ...]:
    return pairs(
        ("Moyen de paiement", clean(means.text) or words_or_code("means", means.code)),
        ("IBAN" if _is_iban(means.account) else "Compte", means.account and _account(means)),
        ("BIC", means.bic),
        ("Titulaire", means.account_name),
        ("Carte", means.card_number),
        ("Titulaire de la carte", means.card_holder),
        ("Réseau", means.card_network),
        ("Compte débité", means.debited_account and french.account(means.debited_account)),
    )


def _is_iban(text: str | None) -> bool:
    return text is not None and french.account(text) != text


def _account(means: PaymentMeans) -> str:
    return french.account(means.account or "")


def _opposite(value: Decimal) -> Decimal:
    return value.copy_negate()


def _amount(value: Decimal | None, currency: str | None) -> str:
    return "" if value is None else french.amount(value, currency)
