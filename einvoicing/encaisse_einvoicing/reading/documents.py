"""Read what a company has at hand: bytes, files, folders and archives of invoices."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from encaisse_einvoicing.issues import Issue, Refused
from encaisse_einvoicing.model import Invoice
from encaisse_einvoicing.reading import cii, contents, loader, ubl
from encaisse_einvoicing.reading.assemble import assemble
from encaisse_einvoicing.reading.contents import ARCHIVES, KINDS, shown
from encaisse_einvoicing.reading.walker import Walk

__all__ = ["ARCHIVES", "KINDS", "FileReading", "Reading", "read_bytes", "read_paths", "shown"]


@dataclass(frozen=True, slots=True)
class Reading:
    """Be what became of one document: the invoice as far as read, and what to know about it.

    `syntax` is "CII", "UBL Invoice" or "UBL CreditNote"; `attachment` the name of the XML inside
    a PDF; `unmapped` the paths the document has and the invoice has no field for.
    """

    invoice: Invoice | None
    issues: tuple[Issue, ...] = ()
    syntax: str | None = None
    attachment: str | None = None
    unmapped: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether the essentials came out: number, issue date, currency and a seller."""
        invoice = self.invoice
        return (
            invoice is not None
            and invoice.number is not None
            and invoice.issue_date is not None
            and invoice.currency is not None
            and not any(issue.code == "missing_seller" for issue in self.issues)
        )


@dataclass(frozen=True, slots=True)
class FileReading:
    """Be the reading of one file, named as a person can find it: `zip!folder/name.xml`."""

    file: str
    reading: Reading


def read_bytes(name: str, data: bytes) -> Reading:
    """Read one XML or PDF; a refusal comes back as the only issue, it is never raised.

    `name` is only for messages: what the bytes are is told by the bytes.
    """
    try:
        return _read(data)
    except Refused as refused:
        return _refusal(refused, name)


def _read(data: bytes) -> Reading:
    found = contents.invoice_xml(data)
    try:
        return _read_xml(found.xml, found.attachment, found.issues)
    except Refused as refused:
        raise found.placed(refused) from None


def _read_xml(data: bytes, attachment: str | None, issues: tuple[Issue, ...]) -> Reading:
    reader, root = loader.parse(data)
    if reader == "cii":
        syntax, plan, settle, vat_scheme = cii.SYNTAX, cii.plan(), cii.settle, cii.VAT_SCHEME
    elif reader == "ubl":
        syntax, plan, settle = ubl.INVOICE, ubl.invoice_plan(), ubl.settle_invoice
        vat_scheme = ubl.VAT_SCHEME
    else:
        syntax, plan, settle = ubl.CREDIT_NOTE, ubl.credit_note_plan(), ubl.settle_credit_note
        vat_scheme = ubl.VAT_SCHEME
    walk = Walk(plan)
    raw = walk.read(root)
    settle(raw)
    invoice = assemble(walk, raw, vat_scheme)
    return Reading(invoice, (*issues, *walk.issues), syntax.name, attachment, tuple(walk.unmapped))


def _refusal(refused: Refused, name: str) -> Reading:
    return Reading(None, (refused.as_issue(name),))


def read_paths(paths: Iterable[Path]) -> Iterator[FileReading]:
    """Read files, folders (with their sub-folders, in name order) and archives, one by one.

    Never raises for what it reads: a broken file is one refused reading and the next follows.
    A path that does not exist is refused under the code `not_found`.
    """
    for name, content in contents.each_file(paths):
        if isinstance(content, Refused):
            yield FileReading(name, _refusal(content, name))
        else:
            yield FileReading(name, _guarded(name, content))


def _guarded(name: str, data: bytes) -> Reading:
    """Keep a fault of ours on one file from hiding the others; it is told, never swallowed."""
    try:
        return read_bytes(name, data)
    except Exception as error:
        refused = Refused(
            "internal_error",
            f"« {name} » a mis le lecteur en défaut ({type(error).__name__}) : transmettez ce "
            "fichier aux auteurs. Les autres fichiers sont lus.",
        )
        return _refusal(refused, name)
