"""Say who issued an e-invoice and who owes it, from the parties it names."""

from __future__ import annotations

from typing import Literal

from encaisse_api.source import Contact, Debtor, PostalAddress, Seller
from encaisse_einvoicing import Party

PUBLIC_FIRST_DIGITS = ("1", "2")
"""First digits of the SIRENs INSEE gives to public bodies; all others go in order of arrival.

Source: fr.wikipedia.org, « Système d'identification du répertoire des entreprises ». Public bodies
have a payment regime of their own, so one must never be taken for a company. The converse does not
hold: some public undertakings have ordinary numbers.
"""


def seller(party: Party | None) -> Seller:
    """Name who issued it; a SIREN deduced from a VAT number is not offered as the seller's.

    The host compares it with the company to keep strangers' invoices out, and the VAT number of a
    group names another company than the one that sold.
    """
    if party is None:
        return Seller()
    proven = party.siren if party.siren_source != "vat" else None
    return Seller(name=_text(party.name), siren=proven, vat_id=_text(party.vat_id))


def debtor(party: Party | None, told: Literal["individual", "public"] | None = None) -> Debtor:
    """Name the buyer as written, with its kind as the invoice tells it, else as its numbers do."""
    if party is None:
        return Debtor(kind=told or "unknown")
    return Debtor(
        kind=told or _kind(party.siren),
        name=_text(party.name) or _text(party.trade_name),
        siren=party.siren,
        siren_derived=party.siren_source == "vat",
        siret=party.siret,
        vat_id=_text(party.vat_id),
        address=_address(party),
        contacts=_contacts(party),
    )


def paid_to_another(issuer: Party | None, payee: Party | None) -> bool:
    """Tell whether the payee (BG-10) is somebody else than the seller: a factor, as a rule.

    Compared by the strongest identity both have; with none in common, another payee is assumed,
    because collecting a debt that was sold is the worse mistake.
    """
    if payee is None or payee == Party():
        return False
    mine = issuer or Party()
    for own, other in ((mine.siren, payee.siren), (mine.legal_id, payee.legal_id)):
        if own and other:
            return own != other
    if mine.name and payee.name:
        return mine.name.casefold().split() != payee.name.casefold().split()
    return True


def _kind(siren: str | None) -> Literal["company", "public", "unknown"]:
    if siren is None:
        return "unknown"
    return "public" if siren.startswith(PUBLIC_FIRST_DIGITS) else "company"


def _address(party: Party) -> PostalAddress | None:
    place = party.address
    if place is None or place.country is None:
        return None  # BT-55 is mandatory; without it the country would be invented
    lines = (_text(line) for line in (place.line_1, place.line_2, place.line_3))
    return PostalAddress(
        lines=tuple(line for line in lines if line),
        postcode=_text(place.postcode),
        city=_text(place.city),
        country=place.country,
    )


def _contacts(party: Party) -> tuple[Contact, ...]:
    known = party.contact
    if known is None:
        return ()
    found = Contact(name=_text(known.name), email=_text(known.email), phone=_text(known.phone))
    return (found,) if found != Contact() else ()


def _text(value: str | None) -> str | None:
    return (value or "").strip() or None
