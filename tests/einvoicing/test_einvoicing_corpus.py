"""Invoices nobody here wrote: public test suites read without a crash and without a wrong field.

The files live beside the project and are not part of it; where they are missing these tests are
skipped, and say so.
"""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final, TypedDict, cast

import pytest

from encaisse_einvoicing import Invoice, Party, read_bytes, read_paths

CORPUS: Final = Path(__file__).parents[2].parent / "shared" / "corpus"

pytestmark = pytest.mark.skipif(
    not (CORPUS / "truth.json").is_file(),
    reason="NOT RUN: the corpus of public invoices is not beside the project (../shared/corpus)",
)

KNOWN_UNREAD: Final = {
    # The date is written 20260230: no such day, so no date; the raw text says 2026-02-30.
    ("cas-limites/cas/DATA-002/factur-x.xml", "issue_date"),
}

PAIR_DIFFERENCES: Final[tuple[tuple[str, str, str], ...]] = (
    # (why, fields, cases): what the two files of a case do write differently, each looked at.
    (
        "UBL wants an order beside a sales order, the file fills in a dummy",
        "order_reference",
        "01.02a 01.08a 01.09a 01.10a 01.11a 01.12a 01.13a",
    ),
    ("CII writes a zero where UBL writes nothing", "totals.rounding",
     "02.01a 02.02a 02.03a 02.04a 03.07a 01.01_ 01.02_ 01.03_ 01.04_"),
    ("CII writes zeros where UBL writes nothing", "totals.allowances", "01.20a 01.21a"),
    ("CII writes zeros where UBL writes nothing", "totals.charges totals.prepaid", "01.20a"),
    ("UBL writes a zero where CII writes nothing", "totals.tax", "01.05_"),
    ("UBL wants a card network, the file fills one in", "payment_means.0.card_network",
     "03.02a 03.03a 01.03_"),
    ("other placeholders", "seller.address.line_1 seller.address.city", "01.20a"),
    ("another VAT number, text and reason",
     "seller.vat_id payment_means.0.text vat_breakdown.0.exemption_reason", "01.21a"),
    ("a reason beside the VAT of the line in CII only",
     "lines.0.extensions.vat_exemption_reason", "01.21a"),
    ("town and postcode swapped in UBL",
     "seller.address.city seller.address.postcode buyer.address.city buyer.address.postcode",
     "03.06a"),
    ("a trade name in UBL only", "buyer.trade_name", "03.01a"),
    ("name and trade name swapped", "buyer.name buyer.trade_name", "01.01_ 01.02_ 01.03_ 01.04_"),
    ("a legal identifier in CII only", "payee.legal_id payee.legal_id_scheme",
     "03.07a 01.01_ 01.02_ 01.03_ 01.04_"),
    ("three identifiers in CII, one in UBL",
     "seller.ids.0.value seller.ids.0.scheme seller.ids.1.value "
     "seller.ids.2.value seller.ids.2.scheme", "03.07a 01.01_"),
    ("a department in CII, a person in UBL", "seller.contact.name", "01.03_ 01.04_"),
    ("a base quantity in UBL only", "lines.1.base_quantity lines.1.base_quantity_unit",
     "01.01_ 01.02_ 01.03_ 01.04_"),
    ("a second preceding invoice in UBL only",
     "preceding.1.number preceding.1.issue_date", "01.01_"),
)  # fmt: skip


class Truth(TypedDict):
    file: str
    xsd_valid: bool
    truth: dict[str, list[str]]


def truths() -> list[Truth]:
    return cast("list[Truth]", json.loads((CORPUS / "truth.json").read_text()))


def twelve(invoice: Invoice) -> Iterator[tuple[str, str | date | Decimal | None]]:
    seller, buyer = invoice.seller or Party(), invoice.buyer or Party()
    yield "number", invoice.number
    yield "issue_date", invoice.issue_date
    yield "due_date", invoice.due_date
    yield "currency", invoice.currency
    for role, party in (("seller", seller), ("buyer", buyer)):
        yield f"{role}_name", party.name
        yield f"{role}_legal", party.legal_id
        yield f"{role}_vat", party.vat_id
    yield "grand_total", invoice.totals.tax_inclusive
    yield "due_payable", invoice.totals.payable


def agrees(value: str | date | Decimal | None, accepted: list[str]) -> bool:
    match value:
        case None:
            return not accepted
        case Decimal():
            return value in [Decimal(each) for each in accepted]
        case date():
            return value.isoformat() in accepted
        case str():
            return "".join(value.split()) in ["".join(each.split()) for each in accepted]


def test_the_fields_of_every_schema_valid_file_are_right() -> None:
    files = cells = 0
    wrong: list[str] = []
    for each in truths():
        if not each["xsd_valid"]:
            continue
        files += 1
        name = each["file"]
        reading = read_bytes(name, (CORPUS / name).read_bytes())
        if reading.invoice is None:
            wrong.append(f"{name}: refused, {reading.issues[0].code}")
            continue
        for field, value in twelve(reading.invoice):
            cells += 1
            if agrees(value, each["truth"][field]):
                continue
            if (name, field) in KNOWN_UNREAD and value is None:
                continue
            wrong.append(f"{name}: {field} is {value!r}, not {each['truth'][field]}")
    figures = f"{files} files, {cells} cells, {len(wrong)} wrong, {len(KNOWN_UNREAD)} known unread"
    print(figures)
    assert (files, cells, wrong) == (165, 165 * 12, []), "\n".join([figures, *wrong])


def test_the_fields_of_broken_files_are_right_or_empty() -> None:
    wrong: list[str] = []
    for each in truths():
        if each["xsd_valid"]:
            continue
        reading = read_bytes(each["file"], (CORPUS / each["file"]).read_bytes())
        if reading.invoice is None:
            continue
        wrong.extend(
            f"{each['file']}: {field} is {value!r}, not {each['truth'][field]}"
            for field, value in twelve(reading.invoice)
            if value is not None and not agrees(value, each["truth"][field])
        )
    assert not wrong, "\n".join(wrong)


def test_the_whole_folder_is_read_without_a_crash_and_every_refusal_says_why() -> None:
    found = list(read_paths([CORPUS]))
    outcomes = Counter("read" if each.reading.ok else each.reading.issues[0].code for each in found)
    figures = f"{len(found)} files: {dict(outcomes)}"
    print(figures)
    assert len(found) >= 217, figures
    assert "internal_error" not in outcomes, figures
    assert outcomes["read"] >= len(found) * 0.9, figures
    for each in found:
        if each.reading.invoice is None:
            (issue,) = each.reading.issues
            assert issue.code and issue.message.endswith(".") and issue.where, each.file


def test_an_invoice_in_a_pdf_is_read_as_the_same_invoice_beside_it() -> None:
    by_name = {each.file: each for each in read_paths([CORPUS / "cas-limites"])}
    pairs = same = 0
    for name, each in by_name.items():
        if not name.endswith("facture.pdf") or each.reading.invoice is None:
            continue
        pairs += 1
        beside = by_name[name.replace("facture.pdf", "factur-x.xml")].reading
        same += beside.invoice == each.reading.invoice
    assert pairs >= 25 and same >= pairs - 1, f"{same} of {pairs} the same"


def cases() -> dict[str, tuple[Path, Path]]:
    found: dict[str, tuple[Path, Path]] = {}
    for cii in sorted((CORPUS / "xrechnung").rglob("*_uncefact.xml")):
        ubl = cii.with_name(cii.name.replace("_uncefact", "_ubl"))
        if ubl.is_file():
            found[cii.name.removesuffix("_uncefact.xml")] = (cii, ubl)
    return found


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """List the single values of a dumped invoice; an absent part has none."""
    if isinstance(value, dict):
        for key, part in cast("dict[str, object]", value).items():
            yield from leaves(part, f"{path}.{key}" if path else key)
    elif isinstance(value, (list, tuple)):
        for number, part in enumerate(cast("list[object]", value)):
            yield from leaves(part, f"{path}.{number}")
    elif value is not None:
        yield path, value


def leaves_at(path: Path) -> dict[str, object]:
    (each,) = read_paths([path])
    assert each.reading.invoice is not None, path.name
    return dict(leaves(each.reading.invoice.model_dump()))


def test_the_two_writings_of_one_case_give_one_invoice() -> None:
    documented = {
        (case, field)
        for _, fields, names in PAIR_DIFFERENCES
        for case in names.split()
        for field in fields.split()
    }
    found = cases()
    compared = 0
    unlike: set[tuple[str, str]] = set()
    for name, (cii, ubl) in found.items():
        left, right = leaves_at(cii), leaves_at(ubl)
        compared += len(left | right)
        unlike |= {(name[:6], key) for key in left | right if left.get(key) != right.get(key)}
    equal = len(found) - len({case for case, _ in unlike})
    figures = (
        f"{len(found)} pairs, {equal} equal in every value; "
        f"{len(unlike)} of {compared} values differ"
    )
    print(figures)
    assert len(found) >= 33, figures
    assert unlike == documented, "\n".join([figures, *map(str, sorted(unlike ^ documented))])
