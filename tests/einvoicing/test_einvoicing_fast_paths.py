"""What is read by a shorter way says what the longer one says; long files cost little memory."""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.fr import siren as fr_siren
from stdnum.fr import siret as fr_siret
from stdnum.fr import tva as fr_tva
from tests.counts import examples
from tests.einvoicing.fec_files import LEDGER, NAME, entry, file

from encaisse_einvoicing import read_bytes
from encaisse_einvoicing.cli import progress
from encaisse_einvoicing.fec import read_fec, receivables
from encaisse_einvoicing.fec.cli import fec as fec_command
from encaisse_einvoicing.fec.receivables import is_customers
from encaisse_einvoicing.issues import Refused
from encaisse_einvoicing.reading import values
from encaisse_einvoicing.reading.identifiers import french_numbers
from encaisse_einvoicing.reading.plan import Converted

cutting = importlib.import_module("encaisse_einvoicing.fec.records")
"""The module; the package gives its name to the function that writes."""
loader = importlib.import_module("encaisse_einvoicing.reading.loader")

CALM = settings(max_examples=examples(200), deadline=None, database=None)
DIGITS = st.text(st.sampled_from("0123456789"), max_size=14)
NEARLY = st.text(st.sampled_from("0123456789.,+-eE \u0661\u00b2"), max_size=14)
"""What a number is made of, and what only looks like it."""


# --- values --------------------------------------------------------------------------------------

DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
"""The lexical form of xsd:decimal."""


@CALM
@given(text=st.one_of(NEARLY, st.decimals(allow_nan=False, allow_infinity=False).map(str)))
def test_a_decimal_is_what_the_schema_calls_one(text: str) -> None:
    found = values.decimal(text)
    if DECIMAL.fullmatch(text) and len(text) <= 40:
        assert isinstance(found, Decimal) and str(found) == str(Decimal(text))
    else:
        assert isinstance(found, Converted) and found.value is None


@CALM
@given(day=st.dates(), spoilt=st.integers(0, 11), char=st.sampled_from("0139-WZ \u0661"))
def test_a_day_is_read_in_its_form_alone(day: date, spoilt: int, char: str) -> None:
    assert values.iso_date(day.isoformat()) == day
    assert values.cii_date(f"{day:%Y%m%d}".zfill(8), "") == day
    other = day.isoformat()[:spoilt] + char + day.isoformat()[spoilt + 1 :]
    found = values.iso_date(other)
    if isinstance(found, date):
        assert found.isoformat() == other


@pytest.mark.parametrize("text", ["2026-W01-1", "2026W011", "20260115", "2026-1-05", "2026-02-30"])
def test_what_python_takes_for_a_day_and_xml_schema_does_not_is_refused(text: str) -> None:
    found = values.iso_date(text)
    assert isinstance(found, Converted) and found.value is None


# --- encodings -----------------------------------------------------------------------------------

SPOILT = (
    # cut short, continued for nothing, overlong, half a surrogate, beyond Unicode
    *(b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\x80" * 5, b"\xc0\xaf", b"\xe0\x80\x80"),
    *(b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xff"),
)
EVERYWHERE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!-- payé --><?suite é?>\n'
    '<r:racine xmlns:r="urn:r" lieu="Orléans" b=\'é\'><numéro clé="é">1 € 😀 &#233;</numéro>'
    "<v>%s</v><![CDATA[ reçu ]]><!-- dedans é --><?suite é?></r:racine>\n"
)
"""A document with a character beyond ASCII in every kind of place."""


@CALM
@given(
    filler=st.integers(0, 3000).map(lambda length: "é" * length),
    places=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=3),
    wrong=st.sampled_from(SPOILT) | st.binary(min_size=1, max_size=4),
    instead=st.booleans(),
)
def test_what_is_no_utf8_is_refused_wherever_it_stands(
    filler: str, places: list[float], wrong: bytes, instead: bool
) -> None:
    data = (EVERYWHERE % filler).encode()
    assert loader.parse_tree(data) is not None
    head = data.index(b"<!--")
    for place in places:
        at = head + int(place * (len(data) - head))
        data = data[:at] + wrong + data[at + len(wrong) * instead :]
    try:
        data.decode()
    except UnicodeDecodeError as error:
        with pytest.raises(Refused) as refused:
            loader.parse_tree(data)
        assert refused.value.code in ("xml_encoding", "xml_doctype")
        assert refused.value.code == "xml_doctype" or str(error.start) in refused.value.message_fr
    else:
        with contextlib.suppress(Refused):  # it may be malformed now
            loader.parse_tree(data)


# --- keys of numbers -----------------------------------------------------------------------------


@CALM
@given(number=DIGITS, keyed=st.booleans())
def test_the_key_of_a_number_is_the_librarys(number: str, keyed: bool) -> None:
    if keyed and len(number) >= 8:
        number = next(f"{number[:8]}{k}" for k in "0123456789" if fr_siren.is_valid(number[:8] + k))
    legal = french_numbers(number, "0002", (), None, None)
    assert (legal.siren == number) == (len(number) == 9 and fr_siren.is_valid(number))
    vat = f"FR{int(number + '12') % 97:02d}{number}" if len(number) == 9 else f"FR{number}"
    found = french_numbers(None, None, (), vat, None)
    due = len(vat) == 13 and fr_tva.is_valid(vat) and fr_siren.is_valid(vat[4:])
    assert (found.siren is not None) == due


@CALM
@given(start=st.sampled_from(["123456782", "356000000", "987654324", ""]), rest=DIGITS)
def test_the_key_of_a_siret_is_the_librarys(start: str, rest: str) -> None:
    number = (start + rest)[:14]
    found = french_numbers(None, None, ((number, "0009"),), None, None)
    assert (found.siret == number) == (bool(number) and fr_siret.is_valid(number))


# --- one parser to a thread ----------------------------------------------------------------------


def test_threads_read_the_same_invoices_at_the_same_time(
    cii: str, ubl: str, credit_note: str
) -> None:
    documents = [each.encode() for each in (cii, ubl, credit_note, "<a>", "<!DOCTYPE a><a/>")]
    alone = [read_bytes("x", each) for each in documents]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda n: read_bytes("x", documents[n % 5]), range(100)))
    assert together == [alone[n % 5] for n in range(100)]


# --- ledgers -------------------------------------------------------------------------------------


@CALM
@given(
    text=st.text(st.sampled_from("a\u00e9\u20ac\t\r\n"), max_size=30),
    piece=st.integers(1, 9),
    longest=st.integers(1, 30),
    encoding=st.sampled_from(["utf-8", "iso8859-15", "cp1252"]),
)
def test_a_file_cut_anywhere_has_the_same_records(
    text: str, piece: int, longest: int, encoding: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "_PIECE", piece)
        found = list(cutting.records(io.BytesIO(text.encode(encoding)), encoding, longest))
    whole = re.split(r"\r\n|\n|\r", text)
    while whole and not whole[-1]:
        whole.pop()
    assert found == [each if len(each) <= longest else len(each) for each in whole]


@CALM
@given(
    text=st.text(st.sampled_from("a\u00e9\u20ac\r\n"), max_size=12),
    longest=st.integers(1, 8),
    marked=st.booleans(),
)
def test_a_first_line_is_measured_without_reading_what_follows(
    text: str, longest: int, marked: bool
) -> None:
    file_ = io.BytesIO(text.encode("utf-8-sig" if marked else "utf-8") + b"\n" + b"x" * 100)
    due = len(re.split(r"\r\n|\n|\r", text)[0]) < longest
    assert cutting.starts_with_a_line(file_, "utf-8", longest) == due


@CALM
@given(data=st.binary(max_size=20), piece=st.integers(1, 5))
def test_the_encoding_does_not_depend_on_where_a_file_is_cut(data: bytes, piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "_PIECE", piece)
        found = cutting.encoding_of(io.BytesIO(data))
    try:
        data.decode("utf-8")
        due = "utf-8"
    except UnicodeDecodeError:
        due = "cp1252" if any(0x80 <= byte < 0xA0 for byte in data) else "iso8859-15"
    assert found == due


def test_lines_left_out_are_read_judged_and_counted_all_the_same() -> None:
    rows = [*LEDGER, *entry("OD", "9", "20250901", "10,00", aux="C009", piece="X")[1:]]
    whole = read_fec(file(rows), NAME)
    part = read_fec(io.BytesIO(file(rows)), NAME, keep=is_customers)
    assert (part.findings, part.unread, part.count) == (whole.findings, whole.unread, len(rows))
    assert [each.code for each in part.findings] == ["unbalanced"]
    assert part.lines == tuple(line for line in whole.lines if is_customers(line))
    assert receivables(part) == receivables(whole)


def test_a_balanced_entry_that_comes_back_is_named_where_it_stops_being_so() -> None:
    rows = [*LEDGER, *entry("VE", "2", "20250902", "5,00", aux="C001", piece="Y")[:1]]
    (found,) = read_fec(file(rows), NAME).findings
    assert (found.code, found.lines) == ("unbalanced", (len(rows) + 1,))


def ledger_of(path: Path, entries: int) -> None:
    with path.open("wb") as out:
        out.write(file([]))
        day = date(2025, 1, 1)
        for number in range(entries):
            rows = entry("VE", f"{number}", f"{day + timedelta(number % 365):%Y%m%d}", "12,00",
                         aux=f"C{number % 50}", piece=f"F{number}")  # fmt: skip
            out.write(file(rows, header=()).removeprefix(b"\r\n"))


def highest(path: Path) -> int:
    """Measure the most memory that reading takes when nothing of the file is kept."""
    tracemalloc.start()
    with path.open("rb") as opened:
        found = read_fec(opened, NAME, keep=lambda line: False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.valid and not found.lines
    return peak


def test_a_ledger_eight_times_as_long_takes_no_more_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "_PIECE", 1 << 12)  # so that pieces weigh little beside the file
    short, long = tmp_path / "a.txt", tmp_path / "b.txt"
    ledger_of(short, 500)
    ledger_of(long, 4_000)
    highest(short)  # what is laid out once is not counted
    peaks = highest(short), highest(long)
    assert peaks[1] < 1.3 * peaks[0] and peaks[1] < long.stat().st_size / 4, peaks


def test_one_endless_line_is_counted_and_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "_PIECE", 1 << 14)
    data = io.BytesIO(file(LEDGER) + b"\t" * 4_000_000 + b"\r\n" + file(LEDGER, header=())[2:])
    tracemalloc.start()
    found = read_fec(data, NAME)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.unread == (len(LEDGER) + 2,) and found.count == 2 * len(LEDGER)
    (told,) = (each for each in found.findings if each.code == "field_count")
    assert told.example == "4000000 caractères"
    assert peak < 3_000_000


def test_a_ledger_that_lasts_is_counted_on_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_QUIET_SECONDS", 0.0)
    path = tmp_path / NAME
    ledger_of(path, 2_000)
    result = CliRunner().invoke(fec_command, [str(path), "--json"])
    assert "lignes lues…" in result.stderr or "ligne lue…" in result.stderr
    assert '"lines": 4000' in result.stdout
