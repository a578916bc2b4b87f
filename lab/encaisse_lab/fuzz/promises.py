"""Hold what reading promises, on one input: an answer, told in words, the same each time."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

from encaisse_einvoicing import FileReading, Issue, Reading, Refused, read_bytes
from encaisse_einvoicing.cli.read import as_record
from encaisse_einvoicing.fec import read_fec, receivables
from encaisse_einvoicing.fec.cli import as_record as fec_record
from encaisse_einvoicing.reading import assemble

assemble.STRAY = "forbid"  # what the reader gathers and forgets is a fault to find here


class Broken(Exception):
    """Say which promise an input broke."""


def document(data: bytes) -> Reading:
    """Read a document twice; raise `Broken` where a promise does not hold."""
    reading = read_bytes("fuzz", data)
    if reading.invoice is None and not reading.issues:
        raise Broken("no invoice and no word of why")
    told(reading.issues)
    json.dumps(as_record(FileReading("fuzz", reading)), ensure_ascii=False).encode("utf-8")
    if read_bytes("fuzz", data) != reading:
        raise Broken("read twice, read differently")
    return reading


def told(issues: Iterable[Issue]) -> None:
    for issue in issues:
        if not issue.code or not issue.where:
            raise Broken(f"an issue without a place: {issue.code} {issue.where!r}")
        if " " not in issue.message or not issue.message.rstrip().endswith((".", "?")):
            raise Broken(f"an issue without a sentence: {issue.code} {issue.message!r}")


def ledger(name: str, data: bytes) -> None:
    """Read a FEC and what its customers owe; raise `Broken` where a promise does not hold."""
    try:
        found = read_fec(data, name)
    except Refused as refused:
        told([refused.as_issue(name)])
        return
    for finding in found.findings:
        if not finding.message or not finding.lines or finding.count < 1:
            raise Broken(f"a finding without words or lines: {finding.code}")
    owed = receivables(found)
    json.dumps(fec_record(name, found, owed), ensure_ascii=False).encode("utf-8")
    total = sum(owed.balances.values(), Decimal(0))
    open_ = sum((each.open for each in owed.items), Decimal(0))
    loose = sum((each.amount for each in owed.unallocated), Decimal(0))
    if open_ - loose != total:
        raise Broken(f"open {open_} minus unallocated {loose} is not the balance {total}")
    if read_fec(data, name) != found:
        raise Broken("read twice, read differently")


def alike(first: bytes, second: bytes) -> bool:
    """Tell whether two writings of one document give equal invoices."""
    return _first(first).invoice == document(second).invoice


@lru_cache(maxsize=300)
def _first(data: bytes) -> Reading:
    return read_bytes("fuzz", data)
