"""Keep the attachments of a PDF: which are invoices, which stay, and where ours goes.

An attachment is named in the tree /Names /EmbeddedFiles and, in PDF/A-3, listed under /AF of the
catalogue (ISO 19005-3 §6.8). Both are written anew, flat and sorted, with what else they held.
"""

import hashlib
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import Final, Literal

import pikepdf

from encaisse_einvoicing.issues import Refused
from encaisse_einvoicing.reading import loader
from encaisse_einvoicing.reading import pdf as reading

Relationship = Literal["Data", "Alternative", "Source"]

FILENAME: Final = "factur-x.xml"
"""The one name Factur-X 1.0 gives the XML (§6.2)."""
_DESCRIPTION: Final = "Facture électronique Factur-X (données structurées)"
_ObjGen = tuple[int, int]


def invoices_in(pdf: pikepdf.Pdf) -> dict[_ObjGen, str]:
    """Find the attachments that are invoices, by name or by content: object -> file name.

    The same ones `reading.pdf` would choose from, so that what is written here can be read there.
    """
    found: dict[_ObjGen, str] = {}
    for each in reading.list_attachments(pdf):
        named = each.name.lower().endswith(".xml")
        if named and (
            reading.rank_of(each.name) <= len(reading.NAMES)
            or loader.is_invoice(reading.inflate(each))
        ):
            found[each.stream.objgen] = each.name
    return found


def put(
    pdf: pikepdf.Pdf,
    xml: bytes,
    *,
    relationship: Relationship,
    when: datetime,
    instead_of: dict[_ObjGen, str],
) -> None:
    """Attach the XML under its name, and drop the attachments it is `instead_of`."""
    kept = [
        (key, specification)
        for key, specification in _pairs(pdf)
        if not _holds(specification, instead_of)
    ]
    associated = pdf.Root.get("/AF")
    listed: list[pikepdf.Object] = []
    if isinstance(associated, pikepdf.Array):
        listed = [each for each in associated.as_list() if not _holds(each, instead_of)]
    key = FILENAME.encode("ascii")
    if any(each == key for each, _ in kept):
        raise Refused(
            "pdf_name_taken",
            f"Le PDF a déjà une pièce jointe nommée « {FILENAME} » qui n'est pas une facture : "
            "renommez-la.",
            FILENAME,
        )
    ours = pdf.make_indirect(_specification(pdf, xml, relationship, when))
    flat = pikepdf.Array()
    for name, specification in sorted([*kept, (key, ours)], key=lambda pair: pair[0]):
        flat.append(pikepdf.String(name))
        flat.append(specification)
    names = pdf.Root.get("/Names")
    if not isinstance(names, pikepdf.Dictionary):
        names = pdf.Root.Names = pikepdf.Dictionary()
    names.EmbeddedFiles = pikepdf.Dictionary(Names=flat)
    pdf.Root.AF = pikepdf.Array([*listed, ours])
    if instead_of:
        _forget(pdf, instead_of)


def _forget(pdf: pikepdf.Pdf, streams: dict[_ObjGen, str]) -> None:
    """Unhook replaced invoices from wherever else the PDF hangs them: a paper clip on a page, /AF
    of a page. What nothing leads to is not written, so the older invoice is really gone."""
    for each in pdf.objects:
        if not isinstance(each, pikepdf.Dictionary):
            continue
        if _holds(each, streams):
            del each["/EF"]
        elif _holds(each.get("/FS"), streams):
            del each["/FS"]


def _specification(
    pdf: pikepdf.Pdf, xml: bytes, relationship: Relationship, when: datetime
) -> pikepdf.Dictionary:
    """Describe the file as PDF/A-3 and Factur-X want it (ISO 32000-1 §7.11.3 and §7.11.4)."""
    facts = pikepdf.Dictionary(
        Type=pikepdf.Name.EmbeddedFile,
        Subtype=pikepdf.Name("/text/xml"),
        Filter=pikepdf.Name.FlateDecode,
        Params=pikepdf.Dictionary(
            ModDate=pdf_date(when),
            Size=len(xml),
            CheckSum=pikepdf.String(hashlib.md5(xml, usedforsecurity=False).digest()),
        ),
    )
    content = pikepdf.Stream(pdf, zlib.compress(xml, 6), facts)
    return pikepdf.Dictionary(
        Type=pikepdf.Name.Filespec,
        F=FILENAME,
        UF=FILENAME,
        AFRelationship=pikepdf.Name(f"/{relationship}"),
        Desc=_DESCRIPTION,
        EF=pikepdf.Dictionary(F=content, UF=content),
    )


def pdf_date(when: datetime) -> str:
    """Write a moment as PDF does (ISO 32000-1 §7.9.4): D:20260115093000+01'00'."""
    zone = when.strftime("%z")
    return f"D:{when:%Y%m%d%H%M%S}{zone[:3]}'{zone[3:5]}'"


def _pairs(pdf: pikepdf.Pdf) -> Iterator[tuple[bytes, pikepdf.Object]]:
    """Walk the tree of attachments; `invoices_in` has shown before that it has an end."""
    names = pdf.Root.get("/Names")
    tree = names.get("/EmbeddedFiles") if isinstance(names, pikepdf.Dictionary) else None
    waiting: list[pikepdf.Object] = [] if tree is None else [tree]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, pikepdf.Dictionary):
            continue
        pairs = node.get("/Names")
        if isinstance(pairs, pikepdf.Array):
            flat = pairs.as_list()
            for key, value in zip(flat[::2], flat[1::2], strict=False):
                yield bytes(key), value
        kids = node.get("/Kids")
        if isinstance(kids, pikepdf.Array):
            waiting.extend(reversed(kids.as_list()))


def _holds(specification: pikepdf.Object | None, streams: dict[_ObjGen, str]) -> bool:
    """Tell whether a file specification leads to one of these streams."""
    if not isinstance(specification, pikepdf.Dictionary):
        return False
    files = specification.get("/EF")
    if not isinstance(files, pikepdf.Dictionary):
        return False
    return any(
        isinstance(each, pikepdf.Stream) and each.objgen in streams for _, each in files.items()
    )
