"""The invoice comes out of a PDF with identical bytes, or the PDF is refused by name of fault."""

import io
import subprocess
import sys
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import pikepdf
import pytest

from encaisse_einvoicing import Refused, read_bytes
from encaisse_einvoicing.reading.pdf import MAX_BYTES, extract

MakePdf = Callable[[Mapping[str, bytes]], bytes]


def refusal(data: bytes) -> str:
    with pytest.raises(Refused) as caught:
        extract(data)
    assert caught.value.message_fr.endswith(".")
    reading = read_bytes("facture.pdf", data)
    assert reading.invoice is None
    assert [issue.code for issue in reading.issues] == [caught.value.code]
    return caught.value.code


def edited(data: bytes, change: Callable[[pikepdf.Pdf], None]) -> bytes:
    with pikepdf.open(io.BytesIO(data)) as pdf:
        change(pdf)
        out = io.BytesIO()
        pdf.save(out, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable)
        return out.getvalue()


def stream_of(pdf: pikepdf.Pdf) -> pikepdf.Object:
    return pdf.Root.AF[0].EF.F


def test_a_factur_x_pdf_is_read_and_its_bytes_are_identical(cii: str, make_pdf: MakePdf) -> None:
    data = make_pdf({"factur-x.xml": cii.encode()})
    found = extract(data)
    assert (found.name, found.data, found.issues) == ("factur-x.xml", cii.encode(), ())
    reading = read_bytes("facture.pdf", data)
    assert reading.ok and reading.attachment == "factur-x.xml" and reading.syntax == "CII"


@pytest.mark.parametrize("name", ["xrechnung.xml", "zugferd-invoice.xml", "ZUGFeRD-invoice.xml"])
def test_the_other_names_of_the_standards_are_read(cii: str, make_pdf: MakePdf, name: str) -> None:
    found = extract(make_pdf({"a-first.xml": b"<x/>", name: cii.encode()}))
    assert (found.name, found.issues) == (name, ())


def test_an_unusual_name_is_read_and_told(cii: str, make_pdf: MakePdf) -> None:
    for name in ("facture.xml", "FACTUR-X.XML"):
        found = extract(make_pdf({name: cii.encode(), "photo.png": b"x"}))
        assert found.name == name
        assert [issue.code for issue in found.issues] == ["pdf_unusual_name"]


def test_several_different_invoices_are_never_chosen_in_silence(
    cii: str, ubl: str, make_pdf: MakePdf
) -> None:
    other = cii.replace("1200.00", "9200.00").encode()
    exact = extract(make_pdf({"FACTUR-X.XML": other, "factur-x.xml": cii.encode()}))
    assert (exact.name, exact.data) == ("factur-x.xml", cii.encode())
    assert [issue.code for issue in exact.issues] == ["pdf_several_invoices"]
    hidden = extract(make_pdf({"annexe.xml": other, "factur-x.xml": cii.encode()}))
    assert hidden.data == cii.encode()
    assert [issue.code for issue in hidden.issues] == ["pdf_several_invoices"]
    assert refusal(make_pdf({"a.xml": other, "b.xml": ubl.encode()})) == "pdf_ambiguous"
    assert refusal(make_pdf({"Factur-x.xml": other, "FACTUR-X.xml": cii.encode()})) == (
        "pdf_ambiguous"
    )


def test_identical_copies_are_no_ambiguity(cii: str, make_pdf: MakePdf) -> None:
    found = extract(make_pdf({"factur-x.xml": cii.encode(), "copie.xml": cii.encode()}))
    assert (found.name, found.issues) == ("factur-x.xml", ())


def test_an_attachment_known_only_by_af_is_found(cii: str, make_pdf: MakePdf) -> None:
    def drop_names(pdf: pikepdf.Pdf) -> None:
        del pdf.Root.Names

    data = edited(make_pdf({"factur-x.xml": cii.encode()}), drop_names)
    assert extract(data).data == cii.encode()


def test_a_pdf_without_an_invoice_says_so(make_pdf: MakePdf) -> None:
    assert refusal(make_pdf({})) == "pdf_without_invoice"
    assert refusal(make_pdf({"notes.xml": b"<notes/>", "a.csv": b"x"})) == "pdf_without_invoice"


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({}, "Le PDF ne contient pas de facture XML :"),
        ({"a.csv": b"x"}, "Le PDF contient une pièce jointe, mais pas de facture XML :"),
        ({"a.csv": b"x", "b.csv": b"y"}, "Le PDF contient 2 pièces jointes, mais pas de facture"),
    ],
)
def test_what_a_pdf_holds_instead_is_said_in_good_french(
    make_pdf: MakePdf, held: dict[str, bytes], said: str
) -> None:
    with pytest.raises(Refused) as caught:
        extract(make_pdf(held))
    assert caught.value.message_fr.startswith(said)


def test_a_broken_invoice_inside_names_the_attachment(make_pdf: MakePdf) -> None:
    reading = read_bytes("facture.pdf", make_pdf({"factur-x.xml": b"<a"}))
    assert reading.issues[0].code == "xml_malformed"
    assert reading.issues[0].where.startswith("factur-x.xml")


def test_an_encrypted_pdf_is_refused_but_one_without_a_password_to_open_is_read(
    cii: str, make_pdf: MakePdf
) -> None:
    plain = make_pdf({"factur-x.xml": cii.encode()})
    for user, expected in (("secret", "pdf_encrypted"), ("", None)):
        with pikepdf.open(io.BytesIO(plain)) as pdf:
            out = io.BytesIO()
            pdf.save(out, encryption=pikepdf.Encryption(owner="proprio", user=user))
        if expected is None:
            assert extract(out.getvalue()).data == cii.encode()
        else:
            assert refusal(out.getvalue()) == expected


def test_a_truncated_pdf_is_refused_or_whole_and_said_to_be_damaged(
    cii: str, make_pdf: MakePdf
) -> None:
    data = make_pdf({"factur-x.xml": cii.encode()})
    assert extract(data).issues == ()
    codes = set()
    for cut in range(5, len(data) - len(b"%%EOF\n"), max(1, len(data) // 60)):
        try:
            found = extract(data[:cut])
            assert found.data == cii.encode()
            assert [issue.code for issue in found.issues] == ["pdf_mended"]
        except Refused as refused:
            codes.add(refused.code)
    assert codes and codes <= {"pdf_damaged", "pdf_without_invoice"}


def test_a_stream_cut_short_is_damage_not_half_an_invoice(cii: str, make_pdf: MakePdf) -> None:
    def cut(pdf: pikepdf.Pdf) -> None:
        packed = zlib.compress(cii.encode())
        stream_of(pdf).write(packed[: len(packed) // 2], filter=pikepdf.Name.FlateDecode)

    assert refusal(edited(make_pdf({"factur-x.xml": cii.encode()}), cut)) == "pdf_damaged"


def test_a_stream_without_its_checksum_is_read_when_the_xml_is_whole(
    cii: str, make_pdf: MakePdf
) -> None:
    def shorten(pdf: pikepdf.Pdf) -> None:
        packed = zlib.compress(cii.encode())[:-4]
        stream_of(pdf).write(packed, filter=pikepdf.Name.FlateDecode)

    assert extract(edited(make_pdf({"factur-x.xml": b"<x/>"}), shorten)).data == cii.encode()


def test_cyclic_kids_are_refused(cii: str, make_pdf: MakePdf) -> None:
    def loop(pdf: pikepdf.Pdf) -> None:
        node = pdf.make_indirect(pikepdf.Dictionary())
        node.Kids = pikepdf.Array([node])
        pdf.Root.Names.EmbeddedFiles = node

    assert refusal(edited(make_pdf({"factur-x.xml": cii.encode()}), loop)) == "pdf_cyclic"


def test_an_unusual_filter_chain_is_refused(cii: str, make_pdf: MakePdf) -> None:
    def twice(pdf: pikepdf.Pdf) -> None:
        packed = zlib.compress(zlib.compress(cii.encode()))
        stream_of(pdf).write(
            packed, filter=pikepdf.Array([pikepdf.Name.FlateDecode, pikepdf.Name.FlateDecode])
        )

    assert refusal(edited(make_pdf({"factur-x.xml": cii.encode()}), twice)) == "pdf_filter"


def test_a_size_cap_holds_before_anything_is_opened() -> None:
    assert refusal(b"%PDF-1.7\n" + bytes(MAX_BYTES)) == "pdf_too_large"


@cache
def packed_gigabyte() -> bytes:
    """Deflate a gigabyte of zeros, once: it takes seconds."""
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(1024)) + packer.flush()


def bomb(make_pdf: MakePdf, *, chain: bool) -> bytes:
    """Hide a gigabyte in a few megabytes, or in a few kilobytes when packed twice."""
    packed = packed_gigabyte()
    names = pikepdf.Array([pikepdf.Name.FlateDecode])
    if chain:
        packed = zlib.compress(packed, 9)
        names.append(pikepdf.Name.FlateDecode)

    def pack(pdf: pikepdf.Pdf) -> None:
        stream_of(pdf).write(packed, filter=names)

    return edited(make_pdf({"factur-x.xml": b"<x/>"}), pack)


def xref_bomb() -> bytes:
    """Write a PDF whose cross-reference stream itself inflates to a gigabyte."""
    packed = packed_gigabyte()
    head = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"
    xref = (
        b"2 0 obj\n<< /Type /XRef /Size 3 /W [1 4 2] /Root 1 0 R /Filter /FlateDecode /Length "
        + str(len(packed)).encode()
        + b" >>\nstream\n"
        + packed
        + b"\nendstream\nendobj\n"
    )
    return head + xref + b"startxref\n" + str(len(head)).encode() + b"\n%%EOF\n"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_bombs_are_refused_within_memory(make_pdf: MakePdf, tmp_path: Path) -> None:
    bombs = {
        "pdf_bomb": bomb(make_pdf, chain=False),
        "pdf_filter": bomb(make_pdf, chain=True),
        "pdf_damaged": xref_bomb(),
    }
    script = (
        "import sys, pathlib\n"
        "from encaisse_einvoicing import read_bytes\n"
        "for name in sys.argv[1:]:\n"
        "    reading = read_bytes('x', pathlib.Path(name).read_bytes())\n"
        "    print(reading.issues[0].code)\n"
        # not ru_maxrss, which remembers the size of the process that forked this one
        "status = pathlib.Path('/proc/self/status').read_text()\n"
        "print(int(status.split('VmHWM:')[1].split()[0]) // 1024)\n"
    )
    files = [tmp_path / f"{code}.pdf" for code in bombs]
    for file, data in zip(files, bombs.values(), strict=True):
        file.write_bytes(data)
    run = subprocess.run(
        [sys.executable, "-c", script, *map(str, files)], capture_output=True, text=True, check=True
    )
    *codes, mebibytes = run.stdout.split()
    assert codes == list(bombs)
    assert int(mebibytes) < 250
