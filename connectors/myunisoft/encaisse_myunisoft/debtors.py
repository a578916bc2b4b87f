"""Tell who a customer is from the card of its account. Pure.

`GET /mad/accounts` (MAD/specs/v1.0.0/account.html). Only a SIREN is given, no SIRET; `company` is
there for accounts of third parties only, and each of its parts may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Literal, cast

from pydantic import BeforeValidator, Field, ValidationError
from stdnum.fr import siren as siren_number

from encaisse_api import wire
from encaisse_api.errors import Drift
from encaisse_api.source import Contact, Debtor, PostalAddress
from encaisse_myunisoft import spelling
from encaisse_myunisoft.rows import Id, Name, Row, Words

PUBLIC_FIRST_DIGITS = ("1", "2")
"""First digits of the SIRENs INSEE gives to public bodies; all others go in order of arrival.

Source: fr.wikipedia.org, « Système d'identification du répertoire des entreprises ».
"""

COUNTRIES: Mapping[str, str] = {
    "": "FR",
    "france": "FR",
    "allemagne": "DE",
    "belgique": "BE",
    "espagne": "ES",
    "italie": "IT",
    "luxembourg": "LU",
    "monaco": "MC",
    "pays bas": "NL",
    "portugal": "PT",
    "royaume uni": "GB",
    "suisse": "CH",
}
"""Countries as the card spells them; two letters stand for themselves, others name no country."""


def _lenient(value: object) -> str:
    """Read a text of a card; a card's odd field must not hide the customer."""
    try:
        return spelling.words(value)
    except ValueError:
        return ""


Loose = Annotated[str, BeforeValidator(_lenient)]


class AddressRow(Row):
    """Be an address."""

    full_name: Loose = ""
    address_number: Loose = ""
    locating_index: Loose = ""
    street_type: Loose = ""
    street_name: Loose = ""
    address_complement: Loose = ""
    postal_code: Loose = ""
    city: Loose = ""
    country: Loose = ""


class ContactRow(Row):
    """Be a person at the customer's."""

    firstname: Loose = ""
    lastname: Loose = ""
    phone_number: Loose = ""
    email: Loose = ""


class MoreRow(Row):
    """Be what is left of a card."""

    language: Loose = ""


def _rows(value: object) -> object:
    return [row for one in wire.rows(value) or () if (row := wire.members(one))]


def _object(value: object) -> object:
    return wire.members(value) or None


class CompanyRow(Row):
    """Be the card of a third party."""

    name: Loose = ""
    siren: Loose = Field(default="", alias="SIREN")
    address: Annotated[AddressRow | None, BeforeValidator(_object)] = None
    contacts: Annotated[tuple[ContactRow, ...], BeforeValidator(_rows)] = ()
    miscellaneous: Annotated[MoreRow | None, BeforeValidator(_object)] = None


class AccountRow(Row):
    """Be one account."""

    producer_id: Id
    number: Name
    name: Words = ""
    closed: bool | None = None
    company: Annotated[CompanyRow | None, BeforeValidator(_object)] = None


def accounts(answer: object) -> dict[str, AccountRow]:
    """Read accounts by number; one that cannot be read is left out, the list itself must be one."""
    if not isinstance(answer, list):
        raise Drift(
            "Plan comptable de MyUnisoft : pas de liste de comptes. La réponse est conservée.",
            raw=wire.write(answer),
        )
    found: dict[str, AccountRow] = {}
    for raw in cast("list[object]", answer):
        try:
            row = AccountRow.model_validate(raw)
        except ValidationError:
            continue  # its lines still name the account; the customer is then unidentified
        found[row.number] = row
    return found


def debtor(number: str, name: str, card: AccountRow | None) -> Debtor:
    """Identify the customer of an account; by name alone where there is no card."""
    company = card.company if card is not None else None
    if company is None:
        known = (card.name if card is not None else "") or name
        return Debtor(ref=number, name=_cut(known))
    siren = re.sub(r"\s", "", company.siren)
    valid = _is_siren(siren)
    return Debtor(
        ref=number,
        kind=_kind(siren) if valid else "unknown",
        name=_cut(company.name or (card.name if card is not None else "") or name),
        siren=siren if valid else None,
        address=_address(company.address),
        contacts=tuple(found for one in company.contacts if (found := _contact(one)) is not None),
        language=_cut(company.miscellaneous.language) if company.miscellaneous else None,
    )


@lru_cache(maxsize=4096)  # a customer's key is checked once, not with each of his invoices
def _is_siren(text: str) -> bool:
    return bool(siren_number.is_valid(text)) and text.isascii()


def _kind(siren: str) -> Literal["company", "public"]:
    return "public" if siren.startswith(PUBLIC_FIRST_DIGITS) else "company"


def _contact(row: ContactRow) -> Contact | None:
    contact = Contact(
        name=_cut(f"{row.firstname} {row.lastname}"),
        email=_cut(row.email),
        phone=_cut(row.phone_number),
    )
    return contact if contact != Contact() else None


def _address(row: AddressRow | None) -> PostalAddress | None:
    if row is None:
        return None
    written = row.country.strip()
    code = COUNTRIES.get(spelling.plain(written)) or written.upper()
    street = row.full_name or " ".join(
        part
        for part in (row.address_number, row.locating_index, row.street_type, row.street_name)
        if part
    )
    lines = tuple(line for line in (_cut(street), _cut(row.address_complement)) if line)
    if not re.fullmatch(r"[A-Z]{2}", code) or not (lines or row.postal_code or row.city):
        return None  # a country we cannot name must not become France
    return PostalAddress(
        lines=lines, postcode=_cut(row.postal_code), city=_cut(row.city), country=code
    )


def _cut(text: str) -> str | None:
    return text.strip()[:512] or None
