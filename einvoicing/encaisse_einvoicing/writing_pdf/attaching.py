"""Put the XML of an invoice into a PDF, so that the two are one Factur-X.

The PDF is rewritten whole and by the same bytes every time: the time is passed in, the identifier
comes from the content. Streams packed once are copied as they are; qpdf packs a chain of filters
anew, within the limits set for reading, and a chain beyond them is refused as damage.
"""

import io
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pikepdf

from encaisse_einvoicing.issues import Issue, Refused
from encaisse_einvoicing.reading import pdf as reading
from encaisse_einvoicing.writing_pdf import files, guard, xmp
from encaisse_einvoicing.writing_pdf.files import Relationship
from encaisse_einvoicing.writing_pdf.levels import LEVELS, Level, check_xml

MIN_VERSION: Final = "1.7"
"""PDF/A-3 is built on PDF 1.7 (ISO 32000-1); what is newer stays so."""


@dataclass(frozen=True, slots=True)
class FacturX:
    """Be a Factur-X as written, and what a person should know about it."""

    pdf: bytes
    issues: tuple[Issue, ...] = ()


def attach(
    pdf: bytes,
    xml: bytes,
    *,
    level: Level,
    when: datetime,
    relationship: Relationship | None = None,
    replace: bool = False,
) -> FacturX:
    """Attach a CII invoice to a PDF as `factur-x.xml`; raise `Refused` where that cannot be right.

    `when` is the time the PDF will say it was changed; it has a time zone. `relationship` is what
    the XML is to the page: by default "Data" at the levels whose XML is not the whole invoice,
    where nothing else is allowed, and "Alternative" at the others. `replace` takes the place of
    the invoices the PDF carries; without it such a PDF is refused, for a Factur-X has one invoice.

    An issue `not_pdfa` tells that the PDF was no PDF/A-3: it carries the XML, but is no Factur-X by
    the letter, and does not claim to be PDF/A.
    """
    if when.utcoffset() is None:
        raise ValueError("`when` needs a time zone")
    relation = _relation(level, relationship)
    check_xml(xml, level)
    with guard.opened(pdf) as document:
        present = files.invoices_in(document)
        if present and not replace:
            names = ", ".join(f"« {name} »" for name in present.values())
            raise Refused(
                "pdf_has_invoice",
                f"Le PDF porte déjà une facture ({names}) : un Factur-X n'en a qu'une. Demandez "
                "son remplacement, ou partez du PDF sans pièce jointe.",
                next(iter(present.values())),
            )
        files.put(document, xml, relationship=relation, when=when, instead_of=present)
        version = max(document.pdf_version, MIN_VERSION)
        packet = xmp.rewrite(_metadata(document), level, when, version)
        _set_metadata(document, packet.data, when)
        out = io.BytesIO()
        document.save(
            out,
            min_version=MIN_VERSION,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            deterministic_id=True,
            fix_metadata_version=False,  # `xmp.rewrite` has done it, without a second parse
        )
        guard.check_sound(document)
    written = out.getvalue()
    _check_written(written, xml)
    return FacturX(written, () if packet.claimed == "3" else (_not_pdfa(packet.claimed),))


def _relation(level: Level, asked: Relationship | None) -> Relationship:
    """Choose what the XML is to the page, or refuse what the level does not allow."""
    if LEVELS[level].whole:
        return asked or "Alternative"
    if asked not in (None, "Data"):
        raise Refused(
            "relationship",
            f"Au niveau {LEVELS[level].xmp}, le XML n'est pas toute la facture : sa relation au "
            f"PDF (AFRelationship) est « Data », pas « {asked} ».",
            "AFRelationship",
        )
    return "Data"


def _metadata(document: pikepdf.Pdf) -> bytes | None:
    """Give the XMP packet of a document, unpacked under a cap; None where it has none."""
    stream = document.Root.get("/Metadata")
    if not isinstance(stream, pikepdf.Stream):
        return None
    return reading.inflate(reading.Attachment("XMP", stream))


def _set_metadata(document: pikepdf.Pdf, packet: bytes, when: datetime) -> None:
    """Put the packet in place, and keep the older table of facts (/Info) in step with it."""
    kind = pikepdf.Dictionary(Type=pikepdf.Name.Metadata, Subtype=pikepdf.Name.XML)
    document.Root.Metadata = pikepdf.Stream(document, packet, kind)
    facts = document.trailer.get("/Info")
    if isinstance(facts, pikepdf.Dictionary) and "/ModDate" in facts:
        facts.ModDate = files.pdf_date(when)


def _check_written(written: bytes, xml: bytes) -> None:
    """Read back what was written: whoever opens the file must find this invoice and no other."""
    found = reading.extract(written)
    if found.data != xml or found.name != files.FILENAME or found.issues:
        raise Refused(
            "pdf_not_as_written",
            "Relu, le PDF écrit ne rend pas le XML joint : rien n'est gardé. Imprimez la page dans "
            "un nouveau PDF et recommencez.",
            found.name,
        )


def _not_pdfa(claimed: str) -> Issue:
    said = (
        "ne se déclare pas PDF/A"
        if not claimed
        else f"se déclare PDF/A-{claimed.lower()}, qui n'admet pas cette pièce jointe ou n'est pas "
        "celui de Factur-X"
    )
    return Issue(
        code="not_pdfa",
        message=f"Le PDF {said} : le XML y est joint, mais Factur-X demande un PDF/A-3. Produisez "
        "la page en PDF/A-3 si votre client ou sa plateforme l'exige.",
        where="XMP",
    )
