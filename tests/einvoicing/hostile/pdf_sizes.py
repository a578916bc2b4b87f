"""Write PDFs that are large to write or to read, and streams that swell."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator

from tests.einvoicing.hostile.cases import Case, case
from tests.einvoicing.hostile.pdf_raw import (
    bomb,
    deflated,
    holding,
    pdf,
    several,
    stream,
)

FLATE = b"/Filter /FlateDecode "
NAMES = (
    "100,000 attachments",
    "700,000 objects",
    "99,000 objects",
    "40,000 attachments",
    "a table of 1,500,000 rows",
    "an invoice of 19 MB, not packed",
    "an attachment of 45 MB, not packed",
    "300 MB",
    "a string never closed, of 20 MB",
    "a million objects and no table",
    "30 MB of noise",
)
"""Of the cases below: making them takes a second, which listing the tests need not."""


def filters(xml: bytes) -> Iterator[Case]:
    """Give attachments packed in every way but the honest one."""
    big = 1_500_000_000
    single = bomb(big)
    yield case("a bomb deflated once", pdf(holding(stream(single, FLATE))), "pdf_bomb")
    twice = stream(zlib.compress(single, 9), b"/Filter [/FlateDecode /FlateDecode]")
    yield case("a bomb deflated twice", pdf(holding(twice)), "pdf_filter")
    invoice = bomb(big, before=xml)
    yield case("a bomb that begins as an invoice", pdf(holding(stream(invoice, FLATE))), "pdf_bomb")
    packed = zlib.compress(xml)
    chains = {
        "ASCIIHex": (packed.hex().encode() + b">", b"/Filter [/ASCIIHexDecode /FlateDecode]"),
        "ASCII85": (b"zzz~>", b"/Filter [/ASCII85Decode /FlateDecode]"),
        "LZW": (packed, b"/Filter /LZWDecode"),
        "RunLength": (bytes([129, 32]) * 100_000 + b"\x80", b"/Filter /RunLengthDecode"),
        "ten times Flate": (packed, b"/Filter [%b]" % (b"/FlateDecode " * 10)),
        "a thousand times Flate": (packed, b"/Filter [%b]" % (b"/FlateDecode " * 1_000)),
        "Crypt": (packed, b"/Filter [/Crypt /FlateDecode]"),
        "JBIG2": (packed, b"/Filter /JBIG2Decode"),
        "an unknown one": (packed, b"/Filter /ZstdDecode"),
        "a number": (packed, b"/Filter 42"),
        "a dictionary": (packed, b"/Filter << /A /FlateDecode >>"),
        "another case": (packed, b"/Filter /flatedecode"),
    }
    for name, (data, chain) in chains.items():
        yield case(f"filter: {name}", pdf(holding(stream(data, chain))), "pdf_filter")
    predictors = {
        "PNG": b"/DecodeParms << /Predictor 12 /Columns 4 >>",
        "PNG, a thousand million columns": b"/DecodeParms << /Predictor 12 /Columns 1000000000 >>",
        "TIFF in an array": b"/DecodeParms [<< /Predictor 2 /Colors 4 >>]",
    }
    for name, parameters in predictors.items():
        body = stream(packed, FLATE + parameters)
        yield case(f"predictor: {name}", pdf(holding(body)), "pdf_filter")
    same = (
        b"/Filter [/FlateDecode]",
        b"/Filter [6 0 R]",
        b"/Filter 6 0 R",
        b"/Filter 7 0 R",
        FLATE + b"/DecodeParms [null]",
        FLATE + b"/DecodeParms << /Predictor 1 >>",
    )
    for filters in same:
        objects = holding(stream(packed, filters), o6=b"/FlateDecode", o7=b"[6 0 R]")
        yield case(f"the honest filter as {filters.decode()}", pdf(objects), "ok")
    loop = holding(stream(packed, b"/Filter 6 0 R"), o6=b"6 0 R")
    yield case("a filter that refers to itself", pdf(loop), "pdf_filter")
    nested = holding(stream(packed, b"/Filter [[[/FlateDecode]]]"))
    yield case("filters in arrays of arrays", pdf(nested), "pdf_filter")
    plain = holding(stream(xml))
    yield case("not packed at all", pdf(plain), "ok")
    dictionary = zlib.compressobj(zdict=b"<rsm:CrossIndustryInvoice")
    preset = dictionary.compress(xml) + dictionary.flush()
    yield case("a preset dictionary", pdf(holding(stream(preset, FLATE))), "pdf_damaged")
    other = zlib.compress(xml.replace(b"F-2026-001", b"F-CACHE-01"))
    after = stream(packed + other, FLATE)
    yield case("a second invoice after the first", pdf(holding(after)), "ok", hides="F-CACHE-01")
    yield case(
        "garbage instead of deflated bytes",
        pdf(holding(stream(random.Random(1).randbytes(5_000), FLATE))),
        "pdf_damaged",
    )


def large(cii: str) -> Iterator[Case]:
    """Give what is large to write or read."""
    xml = cii.encode()
    many = several([(b"(f%d.csv)" % n, stream(b"x")) for n in range(100_000)])
    yield case("100,000 attachments", lambda: pdf(many), "pdf_too_many_objects")
    objects = holding(deflated(xml)) | dict.fromkeys(range(6, 700_000), b"0")
    yield case("700,000 objects", lambda: pdf(objects), "pdf_too_many_objects")
    few = holding(deflated(xml)) | dict.fromkeys(range(6, 99_000), b"0")
    yield case("99,000 objects", lambda: pdf(few), "ok")
    some = several([(b"(f%d.csv)" % n, stream(b"x")) for n in range(40_000)])
    yield case("40,000 attachments", lambda: pdf(some), "pdf_too_many_attachments")
    good = pdf(holding(deflated(xml)))
    rows = b"xref\n0 1500000\n" + b"0000000000 00000 n \n" * 1_500_000
    table = good.replace(b"xref\n0 1\n0000000000 65535 f \n", rows, 1)
    yield case("a table of 1,500,000 rows", table, "pdf_too_many_objects")
    comments = b"".join(b"<!-- %b -->" % (b"x" * (1 << 20)) for _ in range(18))
    plain = stream(xml + comments)
    yield case("an invoice of 19 MB, not packed", pdf(holding(plain)), "ok")
    plain = stream(xml + b" " * (45 << 20))
    yield case(
        "an attachment of 45 MB, not packed",
        pdf(holding(plain)),
        "pdf_too_large",
        "pdf_bomb",
        "xml_too_large",
    )

    def sparse(path: object) -> None:
        with open(str(path), "wb") as file:  # noqa: PTH123
            file.write(b"%PDF-1.7\n")
            file.truncate(300 << 20)

    yield Case("300 MB", sparse, frozenset({"pdf_too_large"}), kind="path")
    deep = b"(" * 20_000_000
    yield case(
        "a string never closed, of 20 MB",
        lambda: pdf(holding(deflated(xml), o1=deep)),
        "pdf_damaged",
    )
    garbage = b"%PDF-1.7\n" + b"1 0 obj\n<<>>\nendobj\n" * 1_000_000
    yield case(
        "a million objects and no table",
        garbage,
        "pdf_too_many_objects",
    )
    yield case(
        "30 MB of noise",
        lambda: b"%PDF-1.7\n" + random.Random(3).randbytes(30 << 20),
        "pdf_damaged",
    )
