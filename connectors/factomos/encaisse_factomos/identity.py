"""Tell who a customer is from what its card says: SIRET first, VAT number last."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from stdnum.exceptions import ValidationError
from stdnum.fr import siren as siren_number
from stdnum.fr import siret as siret_number
from stdnum.fr import tva as vat_number

PUBLIC_FIRST_DIGITS = ("1", "2")
"""First digits of the SIRENs INSEE gives to public bodies; all others go in order of arrival.

Source: fr.wikipedia.org, « Système d'identification du répertoire des entreprises ». Public bodies
have a payment regime of their own, so one must never be taken for a company. The converse does not
hold: some public undertakings have ordinary numbers.
"""
MONACO = "000"
"""Digits after the key of a Monaco VAT number: valid for VAT, no SIREN follows."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Hold what could be established; `derived` when the SIREN was cut from a VAT number."""

    kind: Literal["company", "public", "unknown"] = "unknown"
    siren: str | None = None
    siret: str | None = None
    derived: bool = False


@lru_cache(maxsize=4096)  # a customer's keys are checked once, not with each of his invoices
def identify(siret: str | None, vat: str | None) -> Identity:
    """Establish the SIREN, checking every key.

    A SIRET field with nine digits holds a SIREN. A number with a wrong key says nothing: it is
    dropped rather than corrected, and the host shows the debtor as unidentified.
    """
    number = siret_number.compact(siret or "")
    try:
        if len(number) == 14:
            number = siret_number.validate(number)
            return Identity(_kind(number), number[:9], number)
        number = siren_number.validate(number)
        return Identity(_kind(number), number)
    except ValidationError:
        return _from_vat(vat)


def _from_vat(vat: str | None) -> Identity:
    text = (vat or "").strip().upper()
    if not text.startswith("FR"):
        return Identity()
    try:
        number = vat_number.validate(text)[2:]
    except ValidationError:
        return Identity()
    if number.startswith(MONACO):
        return Identity()
    return Identity(_kind(number), number, derived=True)


def _kind(siren: str) -> Literal["company", "public"]:
    return "public" if siren.startswith(PUBLIC_FIRST_DIGITS) else "company"
