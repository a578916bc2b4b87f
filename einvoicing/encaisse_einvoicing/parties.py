"""Hold who takes part in an invoice, and the frozen part every other is made of."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

SirenSource = Literal["legal_id", "siret", "vat"]


class Part(BaseModel):
    """Be a frozen part of an invoice that accepts no unknown field."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Identifier(Part):
    """Name something by a value and the code of the register it comes from (ISO 6523, EAS)."""

    value: str | None = None
    scheme: str | None = None


class Address(Part):
    """Place a party or a delivery (BG-5, BG-8, BG-12, BG-15)."""

    line_1: str | None = None  # BT-35, BT-50
    line_2: str | None = None  # BT-36, BT-51
    line_3: str | None = None  # BT-162, BT-163
    city: str | None = None  # BT-37, BT-52
    postcode: str | None = None  # BT-38, BT-53
    subdivision: str | None = None  # BT-39, BT-54
    country: str | None = None  # BT-40, BT-55, ISO 3166-1 alpha-2


class Contact(Part):
    """Tell whom to call (BG-6, BG-9)."""

    name: str | None = None  # BT-41, BT-56
    department: str | None = None  # second half of BT-41 in CII, when both are given
    phone: str | None = None  # BT-42, BT-57
    email: str | None = None  # BT-43, BT-58


class Party(Part):
    """Be a seller, a buyer, a payee or a tax representative (BG-4, BG-7, BG-10, BG-11)."""

    name: str | None = None  # BT-27, BT-44, BT-59, BT-62
    trade_name: str | None = None  # BT-28, BT-45
    legal_id: str | None = None  # BT-30, BT-47, BT-61, as written
    legal_id_scheme: str | None = None
    siren: str | None = None  # derived; nine digits with a right key
    siren_source: SirenSource | None = None  # "vat" means deduced from a VAT number
    siret: str | None = None  # fourteen digits with a right key
    vat_id: str | None = None  # BT-31, BT-48, BT-63
    tax_id: str | None = None  # BT-32
    legal_form: str | None = None  # BT-33
    role_code: str | None = None  # UNTDID 3035, in the extended profiles
    ids: tuple[Identifier, ...] = ()  # BT-29, BT-46, BT-60
    endpoint: str | None = None  # BT-34, BT-49
    endpoint_scheme: str | None = None
    address: Address | None = None
    contact: Contact | None = None
