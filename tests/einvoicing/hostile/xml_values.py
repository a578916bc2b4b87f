"""Write amounts and days that are none, or none that every reader reads alike."""

from __future__ import annotations

from collections.abc import Iterator

from tests.einvoicing.hostile.cases import Case, case

ISSUED = '<udt:DateTimeString format="102">20260115<'
PAYABLE = "<ram:DuePayableAmount>1000.00<"


def values(cii: str) -> Iterator[Case]:
    """Give each file."""
    amounts = (
        *("1E+100", "1e5", "NaN", "Infinity", "-Infinity", "sNaN", "1_000", "1,000.00", "1000,00"),
        *(
            "\u0661\u0662\u0663",
            "\uff11\uff12",
            "0x10",
            "1 000",
            "\u00bd",
            "--1",
            "1.2.3",
            "1." + "0" * 50,
        ),
        *("9" * 1_000, "+", ".", "\u2212100", "1\u00a0000", "10\u20ac", "true", "1e-400"),
    )
    for text in amounts:
        data = cii.replace(PAYABLE, f"<ram:DuePayableAmount>{text}<").encode()
        yield case(
            f"amount {ascii(text)[:20]}",
            data,
            "ok",
            issues=frozenset({"amount_invalid"}),
            shows='"payable": null',
        )
    million = cii.replace(PAYABLE, f"<ram:DuePayableAmount>{'9' * 1_000_000}<").encode()
    yield case(
        "an amount of a million digits",
        million,
        "ok",
        issues=frozenset({"text_too_long"}),
        shows='"payable": null',
    )
    for text in ("-0", "0.00000000000000000000000000000001", "9" * 40, "+5", ".5", "5."):
        data = cii.replace(PAYABLE, f"<ram:DuePayableAmount>{text}<").encode()
        yield case(f"amount {text}", data, "ok")
    days = (
        *("00000101", "20261301", "20260230", "20260229", "99999999", "2026011", "202601155"),
        *(
            "\u0662\u0660\u0662\u0666\u0660\u0661\u0661\u0665",
            "2026 115",
            "20260115T00",
            "+2026115",
            "-0260115",
        ),
    )
    for text in days:
        data = cii.replace(ISSUED, f'<udt:DateTimeString format="102">{text}<').encode()
        yield case(
            f"day {ascii(text)[:20]}",
            data,
            "date_invalid",
            issues=frozenset({"missing_issue_date"}),
        )
    for text in ("99991231", "00010101"):
        data = cii.replace(ISSUED, f'<udt:DateTimeString format="102">{text}<').encode()
        yield case(f"day {text}", data, "ok")
    formats = ("", "999", "102 ", "\u0661\u0660\u0662", "616", "x" * 5_000)
    for text in formats:
        data = cii.replace(ISSUED, f'<udt:DateTimeString format="{text}">20260115<').encode()
        yield case(f"date format {ascii(text)[:10]}", data, "ok", "date_format")
    zone = cii.replace(ISSUED, '<udt:DateTimeString format="102">2026-01-15+14:00<').encode()
    yield case("an ISO day with a zone in CII", zone, "date_invalid", "date_with_zone")
