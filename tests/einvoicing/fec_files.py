"""Make FEC files as programs write them, for the tests beside this file."""

from __future__ import annotations

from encaisse_einvoicing.fec.columns import COLUMNS

NAME = "999000003FEC20251231.txt"
HEADER = tuple(column.name for column in COLUMNS)
SIDED = (*HEADER[:11], "Montant", "Sens", *HEADER[13:])


def row(
    journal: str,
    number: str,
    day: str,
    account: str,
    amount: str,
    *,
    aux: str = "",
    piece: str = "",
    letter: str = "",
    label: str = "Écriture",
) -> list[str]:
    """Write one line; `amount` below zero is a credit."""
    debit, credit = ("0,00", amount[1:]) if amount.startswith("-") else (amount, "0,00")
    name = f"Client {aux}" if aux else ""
    return [
        *(journal, "Journal", number, day, account, "Compte", aux, name, piece or number, day),
        *(label, debit, credit, letter, day if letter else "", day, "", ""),
    ]


def entry(
    journal: str,
    number: str,
    day: str,
    cents: str,
    *,
    aux: str,
    piece: str,
    letter: str = "",
    against: str = "70600000",
) -> list[list[str]]:
    """Write one customer line and what balances it."""
    back = cents[1:] if cents.startswith("-") else f"-{cents}"
    return [
        row(journal, number, day, "41100000", cents, aux=aux, piece=piece, letter=letter),
        row(journal, number, day, against, back, piece=piece),
    ]


def file(
    rows: list[list[str]],
    *,
    header: tuple[str, ...] = HEADER,
    separator: str = "\t",
    end: str = "\r\n",
    encoding: str = "utf-8",
) -> bytes:
    """Write a whole file."""
    return "".join(separator.join(each) + end for each in (list(header), *rows)).encode(encoding)


def sided(rows: list[list[str]]) -> list[list[str]]:
    """Write lines in the variant with one amount and its side."""
    changed: list[list[str]] = []
    for each in rows:
        debit, credit = each[11], each[12]
        side = ["D", debit] if credit == "0,00" else ["C", credit]
        changed.append([*each[:11], side[1], side[0], *each[13:]])
    return changed


LEDGER = [
    *entry("AN", "1", "20250101", "600,00", aux="C001", piece="AN2025", against="10100000"),
    *entry("VE", "2", "20250210", "1200,00", aux="C001", piece="FA-1", letter="A"),
    *entry(
        "BQ", "3", "20250315", "-1200,00", aux="C001", piece="VIR1", letter="A", against="51200000"
    ),
    *entry("VE", "4", "20250401", "2400,00", aux="C001", piece="FA-2"),
    *entry("VE", "5", "20250501", "1000,00", aux="C002", piece="FA-3", letter="b"),
    *entry(
        "BQ", "6", "20250601", "-400,00", aux="C002", piece="VIR2", letter="b", against="51200000"
    ),
    *entry("VE", "7", "20250701", "-100,00", aux="C002", piece="AV-1"),
    *entry("BQ", "8", "20250801", "-250,00", aux="C003", piece="VIR3", against="51200000"),
]
"""A carried balance, a paid invoice, an open one, one paid in part, an avoir, a loose payment."""
