"""Converting: the same invoice on the other side, or nothing written and the reason said."""

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pypdf import PdfReader
from tests.einvoicing.conftest import CII

from encaisse_einvoicing import CannotWrite, Gap, Refused, read_bytes
from encaisse_einvoicing.cli.convert import convert_command
from encaisse_einvoicing.converting import TARGETS, Target, convert
from encaisse_einvoicing.model import Invoice

WHEN = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(convert_command, list(arguments))


def told(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def invoice_of(data: bytes) -> Invoice:
    found = read_bytes("a", data).invoice
    assert found is not None
    return found


@pytest.mark.parametrize("target", TARGETS)
def test_the_invoice_is_the_same_on_the_other_side(target: Target) -> None:
    made = convert("a.xml", CII.encode(), target, when=WHEN)
    assert invoice_of(made.data) == invoice_of(CII.encode())
    assert (made.left_out, made.lost, made.issues) == ((), (), ())
    assert convert("a.xml", CII.encode(), target, when=WHEN) == made


def test_a_pdf_keeps_its_page_when_its_xml_is_written_again() -> None:
    page = convert("a.xml", CII.encode(), "facturx", when=WHEN).data
    made = convert("a.pdf", page, "facturx", when=WHEN)
    assert invoice_of(made.data) == invoice_of(CII.encode())
    shown = [PdfReader(io.BytesIO(each)).pages[0].extract_text() for each in (page, made.data)]
    assert "F-2026-001" in shown[0] and shown[0] == shown[1]
    assert convert("a.pdf", page, "ubl", when=WHEN).syntax == "UBL Invoice"


def test_what_would_be_lost_stops_the_conversion_until_it_is_accepted() -> None:
    odd = CII.replace("<rsm:ExchangedDocument>", "<rsm:ExchangedDocument><ram:Unknown/>").replace(
        "20260214", "20260231"
    )
    with pytest.raises(Refused) as refused:
        convert("a.xml", odd.encode(), "ubl", when=WHEN)
    assert refused.value.code == "conversion_loses"
    assert "20260231" in refused.value.message_fr and "ram:Unknown" in refused.value.message_fr
    made = convert("a.xml", odd.encode(), "ubl", when=WHEN, lossy=True)
    assert len(made.lost) == 2
    assert invoice_of(made.data).due_date is None


def test_a_level_without_lines_says_which_terms_have_no_place() -> None:
    with pytest.raises(Refused) as refused:
        convert("a.xml", CII.encode(), "cii", level="minimum", when=WHEN)
    assert "BG-25" in refused.value.message_fr
    made = convert("a.xml", CII.encode(), "cii", level="minimum", when=WHEN, lossy=True)
    assert "BG-25" in {gap.term for gap in made.left_out}
    assert invoice_of(made.data).lines == ()


def test_a_level_of_bare_xml_is_refused_in_a_pdf() -> None:
    with pytest.raises(Refused, match="extended"):
        convert("a.xml", CII.encode(), "facturx", level="extended-ctc-fr", when=WHEN)


def test_a_document_that_is_no_invoice_is_refused_as_in_reading() -> None:
    with pytest.raises(Refused) as refused:
        convert("a.xml", b"<Order/>", "ubl", when=WHEN)
    assert refused.value.code == read_bytes("a.xml", b"<Order/>").issues[0].code


def test_a_folder_is_converted_file_by_file_and_the_bad_ones_are_named(tmp_path: Path) -> None:
    source, into = tmp_path / "in", tmp_path / "out" / "ubl"
    source.mkdir()
    (source / "a.xml").write_text(CII)
    (source / "b.xml").write_text("<Order/>")
    result = run(str(source), "--to", "ubl", "--into", str(into), "--json")
    assert result.exit_code == 1
    good, bad = told(result)
    assert (good["ok"], good["syntax"], good["written"]) == (True, "UBL Invoice", f"{into}/a.xml")
    assert (bad["ok"], bad["written"]) == (False, None) and bad["issues"][0]["message"]
    assert [each.name for each in into.iterdir()] == ["a.xml"]
    assert invoice_of((into / "a.xml").read_bytes()) == invoice_of(CII.encode())


def test_nothing_is_replaced_unless_asked_and_never_twice_in_one_call(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    for folder in (first, second):
        folder.mkdir()
        (folder / "a.xml").write_text(CII)
    into = tmp_path / "out"
    twice = run(str(first), str(second), "--to", "cii", "--into", str(into), "--json")
    assert [each["ok"] for each in told(twice)] == [True, False]
    (into / "a.xml").write_text("mine")
    again = run(str(first), "--to", "cii", "--into", str(into))
    assert again.exit_code == 1 and "existe déjà" in again.output
    assert (into / "a.xml").read_text() == "mine"
    forced = run(str(first), "--to", "cii", "--into", str(into), "--force")
    assert forced.exit_code == 0
    assert invoice_of((into / "a.xml").read_bytes()) == invoice_of(CII.encode())


def test_the_same_name_in_other_folders_and_archives_is_another_file(tmp_path: Path) -> None:
    source, into = tmp_path / "in", tmp_path / "out"
    for folder in (source, source / "b", source / "c"):
        folder.mkdir()
        (folder / "facture.xml").write_text(CII)
    with zipfile.ZipFile(source / "lot.zip", "w") as archive:
        archive.writestr("../d/facture.xml", CII)
    result = run(str(source), "--to", "ubl", "--into", str(into))
    assert result.exit_code == 0, result.output
    names = {str(each.relative_to(into)) for each in into.rglob("*.xml")}
    assert names == {f"{folder}facture.xml" for folder in ("", "b/", "c/", "lot.zip/d/")}


def test_another_profile_than_the_one_announced_is_told() -> None:
    foreign = CII.replace("urn:cen.eu:en16931:2017<", "urn:cen.eu:en16931:2017#conformant#x<")
    made = convert("a.xml", foreign.encode(), "ubl", when=WHEN)
    assert [issue.code for issue in made.issues] == ["profile_changed"]
    assert "#conformant#x" in made.issues[0].message


@pytest.mark.parametrize("named", ["", "a.xml"])
def test_an_original_is_never_written_over_even_when_asked(tmp_path: Path, named: str) -> None:
    original = tmp_path / "a.xml"
    original.write_text(CII)
    result = run(str(tmp_path / named), "--to", "ubl", "--into", str(tmp_path), "--force")
    assert result.exit_code == 1 and "l'original n'est jamais" in result.output
    assert original.read_text() == CII
    assert [each.name for each in tmp_path.iterdir()] == ["a.xml"]


def test_wrong_calls_are_told(tmp_path: Path) -> None:
    there = tmp_path / "a.xml"
    there.write_text(CII)
    assert run("--to", "ubl", "--into", str(tmp_path)).exit_code == 2
    assert run(str(there), "--to", "ubl", "--into", str(there)).exit_code == 2
    gone = run(str(tmp_path / "gone.xml"), "--to", "ubl", "--into", str(tmp_path / "out"))
    assert gone.exit_code == 2 and "n'existe pas" in gone.output


def test_a_level_ubl_does_not_have_is_a_wrong_call_and_makes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(CII)
    into = tmp_path / "new"
    result = run(str(tmp_path / "a.xml"), "--to", "ubl", "--level", "extended", "--into", str(into))
    assert result.exit_code == 2 and "en16931, extended-ctc-fr" in result.stderr
    assert not into.exists()


def test_a_conversion_that_wrote_nothing_leaves_no_folder_behind(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<a/>")
    kept, into = tmp_path / "kept", tmp_path / "new" / "deeper"
    kept.mkdir()
    for folder in (kept, into):
        result = run(str(tmp_path / "a.xml"), "--to", "ubl", "--into", str(folder))
        assert result.exit_code == 1
    assert kept.exists() and not (tmp_path / "new").exists()


def test_one_gap_is_told_in_the_singular() -> None:
    one = Gap(code="no_place", field="lines", label="ligne", term="BG-25")
    assert "ligne (BG-25, lines) n'y a pas de place." in str(CannotWrite("CII", [one]))
    many = str(CannotWrite("CII", [one] * 13))
    assert many.count("ligne") == 12 and "et 1 autre n'y ont pas de place." in many
