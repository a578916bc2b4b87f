"""The mapping table agrees with the model and with itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel
from tests.einvoicing.invoices import model_paths

from encaisse_einvoicing import terms_page
from encaisse_einvoicing.model import Invoice
from encaisse_einvoicing.reading import cii, ubl
from encaisse_einvoicing.terms import Group, Kind, TableBroken, parse_table, table

GATHERED = {"terms", "line_notes", "documents", "tax_totals", "registrations"}
"""Groups the readers gather first and lay out otherwise in the invoice."""
ON_THE_WAY = {"payment_means.due_date"}


def _fields(group: Group, prefix: str = "") -> Iterator[tuple[str, bool]]:
    for member in group.members:
        if member.field in GATHERED:
            continue
        dotted = f"{prefix}{member.field}"
        if isinstance(member, Group):
            yield from _fields(member, f"{dotted}.")
        elif member.kind is not Kind.CONSTANT:
            yield dotted, True


def _model_of(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in get_args(annotation):
        found = _model_of(part)
        if found is not None:
            return found
    return None


def test_every_term_of_the_table_has_its_field_in_the_invoice() -> None:
    for dotted, _ in _fields(table()):
        if dotted in ON_THE_WAY:
            continue
        model: type[BaseModel] | None = Invoice
        for name in dotted.split("."):
            assert model is not None and name in model.model_fields, dotted
            model = _model_of(model.model_fields[name].annotation)


def test_the_table_compiles_for_each_syntax_without_a_place_claimed_twice() -> None:
    for plan in (cii.plan(), ubl.invoice_plan(), ubl.credit_note_plan()):
        assert len(plan.root.children) >= 3


def test_the_table_names_every_business_term_of_the_standard() -> None:
    def ids(group: Group) -> Iterator[str]:
        for member in group.members:
            yield from member.id.split("/")
            if isinstance(member, Group):
                yield from ids(member)

    named = {each for each in ids(table()) if each.startswith("BT-")}
    missing = {f"BT-{n}" for n in range(1, 166)} - named
    # EN 16931-1 numbers its terms 1 to 165 and has no BT-4.
    assert missing == {"BT-4"}, sorted(missing)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("BT-1\tnumber\tid\tnuméro", "4 columns"),
        ("BT-1\tnowhere.number\tid\t0..1\tnuméro\ta\tb\t", "no group"),
        ("BT-1\tnumber\tid\tonce\tnuméro\ta\tb\t", "unknown cardinality"),
        ("BT-1\tnumber\tmoney\t0..1\tnuméro\ta\tb\t", "unknown kind"),
    ],
)
def test_a_broken_line_of_the_table_is_told_with_its_number(line: str, says: str) -> None:
    with pytest.raises(TableBroken, match=f"line 1: .*{says}"):
        parse_table(line)


def test_the_reference_page_is_what_the_table_says() -> None:
    kept = Path(__file__).parents[2] / "docs" / "terms.md"
    again = "python -m encaisse_einvoicing.terms_page > docs/terms.md"
    assert kept.read_text("utf-8") == terms_page.page(), again


def test_every_field_of_the_invoice_has_its_row_in_the_table() -> None:
    def dotted(group: Group, above: str = "") -> Iterator[str]:
        for member in group.members:
            if isinstance(member, Group):
                yield from dotted(member, f"{above}{member.field}.")
            else:
                yield f"{above}{member.field}"

    rows = set(dotted(table()))
    laid_out = {
        # Field of the invoice -> the row it is gathered from.
        "payment_terms": "terms.text",
        "instalments.due_date": "terms.due_date",
        "instalments.amount": "terms.amount",
        "totals.tax": "tax_totals.amount",
        "totals.tax_accounting": "tax_totals.amount",
        "invoiced_object.value": "documents.id",
        "invoiced_object.scheme": "documents.scheme",
        "tender_reference": "documents.id",
        "lines.note": "lines.line_notes.text",
        "lines.extensions.notes.subject_code": "lines.line_notes.subject_code",
        "lines.extensions.notes.text": "lines.line_notes.text",
    }
    missing: list[str] = []
    for path in model_paths():
        owner, _, name = path.rpartition(".")
        row = laid_out.get(path, path)
        if path.startswith("attachments."):
            row = path.replace("attachments", "documents")
        elif name in ("vat_id", "tax_id"):
            row = f"{owner}.registrations.id"
        if row not in rows and name not in ("siren", "siren_source", "siret"):
            missing.append(path)
    assert missing == []
