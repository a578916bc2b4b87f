"""Invoices drawn at random from the model itself, whole enough to be written.

Every field of the model is drawn, so that a new one is written and read back by the tests without
a line added here; what the standard makes depend on another field is tidied afterwards.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from types import NoneType
from typing import Final, get_args

from pydantic import BaseModel

from encaisse_einvoicing.model import Invoice, Part, Party
from encaisse_einvoicing.reading.identifiers import french_numbers
from encaisse_einvoicing.terms import Group, table

LETTERS: Final = "abcdefgh éàçœ€&<>'\"/-_.;:!0123456789ÀŒ日"
CODES: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SIRENS: Final = ("123456782", "987654324")
ALWAYS: Final = {
    "invoiced_object.value",
    "lines.extensions.preceding.number",
    "lines.extensions.notes.text",
    "lines.extensions.notes.subject_code",
    "lines.extensions.delivery.location.value",
}


def required(group: Group | None = None, above: str = "") -> Iterator[str]:
    """List the fields the table says a group must have."""
    for member in (table() if group is None else group).members:
        dotted = f"{above}{member.field}"
        if member.cardinality.startswith("1"):
            yield dotted
        if isinstance(member, Group):
            yield from required(member, f"{dotted}.")


REQUIRED: Final = frozenset(required()) | ALWAYS | {"totals.tax", "attachments.id"}


class Draw:
    """Draw one invoice; `density` is how often an optional field is there."""

    def __init__(self, seed: int, density: float) -> None:
        """Start from a seed: the same one gives the same invoice."""
        self.chance: Final = random.Random(seed)
        self.density: Final = density

    def invoice(self, type_code: str) -> Invoice:
        """Draw a whole invoice of this type."""
        raw = self._part(Invoice, "")
        raw["type_code"] = type_code
        raw["currency"], raw["tax_currency"] = "EUR", self.chance.choice(("USD", None))
        _tidy_document(raw, self.chance)
        return Invoice.model_validate(raw)

    def _part(self, model: type[BaseModel], above: str) -> dict[str, object]:
        raw: dict[str, object] = {}
        for name, info in model.model_fields.items():
            dotted = f"{above}{name}"
            whole = name in ("totals", "extensions") or dotted in REQUIRED
            whole = whole or dotted.endswith("address.country")
            if not whole and self.chance.random() > self.density:
                continue
            value = self._value(info.annotation, dotted)
            if value not in ({}, []) or whole:
                raw[name] = value
        if model is Party:
            self._tidy_party(raw, above)
        raw = _tidy(raw, above)
        if model is Party:
            _derive(raw)
        return raw

    def _value(self, annotation: object, dotted: str) -> object:
        args = [each for each in get_args(annotation) if each not in (NoneType, Ellipsis)]
        kind = args[0] if args else annotation
        if getattr(annotation, "__origin__", None) is tuple:
            drawn = [self._value(kind, dotted) for _ in range(self.chance.choice((1, 1, 2, 3)))]
            return [each for each in drawn if each]
        if isinstance(kind, type) and issubclass(kind, Part):
            return self._part(kind, f"{dotted}.")
        if kind is Decimal:
            return Decimal(self.chance.randint(-(10**9), 10**9)).scaleb(-self.chance.randint(0, 4))
        if kind is date:
            return date(2026, 1, 1) + timedelta(days=self.chance.randint(-3000, 3000))
        if kind is bool:
            return self.chance.random() < 0.5
        if dotted.endswith("encoded"):
            return base64.b64encode(self.chance.randbytes(9)).decode()
        return self._text(dotted)

    def _text(self, dotted: str) -> str:
        name = dotted.rpartition(".")[2]
        if name == "tax_point_code":
            return self.chance.choice(("3", "35", "432"))
        if name == "subject_code":
            return "".join(self.chance.choices(CODES[:26], k=3))
        if name in ("text", "description", "payment_terms", "note"):
            lines = self.chance.randint(1, 2)
            return "\n".join(self._words() for _ in range(lines))
        if name.endswith(("code", "scheme", "unit", "currency", "country", "category")):
            return "".join(self.chance.choices(CODES, k=self.chance.randint(1, 4)))
        return self._words()

    def _words(self) -> str:
        text = "".join(self.chance.choices(LETTERS, k=self.chance.randint(1, 14)))
        return " ".join(text.split()) or "x"

    def _tidy_party(self, raw: dict[str, object], above: str) -> None:
        """Give the party numbers that are right or none, and what is derived from them."""
        for field in ("siren", "siren_source", "siret"):
            raw.pop(field, None)
        siren = self.chance.choice(SIRENS)
        match self.chance.randint(0, 4):
            case 0:
                raw["legal_id"], raw["legal_id_scheme"] = siren, "0002"
            case 1:
                raw["ids"] = [{"value": "12345678200002", "scheme": "0009"}]
            case 2:
                raw["vat_id"] = "FR11123456782"
            case _:
                pass
        if above.startswith("tax_representative"):
            raw["vat_id"] = "FR14987654324"


def _tidy(raw: dict[str, object], above: str) -> dict[str, object]:
    """Keep together what says nothing alone."""
    for field, beside in (
        ("endpoint_scheme", "endpoint"),
        ("legal_id_scheme", "legal_id"),
        ("department", "name"),
        ("standard_item_id_scheme", "standard_item_id"),
        ("base_quantity_unit", "base_quantity"),
        ("gross_base_quantity", "base_quantity"),
        ("gross_base_quantity", "gross_price"),
        ("gross_base_quantity_unit", "gross_base_quantity"),
        ("gross_base_quantity_unit", "base_quantity_unit"),
        ("measure_unit", "measure"),
        ("card_holder", "card_number"),
        ("card_network", "card_number"),
        ("price_discount", "gross_price"),
        ("delivery_terms_place", "delivery_terms"),
        ("vat_rate", "vat_category"),
        ("vat_exemption_reason", "vat_category"),
        ("vat_exemption_code", "vat_category"),
        ("filename", "encoded"),
        ("mime", "encoded"),
    ):
        if raw.get(beside) is None and not (
            field.startswith("vat_ex") and above == "lines.extensions."
        ):
            raw.pop(field, None)
    for of_gross in ("gross_base_quantity", "gross_base_quantity_unit"):  # only where it differs
        if of_gross in raw and raw[of_gross] == raw.get(of_gross.removeprefix("gross_")):
            del raw[of_gross]
    if "gross_price" in raw:
        raw.setdefault("price_discount", Decimal("1.50"))
    elif above == "lines.":
        extensions = raw["extensions"]
        assert isinstance(extensions, dict)
        for field in ("price_discount_reason", "price_discount_code"):
            extensions.pop(field, None)
    for value, scheme in (("endpoint", "endpoint_scheme"),
                          ("standard_item_id", "standard_item_id_scheme")):  # fmt: skip
        if value in raw:
            raw.setdefault(scheme, "0225")
    if "encoded" in raw:
        raw["mime"], raw["filename"] = "text/csv", raw.get("filename", "a.csv")
    if isinstance(raw.get("ids"), list):
        ids = raw["ids"]
        assert isinstance(ids, list)
        ids.sort(key=lambda each: each.get("scheme") is not None)  # CII writes them so
    return raw


def _derive(raw: dict[str, object]) -> None:
    """Recognise the numbers of a party as the readers do."""
    address = raw.get("address")
    found = french_numbers(
        _text(raw, "legal_id"),
        _text(raw, "legal_id_scheme"),
        tuple((_text(each, "value"), _text(each, "scheme")) for each in _list(raw, "ids")),
        _text(raw, "vat_id"),
        _text(address, "country") if isinstance(address, dict) else None,
    )
    if found.siren or found.siret:
        raw |= {"siren": found.siren, "siren_source": found.source, "siret": found.siret}


def _tidy_document(raw: dict[str, object], chance: random.Random) -> None:
    extensions, totals = raw["extensions"], raw["totals"]
    assert isinstance(extensions, dict) and isinstance(totals, dict)
    if raw["tax_currency"] is None:
        totals.pop("tax_accounting", None)
    for field, beside in (
        ("project_name", "project_reference"),
        ("contract_date", "contract_reference"),
        ("contract_type", "contract_reference"),
        ("despatch_date", "despatch_advice"),
        ("order_date", "order_reference"),
    ):
        if beside not in raw:
            extensions.pop(field, None)
    instalments = _list(raw, "instalments")
    for number, each in enumerate(instalments):
        if not each:
            each["amount"] = Decimal(number)
    if instalments:
        instalments[0]["amount"] = Decimal("12.00")
        unique: list[dict[str, object]] = []
        for each in instalments:
            if each not in unique:
                unique.append(each)
        raw["instalments"] = unique
        dates = [each["due_date"] for each in unique if "due_date" in each]
        raw["due_date"] = max(dates) if dates else None  # type: ignore[type-var]
    if "remittance_information" in raw or "mandate_reference" in raw or "payer" in extensions:
        raw.setdefault("payment_means", [{"code": "58"}])


def _text(raw: dict[str, object], key: str) -> str | None:
    value = raw.get(key)
    return value if isinstance(value, str) else None


def _list(raw: dict[str, object], key: str) -> list[dict[str, object]]:
    value = raw.get(key)
    return value if isinstance(value, list) else []


def model_paths(model: type[BaseModel] = Invoice, above: str = "") -> Iterator[str]:
    """List every single field of the model, dotted."""
    for name, info in model.model_fields.items():
        parts = _models(info.annotation)
        if not parts:
            yield f"{above}{name}"
        for part in parts:
            yield from model_paths(part, f"{above}{name}.")


def _models(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for each in get_args(annotation) for found in _models(each)]


def said_paths(part: BaseModel, above: str = "") -> Iterator[str]:
    """List the fields an invoice has a value in, dotted, without numbers."""
    for name in type(part).model_fields:
        value = getattr(part, name)
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, BaseModel):
                yield from said_paths(each, f"{above}{name}.")
            elif each is not None:
                yield f"{above}{name}"
