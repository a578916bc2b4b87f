"""Say in the XMP of a PDF that it is a Factur-X, and leave everything else it says.

PDF/A knows no property outside its own list unless the document describes the property's
namespace itself: an extension schema (ISO 19005-3 §6.6.2.3.3). Factur-X has four properties in one
namespace (Factur-X 1.0 §6.3).
"""

from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree

from encaisse_einvoicing.issues import Refused
from encaisse_einvoicing.reading import loader
from encaisse_einvoicing.reading.loader import Element
from encaisse_einvoicing.writing_pdf.files import FILENAME
from encaisse_einvoicing.writing_pdf.levels import LEVELS, Level

FX: Final = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
VERSION: Final = "1.0"
"""fx:Version: the version of the XML's schema, 1.0 for every Factur-X and ZUGFeRD 2 so far."""
OLDER: Final = (
    FX,
    "urn:zugferd:pdfa:CrossIndustryDocument:invoice:2p0#",
    "urn:ferd:pdfa:CrossIndustryDocument:invoice:1p0#",
)
"""Namespaces by which a PDF was declared an invoice since ZUGFeRD 1: what they say is replaced."""

_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XMP: Final = "http://ns.adobe.com/xap/1.0/"
_PDF: Final = "http://ns.adobe.com/pdf/1.3/"
_ID: Final = "http://www.aiim.org/pdfa/ns/id/"
_EXTENSION: Final = "http://www.aiim.org/pdfa/ns/extension/"
_SCHEMA: Final = "http://www.aiim.org/pdfa/ns/schema#"
_PROPERTY: Final = "http://www.aiim.org/pdfa/ns/property#"
_DESCRIPTION: Final = f"{{{_RDF}}}Description"
_ABOUT: Final = f"{{{_RDF}}}about"
_BEGIN: Final = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'.encode()
_END: Final = b'\n<?xpacket end="w"?>'
_EMPTY: Final = (
    f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}"/></x:xmpmeta>'.encode()
)

_PROPERTIES: Final = (
    ("DocumentType", "The type of the hybrid document: INVOICE"),
    ("DocumentFileName", "The name of the embedded XML document"),
    ("Version", "The version of the standard the embedded XML document follows"),
    ("ConformanceLevel", "The conformance level of the embedded XML document"),
)
"""Properties of the namespace and what the extension schema says each is."""
_OUR_SCHEMA: Final = etree.fromstring(
    f'<rdf:li xmlns:rdf="{_RDF}" xmlns:pdfaSchema="{_SCHEMA}" xmlns:pdfaProperty="{_PROPERTY}" '
    'rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>'
    f"<pdfaSchema:namespaceURI>{FX}</pdfaSchema:namespaceURI>"
    "<pdfaSchema:prefix>fx</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq>"
    + "".join(
        f'<rdf:li rdf:parseType="Resource"><pdfaProperty:name>{name}</pdfaProperty:name>'
        "<pdfaProperty:valueType>Text</pdfaProperty:valueType>"
        "<pdfaProperty:category>external</pdfaProperty:category>"
        f"<pdfaProperty:description>{text}</pdfaProperty:description></rdf:li>"
        for name, text in _PROPERTIES
    )
    + "</rdf:Seq></pdfaSchema:property></rdf:li>"
)


@dataclass(frozen=True, slots=True)
class Packet:
    """Be a rewritten XMP packet, and the PDF/A part the document claimed until now, "" if none."""

    data: bytes
    claimed: str


def rewrite(packet: bytes | None, level: Level, when: datetime, version: str) -> Packet:
    """Declare a Factur-X of this level, saved at this time as this version of PDF.

    A claim that is now false is dropped.
    A PDF/A-3 (or PDF/A-4f) may carry any file and stays what it claims to be. PDF/A-1, 2 and 4 may
    not: with the XML inside, their claim would be a lie.
    """
    rdf = _parse(_EMPTY if packet is None else packet)
    top = list(rdf.iterchildren(_DESCRIPTION))
    about = next((each.get(_ABOUT) for each in top if each.get(_ABOUT) is not None), None) or ""
    claimed = _claim(top)
    allowed = claimed == "3" or claimed.upper() == "4F"
    for description in top:
        _drop(description, OLDER)
        if not allowed:
            _drop(description, (_ID,))
        _set_facts(description, when, version)
    _describe_schema(rdf, top, about)
    for description in top:
        if len(description) == 0 and set(description.attrib) <= {_ABOUT}:
            _remove(description)
    said = etree.SubElement(rdf, _DESCRIPTION, {_ABOUT: about}, nsmap={"fx": FX})
    values = ("INVOICE", FILENAME, VERSION, LEVELS[level].xmp)
    for (name, _), value in zip(_PROPERTIES, values, strict=True):
        etree.SubElement(said, f"{{{FX}}}{name}").text = value
    whole = rdf.getroottree().getroot()
    return Packet(_BEGIN + etree.tostring(whole, encoding="utf-8") + _END, claimed)


def _parse(packet: bytes) -> Element:
    """Find rdf:RDF in a packet, under the caps every XML has here."""
    try:
        root = loader.parse_tree(packet.rstrip(b"\x00"))
    except Refused as refused:
        raise _unreadable(refused.code) from None
    rdf = root if root.tag == f"{{{_RDF}}}RDF" else root.find(f".//{{{_RDF}}}RDF")
    if rdf is None:
        raise _unreadable("sans rdf:RDF")
    return rdf


def _unreadable(detail: str) -> Refused:
    return Refused(
        "pdf_xmp",
        f"Les métadonnées XMP du PDF sont illisibles ({detail}) : il n'est pas modifié. Produisez "
        "le PDF à nouveau, ou imprimez-le dans un nouveau PDF.",
        "XMP",
    )


def _claim(top: list[Element]) -> str:
    """Read the part of PDF/A a document claims, written as an attribute or as an element.

    Two parts at once claim nothing. PDF/A-4 has its F in the conformance (ISO 19005-4 §6.7.3).
    """
    said: dict[str, set[str]] = {"part": set(), "conformance": set()}
    for description in top:
        for name, values in said.items():
            tag = f"{{{_ID}}}{name}"
            values.update(each.text or "" for each in description.iterchildren(tag))
            attribute = description.get(tag)
            if attribute is not None:
                values.add(attribute)
    if len(said["part"]) != 1:
        return ""
    part = said["part"].pop().strip()
    return f"{part}{''.join(said['conformance']).strip()}" if part == "4" else part


def _drop(description: Element, namespaces: tuple[str, ...]) -> None:
    """Take the properties of these namespaces away, however they are written."""
    for name in list(description.attrib):
        if etree.QName(str(name)).namespace in namespaces:
            del description.attrib[name]
    for child in list(description):
        if etree.QName(child).namespace in namespaces:
            _remove(child)


def _set_facts(description: Element, when: datetime, version: str) -> None:
    """Keep the times of the last change and the version of PDF true, where they are given."""
    moment = when.isoformat(timespec="seconds")
    facts = {
        f"{{{_XMP}}}ModifyDate": moment,
        f"{{{_XMP}}}MetadataDate": moment,
        f"{{{_PDF}}}PDFVersion": version,
    }
    for tag, value in facts.items():
        if description.get(tag) is not None:
            description.set(tag, value)
        for child in description.iterchildren(tag):
            child.text = value


def _describe_schema(rdf: Element, top: list[Element], about: str) -> None:
    """Add our extension schema to those the document has, in the place of an older one."""
    bag: Element | None = None
    for description in top:
        for found in description.iterfind(f"{{{_EXTENSION}}}schemas/{{{_RDF}}}Bag"):
            bag = found if bag is None else bag
            for schema in list(found):
                if _namespace_described(schema) in OLDER:
                    _remove(schema)
    if bag is None:
        holder = etree.SubElement(
            rdf, _DESCRIPTION, {_ABOUT: about}, nsmap={"pdfaExtension": _EXTENSION}
        )
        schemas = etree.SubElement(holder, f"{{{_EXTENSION}}}schemas")
        bag = etree.SubElement(schemas, f"{{{_RDF}}}Bag")
    bag.append(deepcopy(_OUR_SCHEMA))


def _namespace_described(schema: Element) -> str | None:
    tag = f"{{{_SCHEMA}}}namespaceURI"
    for each in schema.iter():
        if each.tag == tag:
            return (each.text or "").strip()
        attribute = each.get(tag)
        if attribute is not None:
            return attribute.strip()
    return None


def _remove(element: Element) -> None:
    parent = element.getparent()
    assert parent is not None  # it was found under one
    parent.remove(element)
