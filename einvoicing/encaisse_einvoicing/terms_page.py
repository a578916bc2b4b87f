"""Print the reference page of the mapping table: `python -m encaisse_einvoicing.terms_page`.

The page is docs/terms.md; a test holds it against the table.
"""

import sys
from collections.abc import Iterator

from encaisse_einvoicing.terms import COLUMNS, Column, Group, Kind, Term, table

HEAD = """# Terms of an invoice

Every field of `Invoice`, what EN 16931 or the French extension calls it, and where each syntax
keeps it. Drawn from `einvoicing/encaisse_einvoicing/terms.tsv`; do not edit, but run
`python -m encaisse_einvoicing.terms_page > docs/terms.md`.

A section is one group: its element in each syntax, then its terms, whose paths start there. `.` is
the element itself, `@` an attribute, `or` a choice. The path of a credit note is left empty where
it is that of the invoice; "none" means that the syntax has no place. `0..0` is read and never
written. A field under `extensions` is outside the core of EN 16931. Some fields are gathered first
and laid out otherwise in the invoice: `terms` (payment terms, due date and instalments),
`documents` (attachments, invoiced object, and in some syntaxes tender or project), `tax_totals`
(both totals of VAT), `registrations` (VAT number and other tax number), `line_notes` (note and
notes with a subject).
"""
_COLUMNS = "| term | field | French label | type | times | CII | UBL Invoice | UBL CreditNote |"


def page() -> str:
    """Give the whole page."""
    start: dict[Column, str] = {"cii": "", "ubl": "", "credit_note": ""}
    return "\n".join((HEAD, *_group(table(), "", start)))


def _group(group: Group, field: str, above: dict[Column, str]) -> Iterator[str]:
    places: dict[Column, str] = {
        column: _joined(above[column], group.places[column]) for column in COLUMNS
    }
    if field:
        yield f"## {field}"
        yield ""
        yield f"{group.id or 'No number'}, {group.label}, {group.cardinality}."
        yield ""
        yield f"- CII: {_code(places['cii'])}"
        yield f"- UBL: {_code(places['ubl'])}"
        if places["credit_note"] != places["ubl"]:
            yield f"- UBL CreditNote: {_code(places['credit_note'])}"
        yield ""
    else:
        yield "## The document"
        yield ""
    yield _COLUMNS
    yield "|---|---|---|---|---|---|---|---|"
    for member in group.members:
        yield _row(member, f"{field}." if field else "")
    yield ""
    for member in group.members:
        if isinstance(member, Group):
            yield from _group(member, f"{field}.{member.field}".lstrip("."), places)


def _row(member: Term | Group, above: str) -> str:
    note, invoice = member.places["credit_note"], member.places["ubl"]
    credit = "" if note == invoice else _code(" or ".join(note))
    kind = "group" if isinstance(member, Group) else _kind(member)
    cells = (
        member.id or "-",
        f"`{above}{member.field}`" if member.field else "-",
        member.label,
        kind,
        member.cardinality,
        _code(" or ".join(member.places["cii"])),
        _code(" or ".join(member.places["ubl"])),
        credit,
    )
    return f"| {' | '.join(cells)} |"


def _kind(term: Term) -> str:
    if term.kind is Kind.CONSTANT:
        return f"always {term.constant}"
    return f"{term.kind.value}, several" if term.many else term.kind.value


def _joined(above: str, places: tuple[str, ...]) -> str:
    return " or ".join(f"{above}/{place}".strip("/") for place in places if place != ".") or above


def _code(path: str) -> str:
    return " or ".join(f"`{each}`" for each in path.split(" or ")) if path else "none"


if __name__ == "__main__":
    sys.stdout.write(page())
