"""The exam of a connector that reads files: no network, so its own damaged copy is the proof."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import pytest

from encaisse_api import (
    Context,
    Cursor,
    Debtor,
    Instalment,
    Manifest,
    Missing,
    Money,
    Page,
    Setting,
    SourceInvoice,
    Stream,
    Unreadable,
)
from encaisse_api.conformance import ConnectorContract, pulling
from encaisse_api.conformance.exam import Exam
from encaisse_api.conformance.seat import ExamFailed

HEADER = "ref,issued,total\n"
GOOD = HEADER + "F1,2026-01-15,120.00\nF2,2026-01-16,60.00\n"
DAMAGED = HEADER + "F1,2026-01-15,120.00\nF2,2026-01-16,soixante\n"


class Sheets:
    """Read invoices from one sheet of a folder."""

    manifest: ClassVar[Manifest] = Manifest(
        slug="sheets",
        name="Sheets",
        summary_fr="Factures d’un tableau.",
        contract="documented",
        pages=("le format décrit dans ce test",),
        settings=(Setting(name="folder", label_fr="Dossier", label_en="Folder", kind="path"),),
        streams={"invoices": Stream(mode="snapshot")},
    )

    def __init__(self, context: Context) -> None:
        self.sheet = Path(context.settings["folder"]) / "invoices.csv"

    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        items: list[SourceInvoice] = []
        bad: list[Unreadable] = []
        with self.sheet.open(newline="") as lines:
            for row in csv.DictReader(lines):
                try:
                    items.append(self.invoice(row))
                except (ValueError, ArithmeticError):
                    bad.append(Unreadable(ref=row["ref"], raw=str(row), reason="ligne illisible"))
        yield Page(items=tuple(items), unreadable=tuple(bad), end=True)

    def invoice(self, row: dict[str, str]) -> SourceInvoice:
        total = Money(amount=Decimal(row["total"]))
        return SourceInvoice(
            ref=row["ref"],
            number=row["ref"],
            issue_date=date.fromisoformat(row["issued"]),
            total=total,
            open=total,
            instalments=(Instalment(ref="1", amount=total, open=total),),
            debtor=Debtor(),
        )

    def read_invoices(self, refs: Sequence[str]) -> Sequence[SourceInvoice | Missing]:
        found = {item.ref: item for page in self.pull_invoices(None) for item in page.items}
        return [found.get(ref) or Missing(ref=ref) for ref in refs]


class DropsBadLines(Sheets):
    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        for page in super().pull_invoices(since):
            yield page.model_copy(update={"unreadable": ()})


def lay_out(folder: Path) -> Path:
    for name, text in (("files", GOOD), ("damaged", DAMAGED)):
        (folder / name).mkdir()
        (folder / name / "invoices.csv").write_text(text)
    context = {
        "recorded_against": "two sheets written for this test",
        "now": "2026-03-02T02:00:00Z",
        "today": "2026-03-02",
        "account": None,
        "settings": {"folder": "files"},
    }
    (folder / "context.json").write_text(json.dumps(context))
    damaged = {"settings": {"folder": "damaged"}}
    (folder / "pull_invoices_damaged.json").write_text(json.dumps(damaged))
    return folder


@pytest.fixture(scope="class", autouse=True)
def _sheets() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        TestSheets.cassettes = lay_out(Path(folder))
        yield


class TestSheets(ConnectorContract):
    connector = Sheets
    cassettes = Path()


def test_a_bad_line_dropped_from_a_file_is_noticed(tmp_path: Path) -> None:
    exam = Exam(DropsBadLines, lay_out(tmp_path))
    with pytest.raises(ExamFailed, match="one bad row"):
        pulling.check_one_bad_row_is_set_aside(exam, "pull_invoices")
