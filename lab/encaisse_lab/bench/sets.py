"""Gather the files to read: a corpus of public invoices, or invented ones where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from encaisse_einvoicing import read_bytes

INVENTED_SEEDS = 3
"""Seeds of the lab's samples: about sixty invoices each."""


@dataclass(frozen=True, slots=True)
class File:
    """Be one file given to every library; `syntax` is CII, UBL or PDF."""

    name: str
    data: bytes
    syntax: str


def gathered(corpus: Path) -> tuple[list[File], str]:
    """Give the files and, in English, what they are.

    Files no library is meant to read stay out: what our reader refuses as being no invoice.
    """
    found = list(_of(corpus)) if corpus.is_dir() else []
    if found:
        return found, "the corpus of public test suites"
    return list(_invented()), "invoices invented by the lab, since the public corpus is not there"


def _of(corpus: Path) -> Iterator[File]:
    for path in sorted(corpus.rglob("*")):
        if path.suffix.lower() in (".xml", ".pdf"):
            yield from _file(str(path.relative_to(corpus)), path.read_bytes())


def _invented() -> Iterator[File]:
    from encaisse_lab.papers import paper
    from encaisse_lab.samples import samples

    for seed in range(1, INVENTED_SEEDS + 1):
        for sample in samples(seed).in_folder:
            name, data = paper(sample)
            yield from _file(f"{seed}/{name}", data)


def _file(name: str, data: bytes) -> Iterator[File]:
    if data.startswith(b"%PDF-"):
        yield File(name, data, "PDF")
        return
    head = data[:4096]
    if b"CrossIndustryInvoice" in head:
        yield File(name, data, "CII")
    elif b"urn:oasis:names:specification:ubl:schema:xsd:" in head and _is_ubl_invoice(name, data):
        yield File(name, data, "UBL")


def _is_ubl_invoice(name: str, data: bytes) -> bool:
    return all(issue.code != "other_document" for issue in read_bytes(name, data).issues)
