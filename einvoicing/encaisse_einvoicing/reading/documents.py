"""Read what a company has at hand: bytes, files, folders and archives of invoices."""

import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from encaisse_einvoicing.complaints import of_the_system
from encaisse_einvoicing.issues import Issue, Refused
from encaisse_einvoicing.model import Invoice
from encaisse_einvoicing.reading import archive, cii, loader, pdf, ubl
from encaisse_einvoicing.reading.assemble import assemble
from encaisse_einvoicing.reading.walker import Walk

KINDS: Final = (".xml", ".pdf")
"""File names read inside folders and archives; others are passed over there."""
ARCHIVES: Final = (".zip", ".tar", ".tar.gz", ".tgz")
_PDF_HEAD: Final = 1024
"""A PDF may start this late (ISO 32000-1, implementation note 13)."""


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
    markup = _looks_like_xml(data)
    if not markup and b"%PDF-" in data[:_PDF_HEAD]:
        embedded = pdf.extract(data)
        try:
            return _read_xml(embedded.data, embedded.name, embedded.issues)
        except Refused as refused:
            where = " ".join(part for part in (embedded.name, refused.where) if part)
            raise Refused(refused.code, refused.message_fr, where) from None
    if archive.kind_of(data[:512]) is not None:
        raise Refused("archive", "Ceci est une archive : donnez son chemin, pas son contenu.")
    if data.strip(b" \t\r\n\x00") and not markup:
        raise Refused(
            "unknown_kind",
            "Ce fichier n'est ni un XML, ni un PDF, ni une archive zip ou tar : il n'est pas lu.",
        )
    return _read_xml(data, None, ())


def _looks_like_xml(data: bytes) -> bool:
    head = data[:_PDF_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    return head.startswith((b"<", b"\xff\xfe", b"\xfe\xff", b"\x00<"))


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
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for some paths, this does not
            yield from _read_folder(path)
        else:
            yield from _read_path(path)


def _read_folder(folder: Path) -> Iterator[FileReading]:
    """Read a folder and what is under it; links to folders are not followed."""
    closed: list[OSError] = []
    for place, folders, files in os.walk(folder, onerror=closed.append):
        folders.sort()
        for file in sorted(files):
            if file.lower().endswith((*KINDS, *ARCHIVES)):
                yield from _read_path(Path(place) / file)
    for error in closed:
        name = shown(str(error.filename))
        yield FileReading(name, _refusal(_unreadable(name, error), name))


def _unreadable(name: str, error: OSError) -> Refused:
    return Refused("unreadable", f"« {name} » ne s'ouvre pas : {of_the_system(error)}.")


def _read_path(path: Path) -> Iterator[FileReading]:
    name = shown(str(path))
    try:
        if not path.exists():
            raise Refused("not_found", f"« {name} » n'existe pas : vérifiez le chemin.")
        if not path.is_file():
            raise Refused("not_a_file", f"« {name} » n'est pas un fichier ordinaire.")
        with path.open("rb") as file:
            head = file.read(512)
            file.seek(0)
            kind = archive.kind_of(head)
            if kind is not None:
                yield from _read_archive(name, kind, file)
                return
            data = file.read(pdf.MAX_BYTES + 1)
    except Refused as refused:
        yield FileReading(name, _refusal(refused, name))
    except OSError as error:
        yield FileReading(name, _refusal(_unreadable(name, error), name))
    else:
        yield FileReading(name, _guarded(name, data))


def _read_archive(
    name: str, kind: archive.ArchiveKind, file: io.BufferedReader
) -> Iterator[FileReading]:
    try:
        for member in archive.members(kind, file, KINDS):
            inner = f"{name}!{shown(member.name)}"
            if isinstance(member.content, Refused):
                yield FileReading(inner, _refusal(member.content, inner))
            else:
                yield FileReading(inner, _guarded(inner, member.content))
    except Refused as refused:
        yield FileReading(name, _refusal(refused, name))


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


def shown(name: str) -> str:
    """Make a file name safe to print: no control character, no broken byte, `/` between folders."""
    clean = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(char if char.isprintable() else "\ufffd" for char in clean)
