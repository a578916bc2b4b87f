"""Write FECs that no ledger wrote: endless lines, odd numbers, days at the ends of time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.einvoicing.fec_files import HEADER, LEDGER, NAME, file, row
from tests.einvoicing.hostile.cases import Case, case

FEC: dict[str, Any] = {"kind": "fec"}


def cases() -> Iterator[Case]:
    """Give each file; its name ends in the name of the file, which says whose it is."""
    good = file(LEDGER)
    yield _case("an honest one", good, "ok")
    yield from _bytes(good)
    yield from _headers(good)
    yield from _values()


def _case(name: str, data: bytes, *expect: str, called: str = NAME, **more: Any) -> Case:
    return case(f"{name}/{called}", data, *expect, **FEC, **more)


def _bytes(good: bytes) -> Iterator[Case]:
    yield _case("nothing", b"", "fec_empty")
    yield _case("line ends alone", b"\r\n" * 100_000, "fec_empty")
    yield _case("NULs", bytes(100_000), "fec_encoding")
    yield _case("a NUL far down", good * 200 + b"\0", "ok", "fec_encoding")
    yield _case("UTF-16", good.decode().encode("utf-16"), "fec_encoding")
    yield _case("UTF-16 without its mark", good.decode().encode("utf-16-le"), "fec_encoding")
    mixed = good + "\t".join(row("VE", "9", "20250901", "411", "1,00", label="é")).encode("cp1252")
    yield _case("two encodings", mixed, "ok")
    every = good + bytes(range(1, 256)) * 20
    yield _case("every byte there is", every, "ok")
    yield _case("ends of line of old Macs", good.replace(b"\r\n", b"\r"), "ok")
    yield _case(
        "a quote never closed", good.replace(b"Journal", b'"Journal', 1), "ok", "fec_columns"
    )


def _headers(good: bytes) -> Iterator[Case]:
    yield _case("one line of 50 MB", b"x" * 50_000_000, "fec_columns")
    yield _case("one line of 50 MB of tabulations", b"\t" * 50_000_000, "fec_columns")
    first = "\t".join(HEADER).encode()
    yield _case("a line of 50 MB after the header", first + b"\r\n" + b"x" * 50_000_000, "ok")
    tabs = first + b"\r\n" + b"\t" * 20_000_000
    yield _case("a line of twenty million fields", tabs, "ok")
    yield _case("a million columns", b"\t".join([first, *[b"X"] * 1_000_000]), "fec_columns")
    twice = b"\t".join([first, *[b"Debit"] * 1_000_000])
    yield _case("a million columns of one name", twice, "fec_columns")
    yield _case("a million lines that are empty", good + b"\r\n" * 1_000_000 + b"x", "ok")


def _values() -> Iterator[Case]:
    lost = frozenset({"amount_unreadable"})
    for text in (
        *(
            "NaN",
            "Infinity",
            "1_000",
            "\u0661\u0662\u0663",
            "\uff11\uff12",
            "1E+100",
            "0x10",
            "--1",
        ),
        *(
            "9" * 900_000,
            "1E999",
            "1E-99",
            "1e99",
            "9" * 40,
            "1,5E+99",
            "\u00bd",
            "0," + "1" * 50,
        ),
    ):
        data = file([*LEDGER, row("VE", "9", "20250901", "41100000", "1,00", aux="C9")])
        changed = data.replace(b"\t1,00\t", b"\t" + text.encode() + b"\t")
        yield _case(f"amount {ascii(text)[:20]} of {len(text)}", changed, "ok", issues=lost)
    for text in (
        "00000101",
        "20250230",
        "\u0662\u0660\u0662\u0665\u0660\u0661\u0660\u0661",
        "0",
        "2025",
    ):
        data = file([row("VE", "9", text, "41100000", "1,00", aux="C9")])
        yield _case(f"day {ascii(text)[:20]}", data, "ok", issues=frozenset({"date_unreadable"}))
    for text in ("99991231", "00010101"):
        data = file([row("VE", "9", text, "41100000", "1,00", aux="C9")])
        yield _case(f"day {text}", data, "ok")
    for closing in ("00010101", "00011231", "99991231", "00000000", "20251331"):
        yield _case(f"closing {closing}", file(LEDGER), "ok", called=f"999000003FEC{closing}.txt")
    arabic = "".join(chr(0x660 + int(c)) for c in "999000003")
    yield _case(
        "a SIREN in other digits",
        file(LEDGER),
        "ok",
        called=f"{arabic}FEC20251231.txt",
        issues=frozenset({"name"}),
    )
