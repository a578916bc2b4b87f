"""Held against factur-x, the library most French software writes Factur-X with."""

from __future__ import annotations

from io import BytesIO

import pytest

from encaisse_einvoicing import read_bytes
from encaisse_einvoicing.reading.pdf import extract

facturx = pytest.importorskip("facturx", reason="factur-x is a tool of the tests, not installed")


def test_a_pdf_written_by_factur_x_is_read_byte_for_byte(cii: str, blank_pdf: bytes) -> None:
    written = facturx.generate_from_binary(
        blank_pdf, cii.encode(), check_xsd=False, check_schematron=False, lang="fr"
    )
    assert extract(written).data == cii.encode()
    reading = read_bytes("facture.pdf", written)
    assert reading.ok, reading.issues


def test_factur_x_reads_what_we_read(cii: str, blank_pdf: bytes) -> None:
    written = facturx.generate_from_binary(
        blank_pdf, cii.encode(), check_xsd=False, check_schematron=False, lang="fr"
    )
    name, xml = facturx.get_facturx_xml_from_pdf(BytesIO(written), check_xsd=False)
    assert name == "factur-x.xml"
    assert xml == extract(written).data


@pytest.fixture
def blank_pdf() -> bytes:
    """Give a page without anything on it."""
    import pikepdf

    pdf = pikepdf.new()
    pdf.add_blank_page()
    out = BytesIO()
    pdf.save(out)
    return out.getvalue()
