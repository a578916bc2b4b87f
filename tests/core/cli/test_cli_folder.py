"""A folder of invoices: the first thing a newcomer connects, reads and looks at."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.core.cli.shells import SIREN, Shell, write_invoice

from encaisse_core.cli import showing
from encaisse_core.store import schema


def _events(shell: Shell) -> int:
    store = shell.store()
    with store.begin() as tx:
        count: int = tx.execute(select(func.count()).select_from(schema.event)).scalar_one()
    store.close()
    return count


def test_a_newcomer_connects_a_folder_reads_it_and_sees_what_is_collectible(
    connected: Shell,
) -> None:
    read = connected.json("sync")
    assert [c["seen"] for c in read["connections"]] == [4]
    found = connected.json("claims")
    assert found["counts"] == {
        "claims": 4,
        "collectible": 2,
        "not_collectible": {"not_due": 1, "not_our_invoice": 1},
    }
    first = next(c for c in found["claims"] if c["number"] == "FA-2025-001")
    assert first["open"] == {"amount": "1234.56", "currency": "EUR"}
    assert first["collectible"] is True
    assert first["due_date"] == "2025-10-31"


def test_a_person_reads_amounts_and_dates_the_french_way(connected: Shell) -> None:
    connected.ok("sync")
    shown = connected.ok("claims")
    assert "1\u202f234,56\u00a0€" in shown
    assert "31/10/2025" in shown
    assert "2 peuvent être confiées" in shown


def test_reading_the_same_folder_again_writes_no_event(connected: Shell) -> None:
    connected.ok("sync")
    before = _events(connected)
    connected.ok("sync")
    assert _events(connected) == before


def test_the_same_facts_give_the_same_bytes_of_json(connected: Shell) -> None:
    connected.ok("sync")
    for command in ("claims", "connections", "unreadable", "tasks", "effects", "payouts"):
        assert connected.ok(command, "--json") == connected.ok(command, "--json")


def test_claims_are_narrowed_by_reason_and_by_what_can_be_handed_over(connected: Shell) -> None:
    connected.ok("sync")
    by_reason = connected.json("claims", "--reason", "not_due")
    assert [c["number"] for c in by_reason["claims"]] == ["FA-2026-003"]
    assert by_reason["counts"]["claims"] == 4
    collectible = connected.json("claims", "--collectible")["claims"]
    assert [c["number"] for c in collectible] == ["FA-2025-001", "FA-2025-002"]


def test_an_unknown_reason_names_the_one_that_comes_near(connected: Shell) -> None:
    result = connected("claims", "--reason", "not_deu")
    assert result.exit_code == 2
    assert "« not_due »" in result.stderr


def test_an_invoice_is_explained_by_its_number_or_by_the_end_of_its_id(connected: Shell) -> None:
    connected.ok("sync")
    told = connected.json("explain", "FA-2026-003")["claim"]
    assert [r["rule"] for r in told["reasons"]] == ["not_due"]
    assert told["sightings"][0]["ref"] == "FA-2026-003.xml"
    assert told["sightings"][0]["rung"] == 0
    assert [e["kind"] for e in told["events"]] == ["claim_made"]
    for part in (told["id"][-6:], told["id"][-6:].lower(), told["id"]):
        assert connected.json("explain", part)["claim"]["id"] == told["id"]
    assert "l'échéance du 28/02/2026" in connected.ok("explain", "FA-2026-003")


def test_a_number_two_invoices_share_is_not_guessed(connected: Shell, invoices: Path) -> None:
    write_invoice(invoices / "ancien", "FA-2025-001", issued="2023-10-01", due="2023-10-31")
    connected("sync")
    result = connected("explain", "FA-2025-001")
    assert result.exit_code == 2
    assert result.stderr.count("Client Exemple SAS, 1\u202f234,56\u00a0€") == 2
    assert "du 01/10/2023" in result.stderr and "du 01/10/2025" in result.stderr
    shown = re.findall(r"^  (\w+)  FA-2025-001 du", result.stderr, re.MULTILINE)
    listed = [line.split()[0] for line in connected.ok("claims").splitlines()]
    assert len(shown) == 2 and set(shown) <= set(listed)
    for one in shown:
        assert connected.json("explain", one)["claim"]["number"] == "FA-2025-001"


def test_what_nobody_owes_us_says_why_nothing_is_found(connected: Shell) -> None:
    connected.ok("sync")
    result = connected("explain", "INCONNUE-9")
    assert result.exit_code == 2
    assert "Aucune créance « INCONNUE-9 »" in result.stderr


def test_a_broken_file_is_kept_listed_and_stops_none_of_the_others(
    connected: Shell, invoices: Path
) -> None:
    (invoices / "cassee.xml").write_text("<Invoice><pas fini", encoding="utf-8")
    result = connected("sync")
    assert result.exit_code == 1
    assert "encaisse unreadable" in result.stderr
    assert connected.json("claims")["counts"]["claims"] == 4
    aside = connected.json("unreadable")["unreadable"]
    assert [row["ref"] for row in aside] == ["cassee.xml"]
    assert json.loads(aside[0]["raw"])["name"] == "cassee.xml"
    assert aside[0]["reason"]
    assert connected.ok("unreadable", aside[0]["id"][-6:]).strip() == aside[0]["raw"]


def test_a_file_still_broken_is_counted_again_the_next_time(
    connected: Shell, invoices: Path
) -> None:
    (invoices / "cassee.xml").write_text("<Invoice><pas fini", encoding="utf-8")
    connected("sync")
    again = connected.json("sync", code=1)
    assert [c["set_aside"] for c in again["connections"]] == [1]
    write_invoice(invoices, "cassee")
    connected.ok("sync")


def test_names_from_invoices_cannot_move_the_cursor() -> None:
    assert showing.printable("Client\n   sur deux lignes") == "Client sur deux lignes"
    assert "\x1b" not in showing.printable("Client \x1b[2J rouge")
    assert showing.printable("1\u202f234,56\u00a0€") == "1\u202f234,56\u00a0€"


def test_a_folder_that_is_gone_is_said_closes_nothing_and_is_read_when_it_is_back(
    connected: Shell, invoices: Path
) -> None:
    connected.ok("sync")
    invoices.rename(invoices.with_name("ailleurs"))
    result = connected("sync")
    assert result.exit_code == 4
    assert "n'existe pas ou n'est plus accessible" in result.output
    assert connected.json("claims")["counts"]["claims"] == 4
    assert connected("doctor").exit_code == 6
    assert connected.json("tasks")["tasks"] == []
    assert connected("connect", "folder", "--set", f"path={invoices}").exit_code == 3
    invoices.with_name("ailleurs").rename(invoices)
    connected.ok("connect", "folder", "--set", f"path={invoices}")
    connected.ok("sync")
    invoices.rename(invoices.with_name("ailleurs"))
    assert connected("sync").exit_code == 4
    invoices.with_name("ailleurs").rename(invoices)
    assert [read["seen"] for read in connected.json("sync")["connections"]] == [4]


@pytest.mark.parametrize("company", [SIREN, f"{SIREN}:test"])
def test_a_company_is_named_by_its_siren(connected: Shell, company: str) -> None:
    connected.ok("sync", "--company", company)
    assert connected.json("claims", "--company", company)["company"]["siren"] == SIREN
