"""The mapping table agrees with the model and with itself."""

from collections.abc import Iterator
from typing import get_args

import pytest
from pydantic import BaseModel

from encaisse_einvoicing.model import Invoice
from encaisse_einvoicing.reading import cii, ubl
from encaisse_einvoicing.terms import Group, Kind, TableBroken, parse_table, table

GATHERED = {"terms", "line_notes", "documents", "tax_totals", "registrations", "project_name"}
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
        ("BT-1\tnumber\tmoney\t0..1\tnuméro\ta\tb\t", "unknown kind"),
    ],
)
def test_a_broken_line_of_the_table_is_told_with_its_number(line: str, says: str) -> None:
    with pytest.raises(TableBroken, match=f"line 1: .*{says}"):
        parse_table(line)
