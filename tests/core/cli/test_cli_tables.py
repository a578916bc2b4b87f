"""A table tells everything: on a narrow terminal it wraps, in a file it is one line a row."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.cli.shells import Shell, write_invoice

from encaisse_core.cli.columns import columns, lay_out, wrap
from encaisse_core.rules import RULES

LONG = "Société coopérative des Producteurs de l'Exemple et Environs"


@pytest.fixture
def many_reasons(connected: Shell, invoices: Path) -> Shell:
    for number in ("FA-2025-001", "FA-2025-002"):
        write_invoice(invoices, number, buyer=LONG)
    write_invoice(invoices, "FA-2026-003", due="2026-02-28", buyer=LONG)
    write_invoice(invoices, "FA-2025-0042", total="104222.00", buyer=LONG)
    write_invoice(invoices, "FA-2026-0043", seller="987654324", due="2026-02-28", buyer=LONG)
    write_invoice(invoices, "FA-2026-0044", due="2026-02-28", total="5.00", buyer=LONG)
    connected.ok("sync")
    return connected


@pytest.mark.parametrize("wide", [60, 80, 120])
def test_a_narrow_terminal_shows_whole_rule_ids_and_amounts(
    many_reasons: Shell, monkeypatch: pytest.MonkeyPatch, wide: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(wide))
    shown = many_reasons.ok("claims")
    table = shown.split("créances, dont")[0]
    assert max(columns(line) for line in table.splitlines()) <= wide
    for whole in ("not_our_invoice", "not_due", "104\u202f222,00\u00a0€", "FA-2026-0044"):
        assert whole in table
    assert "…" not in table
    said = re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", table)
    assert said and set(said) <= {rule.id for rule in RULES}


def test_a_file_gets_one_line_a_claim_with_nothing_cut(
    many_reasons: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    lines = many_reasons.ok("claims").splitlines()
    (one,) = [line for line in lines if "FA-2025-0042" in line]
    assert LONG in one and one.endswith("104\u202f222,00\u00a0€")


def test_every_command_obeys_the_width_it_is_told(
    many_reasons: Shell, invoices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (invoices / "cassee.xml").write_text("<Invoice><pas fini", encoding="utf-8")
    many_reasons("sync")
    monkeypatch.setenv("COLUMNS", "70")
    for command in (["connectors"], ["connections"], ["unreadable"], ["explain", "FA-2026-0043"]):
        lines = many_reasons.ok(*command).splitlines()
        sentences = [line for line in lines if line.startswith(("Facture", "  Facture"))]
        assert all(columns(line) <= 70 for line in lines if line not in sentences), command


def test_amounts_stand_to_the_right_under_their_heading() -> None:
    rows = [("F-1", "5,00\u00a0€"), ("F-2", "42,00\u00a0€")]
    head, body = lay_out(("Facture", "Ouvert"), rows, 80)
    assert head == ["Facture   Ouvert"]
    assert body == ["F-1       5,00\u00a0€", "F-2      42,00\u00a0€"]


def test_ids_and_dates_that_begin_with_a_figure_stay_to_the_left() -> None:
    _, body = lay_out(("Identifiant", "Échéance du"), [("3F2K9A", "31/10/2025")], None)
    assert body == ["3F2K9A       31/10/2025"]


def test_what_does_not_fit_stands_under_its_row_with_its_heading() -> None:
    rows = [("F-1", "un_mot_bien_long, un_autre_mot_bien_long")]
    head, body = lay_out(("Facture", "Retenue par"), rows, 30)
    assert head == ["Facture"]
    assert body == [
        "F-1",
        "    Retenue par :",
        "    un_mot_bien_long,",
        "    un_autre_mot_bien_long",
    ]


CELLS = st.text(alphabet=st.sampled_from("ab é\u0301字 "), max_size=30)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=4), st.integers(12, 60))
def test_no_table_loses_a_character_nor_leaves_its_width(
    rows: list[tuple[str, str, str]], wide: int
) -> None:
    _, body = lay_out(("A", "B", "C"), rows, wide)
    assert all(columns(line) <= wide for line in body)
    shown = sorted("".join(body).replace(" ", ""))
    told = "".join("".join(row) for row in rows).replace(" ", "")
    for char in set(told):
        assert shown.count(char) >= told.count(char)


def test_a_word_wider_than_the_line_is_folded() -> None:
    assert wrap("un abcdefgh", 5) == ["un", "abcde", "fgh"]
