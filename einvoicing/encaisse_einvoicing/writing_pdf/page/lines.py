"""Say what is invoiced, line by line."""

from decimal import Decimal

from encaisse_einvoicing.model import AllowanceCharge, Line, Period
from encaisse_einvoicing.writing_pdf.page import french
from encaisse_einvoicing.writing_pdf.page.extras import extra_details, property_text
from encaisse_einvoicing.writing_pdf.page.sheet import Row, clean
from encaisse_einvoicing.writing_pdf.page.words import unit_words, words, words_or_code


def row(line: Line, currency: str | None) -> Row:
    """Give one line; everything it says beyond the columns goes below its name."""
    return Row(
        id=clean(line.id),
        name=clean(line.name) or clean(line.description),
        details=tuple(text for text in _details(line, currency) if text),
        quantity=_quantity(line.quantity, line.unit),
        price=_price(line),
        vat=vat_words(line.vat_category, line.vat_rate),
        total="" if line.line_total is None else french.number(line.line_total, 2),
    )


def vat_words(category: str | None, rate: Decimal | None) -> str:
    """Name a VAT: its rate, and its category where the rate does not say it all."""
    said = words("vat", category) if category != "S" else None
    if category not in (None, "S") and said is None:
        said = category
    if rate is None or (said is not None and rate == 0):
        return said or ""
    percent = french.percentage(rate)
    return f"{percent} ({said})" if said else percent


def adjustment(each: AllowanceCharge, currency: str | None) -> tuple[str, str]:
    """Name an allowance or a charge with what it is reckoned on, and give its signed amount."""
    kind = {True: "Frais", False: "Remise", None: "Remise ou frais"}[each.is_charge]
    reason = clean(each.reason) or (each.reason_code and f"code {each.reason_code}") or ""
    label = f"{kind} : {reason}" if reason else kind
    if each.percentage is not None:
        label += f" ({french.percentage(each.percentage)}"
        label += f" de {french.amount(each.base_amount, currency)})" if each.base_amount else ")"
    vat = vat_words(each.vat_category, each.vat_rate)
    label += f", TVA {vat}" if vat else ""
    exempt = (clean(each.vat_exemption_reason), clean(each.vat_exemption_code))
    label += "".join(f", {part}" for part in exempt if part)
    if each.amount is None:
        return label, ""
    signed = each.amount.copy_negate() if each.is_charge is False else each.amount
    return label, french.amount(signed, currency)


def period_words(period: Period | None) -> str:
    """Write a period, or the end of it that is known."""
    if period is None:
        return ""
    start, end = period.start, period.end
    if start is not None and end is not None:
        return f"du {french.day(start)} au {french.day(end)}"
    if start is not None:
        return f"à partir du {french.day(start)}"
    return f"jusqu'au {french.day(end)}" if end is not None else ""


def _quantity(value: Decimal | None, code: str | None) -> str:
    unit = clean(unit_words(code, value))
    if value is None:
        return unit
    return f"{french.number(value)}{french.SPACE}{unit}" if unit else french.number(value)


def _price(line: Line) -> str:
    if line.net_price is None:
        return ""
    price = french.number(line.net_price, 2)
    base = line.base_quantity
    if base is None or (base == 1 and line.base_quantity_unit in (None, line.unit)):
        return price
    return f"{price} / {_quantity(base, line.base_quantity_unit or line.unit)}"


def _details(line: Line, currency: str | None) -> list[str]:
    period = period_words(line.period)
    found = [
        clean(line.description) if line.name else "",
        clean(line.note),
        f"Période : {period}" if period else "",
        _labelled("Référence", line.seller_item_id),
        _labelled("Votre référence", line.buyer_item_id),
        _labelled(
            words_or_code("scheme", line.standard_item_id_scheme) or "Référence normalisée",
            line.standard_item_id,
        ),
        _labelled("Ligne de commande", line.order_line),
        _labelled("Imputation", line.accounting_reference),
        _labelled("Origine", words_or_code("country", line.origin_country)),
    ]
    found += [_labelled("Objet", each.value) for each in line.objects]
    found += [property_text(each) for each in line.properties]
    found += [
        _labelled(f"Classement {each.scheme or ''}".strip(), each.code) for each in line.classes
    ]
    if line.gross_price is not None and line.gross_price != line.net_price:
        gross = f"Prix brut : {french.number(line.gross_price, 2)}"
        less = line.price_discount
        found.append(gross if less is None else f"{gross}, rabais {french.number(less, 2)}")
    for each in line.allowances_charges:
        label, amount = adjustment(each, currency)
        found.append(f"{label} : {amount}" if amount else label)
    found += extra_details(line.extensions, currency)
    return found


def _labelled(label: str, value: str | None) -> str:
    text = clean(value)
    return f"{label} : {text}" if text else ""
