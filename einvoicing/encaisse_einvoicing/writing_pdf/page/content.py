"""Turn an invoice into the texts of its page: everything a person must read, in French.

The mentions are those of CGI ann. II art. 242 nonies A and of C. com. art. L441-9, as far as the
invoice has them: the page adds none of its own.
"""

from encaisse_einvoicing.model import Attachment, Invoice, Note, Preceding
from encaisse_einvoicing.writing_pdf.page import french, lines, money, parties
from encaisse_einvoicing.writing_pdf.page.sheet import Pair, Sheet, clean, pairs
from encaisse_einvoicing.writing_pdf.page.titles import title
from encaisse_einvoicing.writing_pdf.page.words import words, words_or_code


def sheet_of(invoice: Invoice) -> Sheet:
    """Say all an invoice holds; what it does not say is left out, never made up."""
    seller = invoice.seller
    return Sheet(
        title=title(invoice.type_code),
        number=clean(invoice.number),
        author="" if seller is None else clean(seller.name or seller.trade_name),
        facts=_facts(invoice),
        seller=parties.seller_box(invoice),
        parties=parties.other_boxes(invoice),
        references=_references(invoice),
        preceding=tuple(text for each in invoice.preceding if (text := _preceding(each))),
        rows=tuple(lines.row(line, invoice.currency) for line in invoice.lines),
        adjustments=tuple(
            lines.adjustment(each, invoice.currency) for each in invoice.allowances_charges
        ),
        vat=money.vat_rows(invoice),
        exemptions=money.exemptions(invoice),
        totals=money.totals(invoice),
        due=money.due(invoice),
        due_by=money.due_by(invoice),
        instalments=money.instalments(invoice),
        payment=money.payment(invoice),
        terms=clean(invoice.payment_terms),
        notes=tuple(_note(each) for each in invoice.notes if clean(each.text)),
        attachments=tuple(text for each in invoice.attachments if (text := _attachment(each))),
        footer=parties.footer(seller),
    )


def _facts(invoice: Invoice) -> tuple[Pair, ...]:
    """Give what stands below the title: days first, then how VAT and the process are meant."""
    exigible = invoice.tax_point_date
    nature = words("nature", (invoice.process or "")[:1]) if _is_french(invoice.process) else None
    return pairs(
        ("Date", french.day(invoice.issue_date)),
        ("Échéance", french.day(invoice.due_date)),
        ("Période", lines.period_words(invoice.period)),
        ("Nature", nature),
        (
            "TVA exigible",
            f"le {french.day(exigible)}"
            if exigible is not None
            else words_or_code("due", invoice.tax_point_code),
        ),
    )


def _is_french(process: str | None) -> bool:
    """Tell a French process (BT-23: a letter and a digit) from Peppol's or another's."""
    return process is not None and len(process) == 2 and process[1].isdigit()


def _references(invoice: Invoice) -> tuple[Pair, ...]:
    thing, extra = invoice.invoiced_object, invoice.extensions
    terms = [clean(extra.delivery_terms), clean(extra.delivery_terms_place)]
    return pairs(
        ("Votre référence", invoice.buyer_reference),
        ("Commande", parties.dated(invoice.order_reference, extra.order_date)),
        ("Contrat", parties.dated(invoice.contract_reference, extra.contract_date)),
        ("Type de contrat", extra.contract_type),
        ("Projet", invoice.project_reference),
        ("Nom du projet", extra.project_name),
        ("Vente", invoice.sales_order_reference),
        ("Bon de livraison", parties.dated(invoice.despatch_advice, extra.despatch_date)),
        ("Bon de réception", invoice.receiving_advice),
        ("Marché ou lot", invoice.tender_reference),
        ("Objet facturé", None if thing is None else parties.identifier(thing)),
        ("Conditions de livraison", " ".join(each for each in terms if each)),
        ("Imputation", invoice.buyer_accounting_reference),
        ("Cadre de facturation", invoice.process),
    )


def _preceding(each: Preceding) -> str:
    number = parties.dated(each.number, each.issue_date)
    kind = "" if each.type_code is None else title(each.type_code)
    return " ".join(part for part in (kind, number) if part)


def _note(each: Note) -> Pair:
    return words_or_code("note", each.subject_code) or "", clean(each.text)


def _attachment(each: Attachment) -> str:
    name = clean(each.filename) or clean(each.id)
    said = clean(each.description)
    place = clean(each.uri)
    return " – ".join(part for part in (name, said, place) if part)
