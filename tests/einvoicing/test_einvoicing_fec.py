"""A FEC is read whatever program wrote it, what it breaks is named, and nothing is guessed."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counts import examples
from tests.einvoicing.fec_files import HEADER, LEDGER, NAME, SIDED, entry, file, row, sided

from encaisse_einvoicing import Refused
from encaisse_einvoicing.fec import Fec, FecLine, Level, read_fec, receivables, values, write_fec
from encaisse_einvoicing.fec.cli import fec as fec_command


def by_rule(fec: Fec) -> dict[str, int]:
    """Count the findings of a file by rule."""
    return {each.code: each.count for each in fec.findings}


def test_a_clean_file_is_read_whole_and_has_no_finding() -> None:
    fec = read_fec(file(LEDGER), NAME)
    assert (fec.siren, fec.closing) == ("999000003", date(2025, 12, 31))
    assert by_rule(fec) == {}
    assert fec.valid and fec.unread == ()
    assert len(fec.lines) == len(LEDGER)
    first = fec.lines[0]
    assert (first.line, first.journal, first.day) == (2, "AN", date(2025, 1, 1))
    assert (first.debit, first.credit, first.label) == (Decimal("600.00"), Decimal(0), "Écriture")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "iso8859-15"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("separator", ["\t", "|"])
@pytest.mark.parametrize("variant", ["debit and credit", "one amount"])
def test_every_lawful_writing_says_the_same(
    encoding: str, end: str, separator: str, variant: str
) -> None:
    rows, header = (LEDGER, HEADER) if variant == "debit and credit" else (sided(LEDGER), SIDED)
    data = file(rows, header=header, separator=separator, end=end, encoding=encoding)
    fec = read_fec(data, NAME)
    assert by_rule(fec) == {}
    assert fec.lines == read_fec(file(LEDGER), NAME).lines


def test_headers_are_known_without_case_and_accents() -> None:
    header = tuple(name.upper().replace("DEBIT", "Débit") for name in HEADER)
    assert by_rule(read_fec(file(LEDGER, header=header), NAME)) == {}


def changed(place: int, column: str, value: str) -> bytes:
    """Change one field of the clean file."""
    rows = [list(each) for each in LEDGER]
    rows[place][HEADER.index(column)] = value
    return file(rows)


@pytest.mark.parametrize(
    ("column", "value", "code", "level"),
    [
        ("Debit", "600.00", "amount_form", Level.ERROR),
        ("Debit", "600,00+", "", Level.INFO),
        ("Debit", "6E2", "", Level.INFO),
        ("Credit", "", "amount_blank", Level.ERROR),
        ("EcritureDate", "01/01/2025", "date_form", Level.ERROR),
        ("EcritureDate", "20251341", "date_unreadable", Level.ERROR),
        ("EcritureDate", "20190101", "date_outside", Level.ALERT),
        ("EcritureDate", "", "required", Level.ERROR),
        ("DateLet", "00000000", "", Level.INFO),
        ("JournalLib", "", "required", Level.ERROR),
        ("CompteNum", "C41", "account", Level.ALERT),
    ],
)
def test_a_field_that_breaks_a_rule_is_named_and_its_line_read(
    column: str, value: str, code: str, level: Level
) -> None:
    fec = read_fec(changed(0, column, value), NAME)
    assert set(by_rule(fec)) == ({code} if code else set())
    assert len(fec.lines) == len(LEDGER)
    assert fec.lines[0].debit == Decimal(600)
    if code:
        (finding,) = fec.findings
        assert (finding.level, finding.lines, finding.count) == (level, (2,), 1)


@pytest.mark.parametrize("value", ["1.234", "1,234,567", "douze", "1,2,3", "--5", "1 23,00", ","])
def test_an_amount_that_could_mean_two_things_is_not_taken(value: str) -> None:
    fec = read_fec(changed(0, "Debit", value), NAME)
    assert "amount_unreadable" in by_rule(fec)
    assert fec.unread == (2,)
    assert len(fec.lines) == len(LEDGER) - 1
    assert receivables(fec).incomplete


@pytest.mark.parametrize(
    ("written", "meant", "lawful"),
    [
        ("1234,5", "1234.5", True),
        ("-12,00", "-12", True),
        ("12,00-", "-12", True),
        (",50", "0.5", True),
        ("1 234,56", "1234.56", False),
        ("1\u00a0234,56", "1234.56", False),
        ("1.234,56", "1234.56", False),
        ("1,234.56", "1234.56", False),
        ("12 000", "12000", False),
        ("12.5", "12.5", False),
    ],
)
def test_an_amount_without_doubt_is_taken_in_any_form(
    written: str, meant: str, lawful: bool
) -> None:
    assert values.amount(written) == (Decimal(meant), lawful)


def test_lines_that_are_no_lines_are_left_out_and_counted() -> None:
    rows = [LEDGER[0][:-1], [*LEDGER[1], ""], [""], LEDGER[2], LEDGER[3]]
    fec = read_fec(file(rows), NAME)
    assert by_rule(fec) == {
        "trailing_separator": 1,
        "field_count": 1,
        "empty_line": 1,
        "unbalanced": 1,
    }
    assert fec.unread == (2,)
    assert [line.line for line in fec.lines] == [3, 5, 6]


def test_sums_and_sides_are_checked() -> None:
    rows = [
        row("OD", "1", "20250101", "41100000", "10,00"),
        row("OD", "2", "20250101", "5", "0,00"),
    ]
    rows[0][12] = "10,00"
    fec = read_fec(file(rows), NAME)
    assert by_rule(fec) == {"two_sides": 1, "no_side": 1, "account": 1}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ecritures.txt", "name"),
        ("9990000030FEC20251231.txt", "name"),
        ("999000003FEC20251331.txt", "name"),
        ("999000002FEC20251231.txt", "name_siren"),
    ],
)
def test_a_name_the_administration_refuses_is_said(name: str, code: str) -> None:
    assert set(by_rule(read_fec(file(LEDGER), name))) == {code}


def test_other_columns_and_another_order_are_read_by_name() -> None:
    extra = [[*each, "analytique"] for each in LEDGER]
    fec = read_fec(file(extra, header=(*HEADER, "Section")), NAME)
    assert set(by_rule(fec)) == {"extra_columns"}
    turned = read_fec(file([each[::-1] for each in LEDGER], header=HEADER[::-1]), NAME)
    assert set(by_rule(turned)) == {"order"}
    assert turned.lines == fec.lines


def test_a_liberal_profession_may_leave_its_journal_blank() -> None:
    rows = [[*LEDGER[0], "20250102", "VIR", "", "C1"]]
    rows[0][0] = rows[0][1] = ""
    header = (*HEADER, "DateRglt", "ModeRglt", "NatOp", "IdClient")
    fec = read_fec(file(rows, header=header), NAME)
    assert set(by_rule(fec)) == {"unbalanced"}
    assert (fec.lines[0].paid_on, fec.lines[0].client) == (date(2025, 1, 2), "C1")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "fec_empty"),
        (b"\r\n\r\n", "fec_empty"),
        (file(LEDGER, encoding="utf-16"), "fec_encoding"),
        (file(LEDGER, separator=";"), "fec_separator"),
        (file([], header=HEADER[:-1]), "fec_columns"),
        (file([], header=(*HEADER[:17], "Solde")), "fec_columns"),
        (file([], header=(*HEADER, "Debit")), "fec_columns"),
        (b"%PDF-1.7\n", "fec_columns"),
    ],
)
def test_what_is_no_fec_is_refused_in_a_sentence(data: bytes, code: str) -> None:
    with pytest.raises(Refused) as caught:
        read_fec(data, NAME)
    assert caught.value.code == code
    assert caught.value.message_fr.endswith(".")


def test_windows_characters_are_read_and_reported() -> None:
    rows = [row("VE", "1", "20250101", "41100000", "1,00", label="Œuvre – 5 €")]
    fec = read_fec(file(rows, encoding="cp1252"), NAME)
    assert fec.lines[0].label == "Œuvre – 5 €"
    assert "encoding" in by_rule(fec)


# --- what customers owe --------------------------------------------------------------------------


def test_what_is_left_of_each_piece_is_owed_and_loose_credits_stay_loose() -> None:
    found = receivables(read_fec(file(LEDGER), NAME))
    assert [(i.customer.account, i.piece, i.open, i.carried) for i in found.items] == [
        ("C001", "AN2025", Decimal(600), True),
        ("C001", "FA-2", Decimal(2400), False),
        ("C002", "FA-3", Decimal(600), False),
    ]
    assert [(u.customer.account, u.piece, u.amount) for u in found.unallocated] == [
        ("C002", "AV-1", Decimal(100)),
        ("C003", "VIR3", Decimal(250)),
    ]
    partial = found.items[2]
    assert (partial.total, partial.due_date) == (Decimal(1000), date(2025, 5, 31))
    assert not found.incomplete


def test_terms_of_a_customer_move_its_due_dates_only() -> None:
    found = receivables(read_fec(file(LEDGER), NAME), terms={"C001": 45})
    dues = {item.piece: item.due_date for item in found.items}
    assert dues["FA-2"] == date(2025, 5, 16)
    assert dues["FA-3"] == date(2025, 5, 31)


def test_one_letter_for_several_invoices_pays_the_oldest_first_and_says_so() -> None:
    rows = [
        *entry("VE", "1", "20250201", "100,00", aux="C", piece="F1", letter="a"),
        *entry("VE", "2", "20250101", "100,00", aux="C", piece="F2", letter="a"),
        *entry("BQ", "3", "20250301", "-150,00", aux="C", piece="V", letter="a"),
    ]
    (item,) = receivables(read_fec(file(rows), NAME)).items
    assert (item.piece, item.open, item.spread) == ("F1", Decimal(50), True)


cents = st.integers(1, 500_000).map(lambda n: Decimal(n) / 100)
texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="|"), max_size=8
)


@st.composite
def ledgers(draw: st.DrawFn) -> list[FecLine]:
    """Draw lines of a few customers, lettered or not, with pieces shared or missing."""
    drawn: list[FecLine] = []
    for number in range(2, 2 + draw(st.integers(1, 14))):
        amount, debit = draw(cents), draw(st.booleans())
        drawn.append(
            FecLine(
                line=number,
                journal=draw(st.sampled_from(["VE", "BQ", "AN"])),
                journal_name="Journal",
                number=str(number),
                day=date(2025, draw(st.integers(1, 12)), 5),
                account=draw(st.sampled_from(["41100000", "41600000", "70600000", "41910000"])),
                account_name="Compte",
                auxiliary=draw(st.sampled_from(["", "C1", "C2"])),
                auxiliary_name=draw(texts),
                piece=draw(st.sampled_from(["F1", "F2", "V1", "X"])),
                piece_day=date(2025, draw(st.integers(1, 12)), 1),
                label=draw(texts) or "x",
                debit=amount if debit else Decimal(0),
                credit=Decimal(0) if debit else amount,
                letter=draw(st.sampled_from(["", "", "A", "b"])),
                validated=date(2025, 12, 31),
            )
        )
    return drawn


@settings(max_examples=examples(60), deadline=None)
@given(ledgers())
def test_what_is_written_is_read_again_as_it_was(lines: list[FecLine]) -> None:
    data = "".join(f"{line}\r\n" for line in write_fec(lines)).encode()
    assert read_fec(data, NAME).lines == tuple(lines)


@settings(max_examples=examples(60), deadline=None)
@given(ledgers())
def test_open_less_unallocated_is_each_customers_balance(lines: list[FecLine]) -> None:
    data = "".join(f"{line}\n" for line in write_fec(lines)).encode()
    found = receivables(read_fec(data, NAME))
    for customer, balance in found.balances.items():
        owed = sum((i.open for i in found.items if i.customer == customer), Decimal(0))
        loose = sum((u.amount for u in found.unallocated if u.customer == customer), Decimal(0))
        assert owed - loose == balance
    assert all(item.open > 0 for item in found.items)
    assert all(each.amount > 0 for each in found.unallocated)


@settings(max_examples=examples(60), deadline=None)
@given(st.binary(max_size=400), st.integers(0, 10_000))
def test_no_bytes_make_the_reader_crash(noise: bytes, place: int) -> None:
    clean = file(LEDGER)
    place %= len(clean)
    for data in (noise, clean[:place] + noise + clean[place:]):
        try:
            read_fec(data, NAME)
        except Refused as refused:
            assert refused.message_fr


# --- the command ---------------------------------------------------------------------------------


def command(path: Path, *options: str) -> Result:
    return CliRunner().invoke(fec_command, [str(path), *options])


def test_the_command_tells_findings_and_receivables(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(changed(0, "Debit", "600.00"))
    spoken = command(path)
    assert spoken.exit_code == 1
    assert "16 lignes lues, SIREN 999000003, exercice clos le 31/12/2025." in spoken.stdout
    assert "Erreur : un montant n'est pas écrit avec une virgule" in spoken.stdout
    assert "Client C001 (C001) : FA-2, 2\u202f400,00\u00a0€ sur" in spoken.stdout
    assert "Au crédit des clients, sans lettrage :" in spoken.stdout
    told = json.loads(command(path, "--json", "--terms", "45").stdout)
    assert told["findings"][0]["lines"] == [2]
    (item,) = (each for each in told["receivables"]["open"] if each["piece"] == "FA-2")
    assert item["due_date"] == "2025-05-16"
    assert item["open"] == "2400.00"
    path.write_bytes(file(LEDGER))
    assert command(path).exit_code == 0


def test_the_command_says_what_it_cannot_read(tmp_path: Path) -> None:
    absent = command(tmp_path / "absent.txt")
    assert (absent.exit_code, absent.stdout) == (2, "")
    assert absent.stderr.endswith("n'a pas pu être lu : il n'existe pas.\n")
    path = tmp_path / NAME
    path.write_bytes(file(LEDGER, separator=";"))
    refused = command(path, "--json")
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["refused"] == "fec_separator"
