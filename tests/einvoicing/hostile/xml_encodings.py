"""Write an invoice in every encoding it may have, and in those it may not."""

from __future__ import annotations

from collections.abc import Iterator

from tests.einvoicing.hostile.cases import Case, case


def encodings(cii: str) -> Iterator[Case]:
    """Give each file."""
    accepted = (
        *(("UTF-8", "utf-8-sig"), ("UTF-16", "utf-16"), ("UTF-16", "utf-16-le")),
        *(("UTF-16", "utf-16-be"), ("ISO-8859-1", "iso-8859-1"), ("ISO-8859-15", "iso-8859-15")),
        ("windows-1252", "cp1252"),
    )
    for label, codec in accepted:
        data = cii.replace("UTF-8", label).encode(codec)
        yield case(f"{codec} said {label}", data, "ok", shows="Indemnité de 40 euros")
    for mark, codec in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        data = mark + cii.replace("UTF-8", "UTF-16").encode(codec)
        yield case(f"{codec} with its mark", data, "ok", shows="Indemnité de 40 euros")
    refused = (
        *(
            ("UTF-7", "utf-7"),
            ("UTF-32", "utf-32"),
            ("UTF-32", "utf-32-le"),
            ("UTF-32", "utf-32-be"),
        ),
        *(("UTF-8", "iso-8859-1"), ("UTF-8", "cp1252"), ("UTF-16", "utf-8"), ("UTF-8", "utf-16")),
        *(("ISO-8859-1", "utf-8-sig"), ("UTF-7", "utf-8"), ("EBCDIC-CP-FR", "utf-8")),
        *(("UTF-8", "cp500"), ("IBM037", "cp037"), ("UTF-16LE", "utf-16-be"), ("CESU-8", "utf-8")),
        *(("ISO-2022-JP", "utf-8"), ("GB18030", "utf-8"), ("UCS-4", "utf-32-be")),
    )
    for label, codec in refused:
        text = cii.replace("UTF-8", label)
        data = text.encode(codec, "replace")
        yield case(f"{codec} said {label}", data, "xml_encoding", "unknown_kind")
    smuggled = cii.replace("UTF-8", "UTF-7").replace(
        "<rsm:ExchangedDocument>", "+ADw-rsm:ExchangedDocument+AD4-"
    )
    yield case("tags smuggled in UTF-7", smuggled.encode(), "xml_encoding")
    two = cii.replace('encoding="UTF-8"', 'encoding="UTF-8" encoding="UTF-7"')
    yield case("two encodings declared", two.encode(), "xml_malformed")
    overlong = cii.encode().replace(b"F-2026-001", b"F\xc0\xafX", 1)
    yield case("overlong UTF-8", overlong, "xml_encoding")
    surrogate = cii.encode().replace(b"F-2026-001", b"F\xed\xa0\x80X", 1)
    yield case("lone surrogate in UTF-8", surrogate, "xml_encoding")
    lone = cii.replace("UTF-8", "UTF-16").encode("utf-16-le").replace(b"F\0-\0", b"F\0\0\xd8", 1)
    yield case("lone surrogate in UTF-16", lone, "xml_encoding")
    yield case(
        "odd number of bytes in UTF-16",
        cii.replace("UTF-8", "UTF-16").encode("utf-16")[:-1],
        "xml_encoding",
    )
    yield case("NUL in a value", cii.replace("F-2026", "F\0-2026").encode(), "xml_malformed")
    yield case("NUL by reference", cii.replace("F-2026", "F&#0;-2026").encode(), "xml_malformed")
    yield case("NULs after the end", cii.encode() + bytes(1000), "ok", "xml_malformed")
    yield case("NULs before the start", bytes(1000) + cii.encode(), "unknown_kind")
    yield case("a control character", cii.replace("F-2026", "F\x01-2026").encode(), "xml_malformed")
