"""Draw values that documents should not hold, and sometimes do."""

from __future__ import annotations

from random import Random
from typing import Final

ODD: Final = (
    *(
        "",
        " ",
        "-",
        "NaN",
        "Infinity",
        "1e9",
        "1E+100",
        "1_000",
        "1 000,00",
        "1.",
        ".5",
        "+1",
        "--1",
    ),
    *("0", "-0.00", "9" * 39, "9" * 41, "9" * 1_200, "0." + "3" * 60, "2400,00", "1,234.56"),
    *("99999999", "00000101", "20260230", "2026-02-30", "2026-01-01Z", "2026-01-01T00:00:00"),
    *(
        "9999-12-31",
        "0001-01-01",
        "20260101",
        "20251301",
        "\u0662\u0660\u0662\u0666",
        "\uff11\uff12",
    ),
    *("0002", "0009", "VA", "FC", "VAT", "EUR", "eur", "XXX", "130", "381", "380", "true", "maybe"),
    *("123456782", "12345678200002", "123456789", "FR11123456782", "FR00000000000"),
    *(
        "#PMT#",
        "#PMD#x",
        "#",
        "##",
        "\u202e",
        "\u200b",
        "\ufeff",
        "\U0001f600",
        "e\u0301",
        "\u00a0",
    ),
    *("<![CDATA[x]]>", "&amp;", "]]>", "x" * 1_001, "x" * 100_001, "a\nb", "\t", "\u2028", "\x85"),
    *("urn:cen.eu:en16931:2017", "http://127.0.0.1:9/", "file:///etc/hostname", "../../x"),
)


def text(chance: Random) -> str:
    """Draw an odd value, or characters of anywhere that XML can hold."""
    if chance.random() < 0.7:
        return chance.choice(ODD)
    points = (chance.choice(_RANGES) for _ in range(chance.randint(1, 12)))
    return "".join(chr(chance.randint(low, high)) for low, high in points)


_RANGES: Final = (
    *((0x20, 0x7E), (0x30, 0x39), (0xA0, 0xFF), (0x370, 0x3FF), (0x5D0, 0x5EA), (0x660, 0x669)),
    *((0x2000, 0x206F), (0x3040, 0x30FF), (0xE000, 0xE0FF), (0xFF00, 0xFFEF), (0x1F300, 0x1F6FF)),
)
