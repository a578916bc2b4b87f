"""Say who sells, buys, is paid and is delivered to."""

from datetime import date
from typing import Final

from encaisse_einvoicing.model import Address, Contact, Delivery, Identifier, Invoice, Party
from encaisse_einvoicing.writing_pdf.page import french
from encaisse_einvoicing.writing_pdf.page.sheet import Pair, PartyBox, clean, pairs
from encaisse_einvoicing.writing_pdf.page.words import words, words_or_code

_FOOT: Final = 90
"""Characters of a foot of page: one line of it. All it recalls is said in full at the top."""


def seller_box(invoice: Invoice) -> PartyBox:
    """Give the seller, who always has a place on the page."""
    return _box("Vendeur", invoice.seller or Party())


def other_boxes(invoice: Invoice) -> tuple[PartyBox, ...]:
    """Give the buyer, then whoever else the invoice names."""
    boxes = [_box("Client", invoice.buyer or Party())]
    if invoice.payee is not None:
        boxes.append(_box("À régler à", invoice.payee))
    if invoice.tax_representative is not None:
        boxes.append(_box("Représentant fiscal du vendeur", invoice.tax_representative))
    extra = invoice.extensions
    for label, party in (
        ("Payeur", extra.payer),
        ("Facture adressée à", extra.invoicee),
        ("Facture émise par", extra.invoicer),
        ("Mandataire de l'acheteur", extra.buyer_agent),
        ("Agent du vendeur", extra.sales_agent),
    ):
        if party is not None:
            boxes.append(_box(label, party))
    if invoice.delivery is not None:
        boxes.append(_delivery_box(invoice.delivery))
    return tuple(box for box in boxes if box.name or box.lines or box.facts)


def footer(party: Party | None) -> str:
    """Recall the seller at the foot of each page."""
    if party is None:
        return ""
    said = (
        clean(party.name or party.trade_name),
        clean(party.legal_form),
        f"SIREN{french.SPACE}{french.siren(party.siren)}" if party.siren else "",
        f"TVA{french.SPACE}{clean(party.vat_id)}" if party.vat_id else "",
    )
    whole = " · ".join(text for text in said if text)
    return whole if len(whole) <= _FOOT else f"{whole[:_FOOT]}…"


def party_text(party: Party) -> str:
    """Write a party in one text, for a line."""
    return _flat(_box("", party))


def delivery_text(delivery: Delivery) -> str:
    """Write a delivery in one text, for a line."""
    return _flat(_delivery_box(delivery))


def dated(reference: str | None, day: date | None) -> str:
    """Write a reference with its day: BC-7 du 02/01/2026."""
    said = (clean(reference), "" if day is None else f"du {french.day(day)}")
    return " ".join(part for part in said if part)


def _flat(box: PartyBox) -> str:
    facts = (f"{label} {value}" for label, value in box.facts)
    return ", ".join(part for part in (box.name, *box.lines, *facts) if part)


def identifier(each: Identifier) -> str:
    """Write an identifier with the register it comes from."""
    value = clean(each.value)
    if each.scheme == "0009" and len(value) == 14:
        value = french.siret(value)
    scheme = words_or_code("scheme", each.scheme)
    return f"{value} ({scheme})" if value and scheme else value


def _box(label: str, party: Party) -> PartyBox:
    name = clean(party.name or party.trade_name)
    trade = clean(party.trade_name) if party.name and party.trade_name != party.name else ""
    return PartyBox(
        label,
        name,
        tuple(each for each in (trade, *_address(party.address)) if each),
        _facts(party),
    )


def _facts(party: Party) -> tuple[Pair, ...]:
    contact = party.contact or Contact()
    siren = party.siren if party.siren_source != "vat" else None
    shown = {siren, party.siret, party.siret and f"{party.siret[:9]}"}
    legal = party.legal_id
    legal_label = "Identifiant légal"
    if legal is not None and party.legal_id_scheme not in (None, "0002"):
        legal_label = words_or_code("scheme", party.legal_id_scheme) or legal_label
    endpoint = Identifier(value=party.endpoint, scheme=party.endpoint_scheme)
    return pairs(
        ("SIREN", siren and french.siren(siren)),
        ("SIRET", party.siret and french.siret(party.siret)),
        (legal_label, None if legal in shown else legal),
        ("TVA", party.vat_id),
        ("N° fiscal", party.tax_id),
        ("Forme", party.legal_form),
        ("Rôle", words_or_code("role", party.role_code)),
        *(("Identifiant", identifier(each)) for each in party.ids if each.value not in shown),
        ("Adresse électronique", identifier(endpoint)),
        ("Contact", contact.name),
        ("Service", contact.department),
        ("Téléphone", contact.phone),
        ("Courriel", contact.email),
    )


def _address(address: Address | None) -> tuple[str, ...]:
    """Write an address from the street to the country, as on an envelope; France goes unsaid."""
    if address is None:
        return ()
    town = " ".join(each for each in (clean(address.postcode), clean(address.city)) if each)
    country = "" if address.country == "FR" and town else _country(address.country)
    return tuple(
        text
        for text in (
            clean(address.line_1),
            clean(address.line_2),
            clean(address.line_3),
            town,
            clean(address.subdivision),
            country,
        )
        if text
    )


def _country(code: str | None) -> str:
    return "France" if code == "FR" else words("country", code) or clean(code)


def _delivery_box(delivery: Delivery) -> PartyBox:
    place = delivery.location
    return PartyBox(
        "Livraison",
        clean(delivery.party_name),
        _address(delivery.address),
        pairs(
            ("Lieu", None if place is None else identifier(place)),
            ("Livré le", french.day(delivery.delivered_on)),
        ),
    )
