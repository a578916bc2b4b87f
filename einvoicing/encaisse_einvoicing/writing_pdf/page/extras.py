"""Say what the extended profiles add to a line: French (EXTENDED-CTC-FR) and Factur-X EXTENDED."""

from collections.abc import Iterator

from encaisse_einvoicing.model import ItemProperty, LineExtensions, LinePreceding
from encaisse_einvoicing.writing_pdf.page import french
from encaisse_einvoicing.writing_pdf.page.parties import dated, delivery_text, party_text
from encaisse_einvoicing.writing_pdf.page.sheet import clean
from encaisse_einvoicing.writing_pdf.page.titles import title
from encaisse_einvoicing.writing_pdf.page.words import unit_words, words_or_code


def extra_details(extra: LineExtensions, currency: str | None) -> Iterator[str]:
    """Give each thing said beyond EN 16931, one text each; an empty text says nothing.

    What a line is comes first: one that groups others, or only informs, is not to be paid twice.
    """
    yield _labelled("Nature de la ligne", words_or_code("subtype", extra.subtype))
    yield _labelled("Ligne du regroupement", extra.parent_line)
    yield _labelled("Commande", dated(extra.order_reference, extra.order_date))
    yield _labelled("Vente", _with_line(extra.sales_order_reference, extra.sales_order_line))
    yield _labelled(
        "Bon de livraison", _with_line(extra.despatch_advice, extra.despatch_advice_line)
    )
    yield _labelled(
        "Conditions de livraison", _both(extra.delivery_terms, extra.delivery_terms_place)
    )
    yield _labelled("Motif du rabais", extra.price_discount_reason or extra.price_discount_code)
    yield _labelled(
        "Exonération de TVA", _both(extra.vat_exemption_reason, extra.vat_exemption_code)
    )
    if extra.delivery is not None:
        yield _labelled("Livraison", delivery_text(extra.delivery))
    if extra.item_seller is not None:
        yield _labelled("Vendu par", party_text(extra.item_seller))
    for each in extra.preceding:
        yield _labelled("Facture d'origine", _preceding(each))
    for total in extra.tax_totals:
        if total.amount is not None:
            yield f"TVA : {french.amount(total.amount, total.currency or currency)}"
    if extra.tax_inclusive is not None:
        yield f"Total TTC : {french.amount(extra.tax_inclusive, currency)}"
    for note in extra.notes:
        yield _labelled(words_or_code("note", note.subject_code) or "Note", note.text)


def property_text(each: ItemProperty) -> str:
    """Write a property of an item: its name, then its value or measure."""
    measure = ""
    if each.measure is not None:
        measure = f"{french.number(each.measure)} {unit_words(each.measure_unit, each.measure)}"
    said = ", ".join(part for part in (clean(each.value), measure.strip()) if part)
    name = " ".join(part for part in (clean(each.name), _code(each.code)) if part)
    return f"{name} : {said}" if name and said else name or said


def _preceding(each: LinePreceding) -> str:
    kind = "" if each.type_code is None else title(each.type_code)
    number = _with_line(dated(each.number, each.issue_date), each.line)
    return " ".join(part for part in (kind, number) if part)


def _with_line(reference: str | None, line: str | None) -> str:
    said = (clean(reference), f"ligne {clean(line)}" if line else "")
    return ", ".join(part for part in said if part)


def _both(first: str | None, second: str | None) -> str:
    said = (clean(first), clean(second))
    return ", ".join(part for part in said if part)


def _code(code: str | None) -> str:
    return f"({clean(code)})" if code else ""


def _labelled(label: str, value: str | None) -> str:
    text = clean(value)
    return f"{label} : {text}" if text else ""
