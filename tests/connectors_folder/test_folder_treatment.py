"""What an invoice says of its customer, its purpose and its days decides what is collected."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from encaisse_api import SourceInvoice
from encaisse_einvoicing import Invoice, Party
from encaisse_einvoicing.model import Identifier, Instalment, Note, Totals
from encaisse_folder.connector import FolderConnector
from encaisse_folder.mapping import Unusable, to_source

ISSUED = date(2026, 3, 1)
TODAY = date(2026, 4, 14)
COMPANY = Party(name="Client Exemple SAS", siren="812345676")

Written = Callable[..., bytes]
Connect = Callable[[Path], FolderConnector]


def source(*notes: tuple[str | None, str], **said: Any) -> SourceInvoice:
    usual: dict[str, Any] = {
        "number": "FA-1",
        "issue_date": ISSUED,
        "type_code": "380",
        "currency": "EUR",
        "due_date": date(2026, 3, 31),
        "buyer": COMPANY,
        "notes": tuple(Note(subject_code=code, text=text) for code, text in notes),
        "totals": Totals(tax_inclusive=Decimal(120), payable=Decimal(120)),
    }
    return to_source(Invoice(**{**usual, **said}), ref="a.xml", sha256="0" * 64, today=TODAY)


def refusal(*notes: tuple[str | None, str], **said: Any) -> str:
    with pytest.raises(Unusable) as refused:
        source(*notes, **said)
    return str(refused.value)


@pytest.mark.parametrize(
    ("notes", "kind"),
    [
        ([("BAR", "B2C")], "individual"),
        ([("BAR", "B2CINT")], "individual"),
        ([("BAR", " b2c# ")], "individual"),
        ([("BAR", "B2G")], "public"),
        ([("ADN", "B2G")], "public"),
        ([("AAI", "bonjour"), ("ADN", "B2G#")], "public"),
        ([("BAR", "B2B"), ("ADN", "B2G")], "public"),
        ([("BAR", "B2B"), ("BAR", "B2C")], "individual"),
        ([("BAR", "B2B")], "company"),
        ([("BAR", "B2BINT")], "company"),
        ([("BAR", "OUTOFSCOPE")], "company"),
        ([("BAR", "Merci de payer par virement")], "company"),
        ([("ADN", "B2C")], "company"),
        ([("AAI", "B2G")], "company"),
        ([(None, "B2C")], "company"),
        ([], "company"),
    ],
)
def test_the_invoice_says_whether_its_customer_is_a_consumer_or_public(
    notes: list[tuple[str | None, str]], kind: str
) -> None:
    assert source(*notes).debtor.kind == kind


def test_said_to_be_a_company_a_public_body_stays_public_and_a_stranger_unknown() -> None:
    assert source(("BAR", "B2B"), buyer=Party(name="Ville", siren="213502388")).debtor.kind == (
        "public"
    )
    assert source(("BAR", "B2B"), buyer=Party(name="Dupont")).debtor.kind == "unknown"
    assert source(("ADN", "B2G"), buyer=None).debtor.kind == "public"


@pytest.mark.parametrize(
    "buyer",
    [
        Party(name="M. Dupont", legal_id="x", legal_id_scheme="0226"),
        Party(name="M. Dupont", endpoint="x", endpoint_scheme="0226"),
        Party(name="M. Dupont", ids=(Identifier(value="x", scheme="0226"),)),
    ],
)
def test_an_identifier_of_a_consumer_makes_a_consumer(buyer: Party) -> None:
    assert source(buyer=buyer).debtor.kind == "individual"


def test_an_invoice_deposited_for_its_archive_is_not_collected() -> None:
    assert "pour archivage" in refusal(("BAR", "ARCHIVEONLY"))


def test_a_credit_deposited_for_its_archive_or_dated_ahead_still_counts() -> None:
    assert source(("BAR", "ARCHIVEONLY"), type_code="381").open.minor == -120_00
    assert source(type_code="381", issue_date=date(2026, 5, 1)).open.minor == -120_00
    paid = Totals(tax_inclusive=Decimal(120), prepaid=Decimal(120), payable=Decimal(0))
    assert source(("BAR", "ARCHIVEONLY"), totals=paid).state == "settled"


def test_an_invoice_of_tomorrow_waits_for_its_day() -> None:
    assert "15/04/2026" in refusal(issue_date=date(2026, 4, 15), due_date=date(2026, 5, 15))
    assert source(issue_date=TODAY, due_date=date(2026, 5, 15)).state == "open"


def test_a_due_date_before_the_invoice_is_a_doubt() -> None:
    told = refusal(due_date=date(2026, 2, 28))
    assert "28/02/2026" in told
    assert "01/03/2026" in told
    parts = (
        Instalment(due_date=date(2026, 2, 1), amount=Decimal(60)),
        Instalment(due_date=date(2026, 4, 1), amount=Decimal(60)),
    )
    assert "01/02/2026" in refusal(instalments=parts)
    paid = Totals(tax_inclusive=Decimal(120), prepaid=Decimal(60), payable=Decimal(60))
    assert source(instalments=parts, totals=paid).open.minor == 60_00
    assert source(due_date=ISSUED).instalments[0].due_date == ISSUED


@pytest.mark.parametrize("said", [{"type_code": "386"}, {"type_code": "500"}, {"process": "B2"}])
def test_what_may_fall_due_before_its_invoice_starts_nothing_by_itself(
    said: dict[str, Any],
) -> None:
    (part,) = source(due_date=date(2026, 2, 28), **said).instalments
    assert (part.due_date, part.due_estimated) == (date(2026, 2, 28), True)


def test_a_file_is_set_aside_by_its_number_and_read_when_its_day_has_come(
    tmp_path: Path, written: Written, connect: Connect
) -> None:
    (tmp_path / "a.xml").write_bytes(written("FA-1", issued="20260415", due="20260515"))
    note = "<ram:IncludedNote><ram:Content>{}</ram:Content><ram:SubjectCode>{}</ram:SubjectCode>"
    closed = "</ram:IncludedNote>"
    archive = note.format("ARCHIVEONLY", "BAR") + closed
    (tmp_path / "b.xml").write_bytes(written("FA-2", notes=archive))
    (tmp_path / "c.xml").write_bytes(written("FA-3", notes=note.format("B2G", "ADN") + closed))
    (page,) = connect(tmp_path).pull_invoices(None)
    assert [(item.number, item.debtor.kind) for item in page.items] == [("FA-3", "public")]
    assert [bad.reason for bad in page.unreadable] == [
        "Facture FA-1 : elle est datée du 15/04/2026 (BT-2), un jour qui n'est pas encore venu.",
        "Facture FA-2 : elle n'est déposée que pour archivage (note BAR), elle ne se recouvre pas.",
    ]
