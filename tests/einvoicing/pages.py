"""Invoices for pages: one that fills every field, and ones made of odd texts; what a page says."""

from __future__ import annotations

import io
import types
import typing
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count

import pypdf
from hypothesis import strategies as st
from pydantic import BaseModel

from encaisse_einvoicing import Invoice
from encaisse_einvoicing.model import (
    Address,
    AllowanceCharge,
    Attachment,
    Instalment,
    Line,
    Note,
    Party,
    PaymentMeans,
    Totals,
    VatSubtotal,
)

WHEN = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


def text_of(pdf: bytes) -> str:
    """Give all a page says, without the spaces and invisible places to cut."""
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    return bare("".join(page.extract_text() for page in reader.pages))


def bare(text: str) -> str:
    return "".join(text.split()).replace("\u200b", "")


class Filling:
    """Fill every field of a model with a value of its own, and remember which field has which."""

    def __init__(self) -> None:
        self.numbers = count(101)
        self.values: dict[str, str | Decimal | date] = {}

    def fill(self, model: type[BaseModel], path: str = "") -> BaseModel:
        made: dict[str, object] = {}
        for name, field in model.model_fields.items():
            made[name] = self.value(field.annotation, f"{path}.{name}" if path else name)
        return model.model_validate(made)

    def value(self, annotation: object, path: str) -> object:
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if origin is tuple:
            return (self.value(arguments[0], path),)
        if origin in (typing.Union, types.UnionType):
            return self.value(next(each for each in arguments if each is not type(None)), path)
        if origin is typing.Literal:
            return arguments[0]
        if annotation is bool:
            return True
        assert isinstance(annotation, type), (path, annotation)
        if issubclass(annotation, BaseModel):
            return self.fill(annotation, path)
        return self.values.setdefault(path, self.scalar(annotation, path))

    def scalar(self, annotation: type, path: str) -> str | Decimal | date:
        number = next(self.numbers)
        if annotation is Decimal:
            return Decimal(number) + Decimal("0.25")
        if annotation is date:
            return date(2020, 1, 1) + timedelta(days=number)
        assert annotation is str, (path, annotation)
        if path.endswith(".siren"):
            return f"{number:09}"
        return f"{number:014}" if path.endswith(".siret") else f"texte{number}"


odd_letters = st.sampled_from(
    "aZ09 _-/#$*[]@<>\\\"'`~{}&%=éàçœ€ŸΩЖعא中😀\u0301\u200b\u2028\u0085\u00ad\ue000"
)
odd_texts = st.text(odd_letters, max_size=25) | st.sampled_from(
    [
        "",
        "W" * 90,
        '#panic("x")',
        '#read("template.typ")',
        "*gras* _penché_ $x^2$ `code` <tag> @ref \\ // /* --- ...",
        "مرحبا بالعالم",
        "\u202e1 000,00 €\u202c",
        "ligne 1\r\nligne 2\n\n\tligne 3\x00",
        "e\u20dd 👨‍👩‍👧 ﷽ \U000e0001",
    ]
)
texts = st.none() | odd_texts
findable = st.text(st.sampled_from("AZaz09#$*[]@<>\\_-/.\"'~`{}&"), min_size=1, max_size=50)
amounts = st.none() | st.decimals(-(10**12), 10**12, places=2)
quantities = st.none() | st.decimals(-(10**6), 10**6, places=4) | st.just(Decimal("1E+40"))
days = st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31))
parties = st.builds(
    Party,
    name=texts,
    trade_name=texts,
    legal_id=texts,
    vat_id=texts,
    siren=st.none() | st.just("123456782"),
    endpoint=texts,
    endpoint_scheme=texts,
    address=st.none() | st.builds(Address, line_1=texts, city=texts, country=texts),
)
adjustments = st.builds(
    AllowanceCharge,
    is_charge=st.none() | st.booleans(),
    amount=amounts,
    percentage=quantities,
    reason=texts,
)
few = 2
odd_invoices = st.builds(
    Invoice,
    number=findable,
    issue_date=days,
    due_date=days,
    type_code=st.sampled_from(["380", "381", "384", "999", None]) | texts,
    currency=st.sampled_from(["EUR", "JPY", None]) | texts,
    process=texts,
    buyer_reference=texts,
    payment_terms=texts,
    seller=st.none() | parties,
    buyer=st.none() | parties,
    payee=st.none() | parties,
    notes=st.lists(st.builds(Note, subject_code=texts, text=texts), max_size=few),
    payment_means=st.lists(
        st.builds(PaymentMeans, code=texts, account=texts, bic=texts), max_size=few
    ),
    instalments=st.lists(st.builds(Instalment, due_date=days, amount=amounts), max_size=few),
    allowances_charges=st.lists(adjustments, max_size=few),
    attachments=st.lists(st.builds(Attachment, filename=texts, uri=texts), max_size=few),
    vat_breakdown=st.lists(
        st.builds(VatSubtotal, taxable=amounts, tax=amounts, category=texts, rate=quantities),
        max_size=few,
    ),
    totals=st.builds(Totals, tax_exclusive=amounts, prepaid=amounts, payable=amounts),
    lines=st.lists(
        st.builds(
            Line,
            id=texts,
            name=texts,
            description=texts,
            quantity=quantities,
            unit=st.sampled_from(["C62", "HUR"]) | texts,
            net_price=quantities,
            line_total=amounts,
            vat_category=texts,
            vat_rate=quantities,
        ),
        max_size=few,
    ),
)


def strings(value: object) -> Iterator[str]:
    """Give every text of a sheet turned into plain data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from strings(each)
