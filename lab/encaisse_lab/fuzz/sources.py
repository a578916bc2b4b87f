"""Gather what is mutated: the lab's own invoices and ledger, and a folder of others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal

from encaisse_einvoicing.cdar import InvoiceFacts, collected, write_cdar
from encaisse_einvoicing.fec import FecLine, write_fec
from encaisse_einvoicing.model import VatSubtotal
from encaisse_lab.papers import paper
from encaisse_lab.samples import Sample, samples

Kind = Literal["xml", "pdf", "fec", "cdar"]

MAX_BYTES: Final = 300_000
"""Larger files are left out: a case should cost milliseconds."""
EACH: Final = 4
"""Samples taken of each syntax; the others differ by their amounts."""


@dataclass(frozen=True, slots=True)
class Source:
    """Be one document to mutate."""

    name: str
    kind: Kind
    data: bytes


def own() -> list[Source]:
    """Give the lab's samples, always the same, a ledger of them and what was collected of them."""
    known = samples(1)
    kept: dict[str, list[Source]] = {}
    for sample in known.in_folder:
        name, content = paper(sample)
        kind: Kind = "pdf" if name.endswith(".pdf") else "xml"
        group = kept.setdefault(f"{sample.file} {sample.kind}", [])
        if len(group) < EACH:
            group.append(Source(name, kind, content))
    ledger = "\r\n".join(write_fec(_entries()))
    return [
        *(each for group in kept.values() for each in group),
        Source("123456782FEC20251231.txt", "fec", ledger.encode()),
        *(_collected(sample) for sample in known.in_books[:EACH]),
    ]


def _collected(sample: Sample) -> Source:
    """Tell that half an invoice was collected, as a life-cycle message (status 212)."""
    net = Decimal(abs(sample.cents) * 5 // 6) / 100
    total = Decimal(abs(sample.cents)) / 100
    facts = InvoiceFacts(
        number=sample.number,
        issue_date=sample.issued,
        type_code="380",
        currency=sample.currency,
        total=total,
        vat_breakdown=(VatSubtotal(taxable=net, tax=total - net, category="S", rate=Decimal(20)),),
        seller_siren=sample.seller.siren or "",
        seller_name=sample.seller.name,
        buyer_siren=sample.debtor.siren,
        buyer_name=sample.debtor.name,
        buyer_endpoint=sample.debtor.siren or "123456782",
        buyer_endpoint_scheme="0225",
    )
    message = write_cdar(
        collected(
            facts,
            principal=(total / 2).quantize(Decimal("0.01")),
            currency=sample.currency,
            received_on=date(2026, 2, 3),
            already=Decimal(0),
            message_id=f"MSG-{sample.number}",
            at=datetime(2026, 2, 4, 9, 30, tzinfo=UTC),
        )
    )
    return Source(f"{sample.number}.cdar", "cdar", message)


def _entries() -> Iterable[FecLine]:
    """Enter the samples' invoices, half of them paid and lettered."""
    line = 1
    for place, sample in enumerate(samples(1).in_books[:20]):
        amount = Decimal(abs(sample.cents)) / 100
        for account, debit, credit in (
            ("41100000", amount, Decimal(0)),
            ("70600000", Decimal(0), amount),
        ):
            line += 1
            yield FecLine(
                line=line,
                journal="VE",
                journal_name="Ventes",
                number=str(place + 1),
                day=date(2025, 1 + place % 12, 1 + place),
                account=account,
                account_name="Compte",
                auxiliary=f"C{place:03}" if account.startswith("4") else "",
                auxiliary_name=sample.debtor.name if account.startswith("4") else "",
                piece=sample.number,
                piece_day=sample.issued,
                label="Vente",
                debit=debit,
                credit=credit,
                letter="A" if place % 2 and account.startswith("4") else "",
                validated=date(2025, 12, 31),
            )


def of_folder(folder: Path) -> list[Source]:
    """Give the invoices of a folder and of what is under it, in the order of their paths."""
    found: list[Source] = []
    for path in sorted(folder.rglob("*")):
        kind = {".xml": "xml", ".pdf": "pdf"}.get(path.suffix.lower())
        if kind is not None and path.is_file() and path.stat().st_size <= MAX_BYTES:
            name = str(path.relative_to(folder))
            found.append(Source(name, "pdf" if kind == "pdf" else "xml", path.read_bytes()))
    return found
