"""`read` answers in JSON or in a table, with the exit codes of the whole project."""

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TypedDict, cast

import pytest
from click.testing import CliRunner, Result

from encaisse_einvoicing.__main__ import run as run_alone
from encaisse_einvoicing.cli import progress
from encaisse_einvoicing.cli.read import read
from encaisse_einvoicing.complaints import of_the_system


class Record(TypedDict):
    unmapped: list[str]
    file: str
    ok: bool
    invoice: dict[str, object] | None
    issues: list[dict[str, str]]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(read, list(arguments))


def records(result: Result) -> list[Record]:
    return cast("list[Record]", json.loads(result.stdout))


def test_json_gives_the_invoice_with_money_as_strings_and_iso_dates(
    cii: str, tmp_path: Path
) -> None:
    file = tmp_path / "é.xml"
    file.write_text(cii)
    result = run(str(file), "--json")
    assert result.exit_code == 0
    (record,) = records(result)
    assert (record["file"], record["ok"], record["issues"]) == (str(file), True, [])
    assert record["unmapped"] == []
    invoice = record["invoice"]
    assert invoice is not None
    assert {key: invoice[key] for key in ("number", "issue_date", "due_date", "type_code")} == {
        "number": "F-2026-001",
        "issue_date": "2026-01-15",
        "due_date": "2026-02-14",
        "type_code": "380",
    }
    totals = cast("dict[str, object]", invoice["totals"])
    assert {key: totals[key] for key in ("tax_exclusive", "tax_inclusive", "prepaid")} == {
        "tax_exclusive": "1000.00",
        "tax_inclusive": "1200.00",
        "prepaid": "200.00",
    }
    assert totals["rounding"] is None
    buyer = cast("dict[str, object]", invoice["buyer"])
    assert (buyer["name"], buyer["legal_id"], buyer["siren"]) == (
        "Client Exemple",
        None,
        "987654324",
    )


def test_one_refused_file_gives_exit_1_and_the_others_are_read(cii: str, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(cii)
    (tmp_path / "b.xml").write_text("<a")
    result = run(str(tmp_path), "--json")
    assert result.exit_code == 1
    assert [record["ok"] for record in records(result)] == [True, False]
    refused = records(result)[1]
    assert refused["invoice"] is None
    assert set(refused["issues"][0]) == {"code", "message", "where"}


def test_a_missing_file_is_a_usage_error_unless_others_are_read(cii: str, tmp_path: Path) -> None:
    absent, good = str(tmp_path / "absent.xml"), tmp_path / "a.xml"
    good.write_text(cii)
    alone = run(absent, "--json")
    assert alone.exit_code == 2 and "n'existe pas" in alone.stderr
    assert [record["ok"] for record in records(alone)] == [False]
    spoken = run(absent)
    assert spoken.stdout == "" and spoken.stderr.count("n'existe pas") == 1
    both = run(absent, str(good), "--json")
    assert both.exit_code == 1 and "n'existe pas" in both.stderr
    assert [record["ok"] for record in records(both)] == [False, True]


@pytest.mark.parametrize("how", [(), ("--json",)])
def test_an_empty_folder_says_so_and_is_a_usage_error(tmp_path: Path, how: tuple[str, ...]) -> None:
    (tmp_path / "notes.txt").write_text("rien")
    result = run(str(tmp_path), *how)
    assert result.exit_code == 2
    assert result.stderr == f"« {tmp_path} » ne contient aucune facture (XML, PDF, zip, tar).\n"
    assert result.stdout == ("[]\n" if how else "")


def test_an_empty_folder_beside_one_that_is_read_is_told(cii: str, tmp_path: Path) -> None:
    (tmp_path / "vide").mkdir()
    (tmp_path / "a.xml").write_text(cii)
    result = run(str(tmp_path / "vide"), str(tmp_path / "a.xml"), "--json")
    assert result.exit_code == 1
    assert "vide » ne contient aucune facture" in result.stderr
    assert [record["ok"] for record in records(result)] == [True]


def test_what_takes_a_second_is_counted_in_plain_lines_without_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_QUIET_SECONDS", 0.01)
    monkeypatch.setattr(progress, "_LINE_SECONDS", 0.01)

    def slow() -> Iterator[int]:
        for number in range(3):
            time.sleep(0.2)
            yield number

    assert list(progress.with_progress(slow())) == [0, 1, 2]
    said = capsys.readouterr().err.splitlines()
    assert {"0 fichier lu…", "1 fichier lu…", "2 fichiers lus…"} <= set(said)


def test_no_argument_is_a_usage_error_in_french() -> None:
    result = run()
    assert result.exit_code == 2 and "Indiquez au moins" in result.stderr


def test_the_table_shows_the_invoice_and_the_issues(cii: str, tmp_path: Path) -> None:
    (tmp_path / "[red]a.xml").write_text(cii.replace("20260214", "20260231"))
    result = run(str(tmp_path))
    assert result.exit_code == 0
    assert "1 facture lue sur 1 fichier." in result.stdout
    assert "20260231" in result.stdout and "date_invalid" in result.stdout


def test_the_package_runs_alone_as_a_module(cii: str, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(cii)
    done = subprocess.run(
        [sys.executable, "-m", "encaisse_einvoicing", "read", str(tmp_path), "--json"],
        capture_output=True,
        check=True,
        env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
    )
    assert [record["ok"] for record in json.loads(done.stdout.decode())] == [True]
    assert done.stderr == b""


def test_amounts_and_dates_are_written_the_french_way_and_stand_to_the_right(
    cii: str, tmp_path: Path
) -> None:
    (tmp_path / "a.xml").write_text(cii)
    (tmp_path / "b.xml").write_text(cii.replace("1200.00", "91200.00"))
    lines = [line for line in run(str(tmp_path)).stdout.splitlines() if "€" in line]
    assert len(lines) == 2
    assert "15/01/2026" in lines[0]
    assert "1\u202f200,00\u00a0€" in lines[0]
    assert len({line.index("\u00a0€") for line in lines}) == 1


@pytest.mark.parametrize("wide", [60, 80])
def test_on_a_narrow_terminal_a_path_stays_whole_and_words_unbroken(
    cii: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wide: int
) -> None:
    folder = tmp_path / "un dossier" / "au nom assez long pour une ligne"
    folder.mkdir(parents=True)
    (folder / "facture-2026-001.xml").write_text(cii)
    monkeypatch.setenv("COLUMNS", str(wide))
    lines = run(str(folder)).stdout.splitlines()
    assert str(folder / "facture-2026-001.xml") in lines
    assert any("F-2026-001" in line and "15/01/2026" in line for line in lines)
    assert any("→ Client Exemple" in line for line in lines)
    assert all(len(line) <= wide for line in lines if str(tmp_path) not in line)


def test_in_a_file_an_invoice_is_one_line(
    cii: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    (tmp_path / "a.xml").write_text(cii)
    (one,) = [line for line in run(str(tmp_path)).stdout.splitlines() if "F-2026-001" in line]
    assert one.startswith(str(tmp_path / "a.xml")) and one.endswith("Client Exemple")


def test_refusals_come_first_and_a_warning_that_copies_share_is_said_once(
    cii: str, tmp_path: Path
) -> None:
    for name in ("a", "b", "c", "d", "e"):
        (tmp_path / f"{name}.xml").write_text(cii.replace("20260214", "20260231"))
    (tmp_path / "z.xml").write_text("<a")
    result = run(str(tmp_path))
    assert result.exit_code == 1
    assert result.stdout.count("date_invalid") == 1
    assert "5 fichiers : " in result.stdout and "et 2 autres" in result.stdout
    assert result.stdout.index("Refusés :") < result.stdout.index("z.xml : Le XML")
    assert result.stdout.index("z.xml : Le XML") < result.stdout.index("À vérifier :")


@pytest.mark.parametrize(
    ("xml", "why"),
    [
        ("<a", "une balise n'est pas fermée par « > »"),
        ("<a><b></a>", "une balise fermante ne répond pas à la balise ouverte"),
        ("<a>", "le fichier s'arrête avant la fin"),
        ("<a>&x;</a>", "une entité « & » n'est pas définie"),
    ],
)
def test_malformed_xml_is_refused_in_french(tmp_path: Path, xml: str, why: str) -> None:
    (tmp_path / "a.xml").write_text(xml)
    shown = run(str(tmp_path)).stdout
    assert f"Le XML est mal formé (ligne 1) : {why}. Demandez" in shown


def test_a_file_that_does_not_open_says_why_in_french() -> None:
    assert of_the_system(PermissionError(errno.EACCES, "Permission denied")) == (
        "vous n'en avez pas le droit"
    )
    assert "Permission" not in of_the_system(OSError(4242, "Permission denied"))


def test_reading_that_lasts_says_so_on_stderr_only(
    cii: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_QUIET_SECONDS", 0.0)
    for number in range(20):
        (tmp_path / f"{number}.xml").write_text(cii)
    result = run(str(tmp_path), "--json")
    assert "lu…" in result.stderr
    assert len(records(result)) == 20


def test_what_the_invoice_has_no_field_for_is_named_in_the_json(cii: str, tmp_path: Path) -> None:
    file = tmp_path / "f.xml"
    file.write_text(cii.replace("<rsm:ExchangedDocument>", "<rsm:ExchangedDocument><ram:Unknown/>"))
    (record,) = records(run(str(file), "--json"))
    assert record["unmapped"] == ["/rsm:CrossIndustryInvoice/rsm:ExchangedDocument/ram:Unknown"]


def test_a_file_that_cannot_be_read_costs_itself_alone(
    cii: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("closed.xml", "open.xml"):
        (tmp_path / name).write_text(cii)
    opened = Path.open

    def refusing(self: Path, *how: str) -> IO[bytes]:
        if self.name == "closed.xml":
            raise PermissionError(errno.EACCES, "no")
        return cast("IO[bytes]", opened(self, *how))

    monkeypatch.setattr(Path, "open", refusing)
    monkeypatch.setattr(os, "access", lambda *asked: False)  # what Click would go by
    result = run(str(tmp_path / "closed.xml"), str(tmp_path / "open.xml"), "--json")
    assert result.exit_code == 1
    assert [each["ok"] for each in records(result)] == [False, True]


@pytest.mark.parametrize(
    ("call", "code", "says"),
    [
        ((), 2, "Commandes :"),
        (("--help",), 0, "Affiche cette aide."),
        (("convert", "--help"), 0, "[obligatoire]"),
        (("conv",), 2, "Commande inconnue : « conv ». Vouliez-vous dire « convert » ?"),
        (("convert", "--to", "x", "a.xml"), 2, "--to : « x » n'est pas possible"),
        (("read", "nulle-part.xml"), 2, "n'existe pas"),
    ],
)
def test_alone_it_answers_in_french_too(
    call: tuple[str, ...], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run_alone(call)
    told = capsys.readouterr()
    assert ended.value.code == code
    assert says in told.out + told.err
