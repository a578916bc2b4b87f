"""A PDF that cannot become a Factur-X, or an XML that is not its invoice, is refused by name."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counts import examples
from tests.einvoicing.conftest import CII, CREDIT_NOTE, UBL

from encaisse_einvoicing import Refused
from encaisse_einvoicing.reading import loader
from encaisse_einvoicing.reading.pdf import MAX_BYTES, extract
from encaisse_einvoicing.writing_pdf import LEVELS, FacturX, Level, attach, guard

MakePdf = Callable[[Mapping[str, bytes]], bytes]

WHEN = datetime(2026, 11, 26, 10, 0, tzinfo=timezone(timedelta(hours=1)))
XML = CII.encode()


def put(pdf: bytes, xml: bytes = XML, level: Level = "en16931") -> FacturX:
    return attach(pdf, xml, level=level, when=WHEN)


def refusal(pdf: bytes, xml: bytes = XML, level: Level = "en16931") -> str:
    with pytest.raises(Refused) as caught:
        put(pdf, xml, level)
    assert caught.value.message_fr[0].isupper() and caught.value.message_fr.endswith(".")
    return caught.value.code


def edited(data: bytes, change: Callable[[pikepdf.Pdf], None]) -> bytes:
    with pikepdf.open(io.BytesIO(data)) as pdf:
        change(pdf)
        out = io.BytesIO()
        pdf.save(  # as it is: nothing unpacked, nothing mended
            out,
            fix_metadata_version=False,
            compress_streams=False,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
        )
        return out.getvalue()


def form(*fields: pikepdf.Dictionary, flags: int = 1) -> Callable[[pikepdf.Pdf], None]:
    def change(pdf: pikepdf.Pdf) -> None:
        listed = pikepdf.Array([pdf.make_indirect(each) for each in fields])
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=listed, SigFlags=flags)

    return change


def signature() -> pikepdf.Dictionary:
    return pikepdf.Dictionary(
        Type=pikepdf.Name.Sig, Filter=pikepdf.Name("/Adobe.PPKLite"), Contents=b"\x30"
    )


def test_an_xml_that_is_no_cii_invoice_is_refused(make_pdf: MakePdf) -> None:
    page = make_pdf({})
    for xml, code in (
        (UBL.encode(), "not_cii"),
        (CREDIT_NOTE.encode(), "not_cii"),
        (b"<bon/>", "unknown_root"),
        (b"", "empty"),
        (XML[:-9], "xml_malformed"),
        (XML.replace(b"<rsm:Cross", b'<!DOCTYPE a [<!ENTITY b "c">]><rsm:Cross', 1), "xml_doctype"),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', "xml_encoding"),
    ):
        assert refusal(page, xml) == code


def test_the_level_is_the_one_the_xml_announces(make_pdf: MakePdf) -> None:
    page = make_pdf({})
    profile = LEVELS["en16931"].profile
    for level in LEVELS:
        for announced, facts in LEVELS.items():
            xml = CII.replace(profile, facts.profile).encode()
            if level == announced:
                assert extract(put(page, xml, level).pdf).data == xml
            else:
                assert refusal(page, xml, level) == "level_mismatch"
    french = CII.replace(profile, f"{profile}#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr")
    assert refusal(page, french.encode(), "extended") == "level_not_in_pdf"
    german = CII.replace(profile, f"{profile}#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0")
    assert refusal(page, german.encode()) == "level_mismatch"
    start = CII.index("<ram:GuidelineSpecified")
    end = CII.index("</rsm:ExchangedDocumentContext>")
    assert refusal(page, (CII[:start] + CII[end:]).encode()) == "level_mismatch"
    twice = CII[:end] + CII[start:end].replace(profile, "urn:other") + CII[end:]
    assert refusal(page, twice.encode()) == "level_mismatch"


def test_a_time_without_a_zone_is_a_fault_of_the_caller(make_pdf: MakePdf) -> None:
    with pytest.raises(ValueError, match="time zone"):
        attach(make_pdf({}), XML, level="en16931", when=WHEN.replace(tzinfo=None))


def test_a_signed_pdf_keeps_its_signature(make_pdf: MakePdf) -> None:
    page = make_pdf({})
    parent = pikepdf.Dictionary(
        FT=pikepdf.Name.Sig, T="p", Kids=pikepdf.Array([pikepdf.Dictionary(V=signature())])
    )
    for change in (
        form(pikepdf.Dictionary(FT=pikepdf.Name.Sig, T="s", V=signature())),
        form(parent),
        form(pikepdf.Dictionary(FT=pikepdf.Name.Tx, T="t"), flags=3),
        lambda pdf: setattr(pdf.Root, "Perms", pikepdf.Dictionary(DocMDP=signature())),
    ):
        assert refusal(edited(page, change)) == "pdf_signed"


def test_a_place_to_sign_is_no_signature(make_pdf: MakePdf) -> None:
    empty = form(
        pikepdf.Dictionary(FT=pikepdf.Name.Sig, T="s"),
        pikepdf.Dictionary(FT=pikepdf.Name.Tx, T="t", V="texte"),
    )
    assert extract(put(edited(make_pdf({}), empty)).pdf).data == XML


def test_a_form_without_end_is_refused(make_pdf: MakePdf, monkeypatch: pytest.MonkeyPatch) -> None:
    def loop(pdf: pikepdf.Pdf) -> None:
        field = pdf.make_indirect(pikepdf.Dictionary(T="t"))
        field.Kids = pikepdf.Array([field])
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([field]))

    assert refusal(edited(make_pdf({}), loop)) == "pdf_form_too_large"
    monkeypatch.setattr(guard, "MAX_FIELDS", 30)
    for count, whole in ((30, True), (31, False)):
        many = [pikepdf.Dictionary(T=str(number)) for number in range(count)]
        page = edited(make_pdf({}), form(*many))
        if whole:
            assert extract(put(page).pdf).data == XML
        else:
            assert refusal(page) == "pdf_form_too_large"


@pytest.mark.parametrize("user", ["secret", ""])
def test_a_protected_pdf_keeps_its_protection(make_pdf: MakePdf, user: str) -> None:
    with pikepdf.open(io.BytesIO(make_pdf({}))) as pdf:
        out = io.BytesIO()
        pdf.save(out, encryption=pikepdf.Encryption(owner="proprio", user=user))
    assert refusal(out.getvalue()) == "pdf_encrypted"


def test_what_is_no_whole_pdf_is_refused(make_pdf: MakePdf) -> None:
    page = make_pdf({"a.png": b"x" * 300})
    assert refusal(b"") == refusal(b"%PDF-1.7\n") == refusal(XML) == "pdf_damaged"
    assert refusal(b"%PDF-1.7\n" + bytes(MAX_BYTES)) == "pdf_too_large"
    assert refusal(edited(page, lambda pdf: pdf.pages.__delitem__(0))) == "pdf_without_page"
    for tenth in range(1, 10):
        assert refusal(page[: len(page) * tenth // 10]) == "pdf_damaged"
    lost = page.replace(b"startxref\n", b"startxref\n9")
    assert refusal(lost) == "pdf_damaged"


def test_attachments_without_end_are_refused(make_pdf: MakePdf) -> None:
    def loop(pdf: pikepdf.Pdf) -> None:
        node = pdf.make_indirect(pikepdf.Dictionary())
        node.Kids = pikepdf.Array([node])
        pdf.Root.Names = pikepdf.Dictionary(EmbeddedFiles=node)

    assert refusal(edited(make_pdf({}), loop)) == "pdf_cyclic"


def test_a_name_that_is_taken_is_not_taken_over(make_pdf: MakePdf) -> None:
    def rename(pdf: pikepdf.Pdf) -> None:
        pdf.Root.Names.EmbeddedFiles.Names[0] = pikepdf.String("factur-x.xml")

    assert refusal(edited(make_pdf({"photo.png": b"x"}), rename)) == "pdf_name_taken"


def test_a_tree_of_names_with_branches_is_kept(make_pdf: MakePdf) -> None:
    def branch(pdf: pikepdf.Pdf) -> None:
        pairs = pdf.Root.Names.EmbeddedFiles.Names.as_list()
        leaves = [
            pdf.make_indirect(pikepdf.Dictionary(Names=pikepdf.Array(pairs[at : at + 2])))
            for at in range(0, len(pairs), 2)
        ]
        pdf.Root.Names.EmbeddedFiles = pikepdf.Dictionary(Kids=pikepdf.Array(leaves))
        pdf.Root.Names.Dests = pikepdf.Dictionary()

    names = {"z.png": b"z", "a.png": b"a", "m.png": b"m"}
    written = put(edited(make_pdf(names), branch)).pdf
    with pikepdf.open(io.BytesIO(written)) as pdf:
        held = {name: each.get_file().read_bytes() for name, each in pdf.attachments.items()}
        assert held == {**names, "factur-x.xml": XML}
        assert "/Dests" in pdf.Root.Names


def xmp(packet: bytes, *names: pikepdf.Object) -> Callable[[pikepdf.Pdf], None]:
    def change(pdf: pikepdf.Pdf) -> None:
        stream = pdf.make_stream(packet)
        if names:
            stream.write(packet, filter=pikepdf.Array(names))
        pdf.Root.Metadata = stream

    return change


def test_an_xmp_nobody_can_read_is_not_written_over(make_pdf: MakePdf) -> None:
    for packet in (
        b"",
        b"<x:xmpmeta",
        b"<a/>",
        b"<?xpacket?>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<?xml version="1.0" encoding="utf-7"?><a/>',
        "é".encode("latin-1"),
        b"<a>" * 300,
    ):
        assert refusal(edited(make_pdf({}), xmp(packet))) == "pdf_xmp"


def test_a_bomb_is_never_opened(make_pdf: MakePdf) -> None:
    packed = zlib.compress(bytes(loader.MAX_BYTES + 1), 9)
    flate = pikepdf.Name.FlateDecode
    assert refusal(edited(make_pdf({}), xmp(packed, flate))) == "pdf_bomb"
    assert refusal(edited(make_pdf({}), xmp(zlib.compress(packed), flate, flate))) == "pdf_filter"

    def pack(pdf: pikepdf.Pdf) -> None:
        pdf.Root.AF[0].EF.F.write(packed, filter=flate)

    assert refusal(edited(make_pdf({"a.xml": b"<a/>"}), pack)) == "pdf_bomb"


def with_content(packed: bytes, *filters: str) -> Callable[[pikepdf.Pdf], None]:
    def change(pdf: pikepdf.Pdf) -> None:
        stream = pdf.make_stream(b"")
        names = pikepdf.Array([pikepdf.Name(f"/{each}Decode") for each in filters])
        stream.write(packed, filter=names)
        pdf.pages[0].obj.Contents = stream

    return change


def test_a_stream_of_the_page_is_copied_as_it_is_packed(make_pdf: MakePdf) -> None:
    packed = zlib.compress(bytes(100 << 20), 1)  # more than anything here would unpack
    written = put(edited(make_pdf({}), with_content(packed, "Flate"))).pdf
    with pikepdf.open(io.BytesIO(written)) as pdf:
        assert pdf.pages[0].obj.Contents.read_raw_bytes() == packed


def test_a_chain_of_filters_says_the_same_afterwards_or_is_refused(make_pdf: MakePdf) -> None:
    drawn = b"0 0 m 9 9 l S " * 99
    for packed, filters in (
        (zlib.compress(zlib.compress(drawn)), ("Flate", "Flate")),
        (zlib.compress(drawn).hex().encode() + b">", ("ASCIIHex", "Flate")),
        (drawn.hex().encode() + b">", ("ASCIIHex",)),
    ):
        written = put(edited(make_pdf({}), with_content(packed, *filters))).pdf
        with pikepdf.open(io.BytesIO(written)) as pdf:
            assert pdf.pages[0].obj.Contents.read_bytes() == drawn
    bomb = zlib.compress(zlib.compress(bytes(70 << 20), 1), 1)
    assert refusal(edited(make_pdf({}), with_content(bomb, "Flate", "Flate"))) == "pdf_damaged"


@settings(max_examples=examples(60), deadline=None)
@given(at=st.integers(0, 10**6), byte=st.integers(0, 255), cut=st.booleans())
def test_a_broken_pdf_is_refused_or_carries_the_whole_invoice(
    at: int, byte: int, cut: bool
) -> None:
    page = pikepdf.new()
    page.add_blank_page()
    page.attachments["photo.png"] = pikepdf.AttachedFileSpec(page, b"x", filename="photo.png")
    out = io.BytesIO()
    page.save(out, static_id=True)
    data = bytearray(out.getvalue())
    at %= len(data)
    if cut:
        del data[at]
    else:
        data[at] = byte
    try:
        written = put(bytes(data))
    except Refused as refused:
        assert refused.code.startswith("pdf_") and refused.message_fr.endswith(".")
    else:
        assert extract(written.pdf).data == XML
