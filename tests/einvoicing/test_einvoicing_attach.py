"""An XML put into a PDF is found by everybody, byte for byte, and the PDF says what it is."""

from __future__ import annotations

import hashlib
import io
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import get_args
from xml.sax.saxutils import escape

import facturx
import pikepdf
import pypdf
import pytest
from facturx.facturx import FACTURX_LEVEL2xmp
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.counts import examples
from tests.einvoicing.conftest import CII

from encaisse_einvoicing import Refused, read_bytes
from encaisse_einvoicing.reading import loader
from encaisse_einvoicing.reading.pdf import extract
from encaisse_einvoicing.writing_pdf import LEVELS, Level, attach
from encaisse_einvoicing.writing_pdf.files import pdf_date

MakePdf = Callable[[Mapping[str, bytes]], bytes]

WHEN = datetime(2026, 11, 26, 10, 0, tzinfo=timezone(timedelta(hours=1)))
CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus"
EN16931 = LEVELS["en16931"].profile
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
FX = "{urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#}"
ID = "{http://www.aiim.org/pdfa/ns/id/}"
SCHEMA = "{http://www.aiim.org/pdfa/ns/schema#}"


def at_level(level: Level) -> bytes:
    return CII.replace(EN16931, LEVELS[level].profile).encode()


def xmp_of(data: bytes) -> etree._Element:
    with pikepdf.open(io.BytesIO(data)) as pdf:
        return loader.parse_tree(pdf.Root.Metadata.read_bytes())


def said(data: bytes) -> dict[str, str | None]:
    """Read the fx properties of a PDF, each of which must be there once."""
    found = [each for each in xmp_of(data).iter() if str(each.tag).startswith(FX)]
    assert len({each.tag for each in found}) == len(found)
    return {str(each.tag).removeprefix(FX): each.text for each in found}


def with_xmp(make_pdf: MakePdf, body: str, **attached: bytes) -> bytes:
    """Give a PDF whose XMP packet holds this, as other software writes one."""
    packet = (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF xmlns:rdf="{RDF[1:-1]}">{body}</rdf:RDF></x:xmpmeta>   <?xpacket end="w"?>'
    )
    with pikepdf.open(io.BytesIO(make_pdf(attached))) as pdf:
        stream = pdf.make_stream(packet.encode())
        stream.Type, stream.Subtype = pikepdf.Name.Metadata, pikepdf.Name.XML
        pdf.Root.Metadata = stream
        out = io.BytesIO()
        pdf.save(out)
        return out.getvalue()


def claim(part: str, conformance: str = "B") -> str:
    return (
        f'<rdf:Description rdf:about="" xmlns:pdfaid="{ID[1:-1]}" pdfaid:part="{part}">'
        f"<pdfaid:conformance>{conformance}</pdfaid:conformance></rdf:Description>"
    )


@pytest.mark.parametrize("level", get_args(Level))
def test_everybody_finds_the_same_bytes(make_pdf: MakePdf, level: Level) -> None:
    xml = at_level(level)
    written = attach(make_pdf({}), xml, level=level, when=WHEN)
    found = extract(written.pdf)
    assert (found.name, found.data, found.issues) == ("factur-x.xml", xml, ())
    assert facturx.get_facturx_xml_from_pdf(io.BytesIO(written.pdf), check_xsd=False) == (
        "factur-x.xml",
        xml,
    )
    reader = pypdf.PdfReader(io.BytesIO(written.pdf), strict=True)
    assert dict(reader.attachments) == {"factur-x.xml": [xml]}
    assert len(reader.pages) == 1
    assert read_bytes("a.pdf", written.pdf).invoice == read_bytes("a.xml", xml).invoice
    assert said(written.pdf) == {
        "DocumentType": "INVOICE",
        "DocumentFileName": "factur-x.xml",
        "Version": "1.0",
        "ConformanceLevel": LEVELS[level].xmp,
    }


def test_the_attachment_is_described_as_pdf_a_3_wants_it(make_pdf: MakePdf) -> None:
    xml = CII.encode()
    written = attach(make_pdf({}), xml, level="en16931", when=WHEN).pdf
    with pikepdf.open(io.BytesIO(written)) as pdf:
        (specification,) = pdf.Root.AF.as_list()
        key, named = pdf.Root.Names.EmbeddedFiles.Names.as_list()
        assert named.objgen == specification.objgen and str(key) == "factur-x.xml"
        assert str(specification.F) == str(specification.UF) == "factur-x.xml"
        assert specification.AFRelationship == "/Alternative" and str(specification.Desc)
        stream = specification.EF.F
        assert stream.objgen == specification.EF.UF.objgen
        assert (stream.Type, stream.Subtype) == ("/EmbeddedFile", "/text/xml")
        assert int(stream.Params.Size) == len(xml)
        assert bytes(stream.Params.CheckSum) == hashlib.md5(xml).digest()
        assert str(stream.Params.ModDate) == "D:20261126100000+01'00'"
        assert pdf.pdf_version == "1.7"
        assert "/Filter" not in pdf.Root.Metadata


def test_dates_keep_their_zone() -> None:
    assert pdf_date(datetime(2026, 1, 5, 9, 3, 7, tzinfo=UTC)) == "D:20260105090307+00'00'"
    west = timezone(-timedelta(hours=3, minutes=30))
    assert pdf_date(datetime(2026, 1, 5, 9, 3, 7, tzinfo=west)) == "D:20260105090307-03'30'"


def test_a_relationship_is_what_the_level_allows(make_pdf: MakePdf) -> None:
    for level in get_args(Level):
        for asked in (None, "Data", "Alternative", "Source"):
            if not LEVELS[level].whole and asked in ("Alternative", "Source"):
                with pytest.raises(Refused) as caught:
                    attach(
                        make_pdf({}), at_level(level), level=level, when=WHEN, relationship=asked
                    )
                assert caught.value.code == "relationship"
                continue
            written = attach(
                make_pdf({}), at_level(level), level=level, when=WHEN, relationship=asked
            )
            with pikepdf.open(io.BytesIO(written.pdf)) as pdf:
                usual = "Alternative" if LEVELS[level].whole else "Data"
                assert pdf.Root.AF[0].AFRelationship == f"/{asked or usual}"


def test_the_same_input_makes_the_same_bytes_and_another_time_others(make_pdf: MakePdf) -> None:
    page = make_pdf({"photo.png": b"x"})
    first = attach(page, CII.encode(), level="en16931", when=WHEN).pdf
    assert attach(page, CII.encode(), level="en16931", when=WHEN).pdf == first
    later = WHEN + timedelta(seconds=1)
    assert attach(page, CII.encode(), level="en16931", when=later).pdf != first


def test_other_attachments_stay(make_pdf: MakePdf) -> None:
    others = {"bon.xml": b"<bon/>", "zz.png": b"\x89PNG", "AA.txt": b"a"}
    written = attach(make_pdf(others), CII.encode(), level="en16931", when=WHEN).pdf
    held = dict(pypdf.PdfReader(io.BytesIO(written)).attachments)
    assert held == {
        name: [data] for name, data in (others | {"factur-x.xml": CII.encode()}).items()
    }
    with pikepdf.open(io.BytesIO(written)) as pdf:
        assert len(pdf.Root.AF) == 4
        keys = [bytes(each) for each in pdf.Root.Names.EmbeddedFiles.Names.as_list()[::2]]
        assert keys == sorted(keys)
        assert sorted(pdf.attachments) == sorted([*others, "factur-x.xml"])


def test_an_invoice_is_never_joined_by_another(make_pdf: MakePdf) -> None:
    older = CII.replace("F-2026-001", "F-2026-OLD").encode()
    for name in ("factur-x.xml", "ZUGFeRD-invoice.xml", "FACTUR-X.XML", "facture.xml"):
        page = make_pdf({name: older, "photo.png": b"x"})
        assert b"F-2026-OLD" in unpacked(page)
        with pytest.raises(Refused) as caught:
            attach(page, CII.encode(), level="en16931", when=WHEN)
        assert caught.value.code == "pdf_has_invoice" and name in caught.value.message_fr
        written = attach(page, CII.encode(), level="en16931", when=WHEN, replace=True).pdf
        held = dict(pypdf.PdfReader(io.BytesIO(written)).attachments)
        assert held == {"factur-x.xml": [CII.encode()], "photo.png": [b"x"]}
        assert b"F-2026-OLD" not in unpacked(written)


def unpacked(data: bytes) -> bytes:
    """Give every stream a PDF holds, whatever leads to it."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        streams = [each for each in pdf.objects if isinstance(each, pikepdf.Stream)]
        return b"".join(each.read_bytes() for each in streams)


def test_a_replaced_invoice_is_gone_from_the_pages_too(make_pdf: MakePdf) -> None:
    older = CII.replace("F-2026-001", "F-2026-OLD").encode()
    with pikepdf.open(io.BytesIO(make_pdf({"factur-x.xml": older}))) as pdf:
        specification = pdf.Root.AF[0]
        held = pikepdf.Dictionary(Type=pikepdf.Name.Filespec, F="x", EF=specification.EF)
        clip = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.FileAttachment,
            Rect=[0, 0, 9, 9],
            FS=held,
        )
        pdf.pages[0].obj.Annots = pikepdf.Array([pdf.make_indirect(clip)])
        pdf.pages[0].obj.AF = pikepdf.Array([specification])
        out = io.BytesIO()
        pdf.save(out)
    assert b"F-2026-OLD" in unpacked(out.getvalue())
    written = attach(out.getvalue(), CII.encode(), level="en16931", when=WHEN, replace=True).pdf
    assert b"F-2026-OLD" not in unpacked(written)


def test_replacing_twice_leaves_one_declaration(make_pdf: MakePdf) -> None:
    once = attach(make_pdf({}), at_level("basic"), level="basic", when=WHEN).pdf
    twice = attach(once, CII.encode(), level="en16931", when=WHEN, replace=True).pdf
    assert said(twice)["ConformanceLevel"] == "EN 16931"
    described = [each.text for each in xmp_of(twice).iter(f"{SCHEMA}namespaceURI")]
    assert described == [FX[1:-1]]
    again = attach(twice, CII.encode(), level="en16931", when=WHEN, replace=True).pdf
    assert etree.tostring(xmp_of(again)) == etree.tostring(xmp_of(twice))


def test_a_pdf_a_3_stays_one_and_any_other_is_told(make_pdf: MakePdf) -> None:
    for part, conformance, kept, told in (
        ("3", "B", True, False),
        ("3", "U", True, False),
        ("4", "F", True, True),
        ("4", "", False, True),
        ("2", "B", False, True),
        ("1", "A", False, True),
    ):
        page = with_xmp(make_pdf, claim(part, conformance))
        written = attach(page, CII.encode(), level="en16931", when=WHEN)
        assert [issue.code for issue in written.issues] == (["not_pdfa"] if told else [])
        text = etree.tostring(xmp_of(written.pdf)).decode()
        assert (f'part="{part}"' in text) == kept, (part, conformance)
        assert ("pdfaid:conformance" in text) == kept
    for page in (make_pdf({}), with_xmp(make_pdf, claim("3") + claim("2"))):
        written = attach(page, CII.encode(), level="en16931", when=WHEN)
        assert [issue.code for issue in written.issues] == ["not_pdfa"]
        assert ID.encode()[1:-1] not in etree.tostring(xmp_of(written.pdf)).replace(
            b'xmlns:pdfaid="' + ID.encode()[1:-1], b""
        )


def test_what_else_the_xmp_says_stays(make_pdf: MakePdf) -> None:
    others = (
        '<rdf:Description rdf:about="uuid:1" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:ModifyDate="2020-01-01T00:00:00Z" '
        'xmlns:zf="urn:ferd:pdfa:CrossIndustryDocument:invoice:1p0#" zf:Version="1.0" '
        'xmlns:pdf="http://ns.adobe.com/pdf/1.3/" pdf:PDFVersion="1.4">'
        "<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>Été &amp; hiver</rdf:li></rdf:Alt>"
        "</dc:title>"
        "<zf:DocumentType>INVOICE</zf:DocumentType></rdf:Description>"
        '<rdf:Description rdf:about="uuid:1" '
        'xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" '
        f'xmlns:pdfaSchema="{SCHEMA[1:-1]}"><pdfaExtension:schemas><rdf:Bag>'
        '<rdf:li rdf:parseType="Resource"><pdfaSchema:namespaceURI>urn:mine#'
        "</pdfaSchema:namespaceURI></rdf:li>"
        '<rdf:li><rdf:Description pdfaSchema:namespaceURI="'
        'urn:ferd:pdfa:CrossIndustryDocument:invoice:1p0#"/></rdf:li>'
        "</rdf:Bag></pdfaExtension:schemas></rdf:Description>"
    )
    written = attach(with_xmp(make_pdf, others), CII.encode(), level="en16931", when=WHEN).pdf
    root = xmp_of(written)
    text = etree.tostring(root, encoding="unicode")
    assert "Été &amp; hiver" in text and "2026-11-26T10:00:00+01:00" in text
    assert "2020-01-01" not in text and 'PDFVersion="1.7"' in text
    assert [each.text for each in root.iter(f"{SCHEMA}namespaceURI")] == ["urn:mine#", FX[1:-1]]
    assert "zf:" not in text
    subjects = {each.get(f"{RDF}about") for each in root.find(f"{RDF}RDF")}
    assert subjects == {"uuid:1"}


def test_the_older_table_of_facts_keeps_step(make_pdf: MakePdf) -> None:
    with pikepdf.open(io.BytesIO(make_pdf({}))) as pdf:
        pdf.trailer.Info = pdf.make_indirect(
            pikepdf.Dictionary(Title="Facture", ModDate="D:20200101000000Z")
        )
        out = io.BytesIO()
        pdf.save(out)
    written = attach(out.getvalue(), CII.encode(), level="en16931", when=WHEN).pdf
    with pikepdf.open(io.BytesIO(written)) as pdf:
        assert str(pdf.trailer.Info.ModDate) == pdf_date(WHEN)
        assert str(pdf.trailer.Info.Title) == "Facture"


def test_levels_have_the_name_in_the_xmp_that_another_writer_gives_them() -> None:
    for level, facts in LEVELS.items():
        assert FACTURX_LEVEL2xmp[level] == facts.xmp


printable = st.text(
    st.sampled_from("aZ09 _-/#$*[]@>\\'\"éàçœ€ŸΩЖعא中😀\u0301\u200b\u2028"), max_size=60
)


@settings(max_examples=examples(25), deadline=None)
@given(number=printable, filler=st.integers(0, 3000), seed=st.integers(0, 9))
def test_any_xml_comes_back_as_it_went_in(number: str, filler: int, seed: int) -> None:
    noise = random.Random(seed).randbytes(filler).hex()
    xml = CII.replace("F-2026-001", escape(number)).replace("Conseil", noise or "x").encode()
    page = pikepdf.new()
    page.add_blank_page()
    out = io.BytesIO()
    page.save(out)
    written = attach(out.getvalue(), xml, level="en16931", when=WHEN).pdf
    assert extract(written).data == xml


def test_the_pdfs_of_others_take_an_invoice() -> None:
    if not CORPUS.is_dir():
        pytest.skip("NOT RUN: the corpus of public invoices is not beside the project")
    written = 0
    for path in sorted(CORPUS.rglob("*.pdf")):
        result = attach(path.read_bytes(), CII.encode(), level="en16931", when=WHEN, replace=True)
        assert extract(result.pdf).data == CII.encode(), path.name
        assert said(result.pdf)["ConformanceLevel"] == "EN 16931"
        written += 1
    assert written > 20
