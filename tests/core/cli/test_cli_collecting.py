"""From collectible claims to a procedure, with simulated partners over real HTTP."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.core.cli.shells import SIREN, Shell, Town, connect_partners

from encaisse_core.clock import VirtualClock


def approve_and_sign(shell: Shell, town: Town) -> None:
    """Propose and approve everything, and let a person sign."""
    shell.ok("propose")
    shell.ok("approve", "--all", "--yes")
    for mandate in town.world.gcollect.pending_mandates():
        town.world.gcollect.sign_mandate(mandate, name="Camille Exemple", email="c@example.org")


def sleep(shell: Shell, **span: float) -> None:
    """Let time pass for the host and the partners alike."""
    assert isinstance(shell.clock, VirtualClock)
    shell.clock.set(shell.clock.now() + timedelta(**span))


@pytest.fixture
def open_case(shell: Shell, town: Town) -> Shell:
    """Hand two invoices over."""
    connect_partners(shell)
    shell.ok("sync")
    approve_and_sign(shell, town)
    shell.ok("nightly")
    assert len(town.world.gcollect.procedures_ledger()) == 2
    return shell


def test_a_person_sees_annex_and_fee_then_approves_and_gets_the_page_to_sign(
    shell: Shell, town: Town
) -> None:
    connect_partners(shell)
    shell.ok("sync")
    made = shell.json("propose")
    assert len(made["proposals"]) == 1
    assert made["not_taken"] == []
    proposal = made["proposals"][0]
    assert [line["number"] for line in proposal["annex"]] == ["F-1", "F-2"]
    assert proposal["principal"] == {"amount": "1650.50", "currency": "EUR"}

    refused = shell("approve", proposal["id"][-6:], input="non\n")
    assert refused.exit_code == 1
    assert "Rien n'a été approuvé." in refused.stderr
    assert shell.json("proposals", "--state", "proposed")["proposals"]

    shown = shell.ok("approve", proposal["id"][-6:], "--by", "Camille", input="oui\n")
    assert "facture F-1 échue le 31/10/2025 : principal 1\u202f200,00\u00a0€" in shown
    assert "honoraires" in shown
    waiting = town.world.gcollect.pending_mandates()
    assert len(waiting) == 1
    assert town.world.gcollect.signing_url(waiting[0]) in shown
    again = shell("approve", proposal["id"])
    assert again.exit_code == 2
    assert "Déjà approuvée" in again.stderr
    kept = shell.json("proposals")["proposals"][0]
    assert kept["approved_by"] == "Camille"
    assert kept["mandate"]["state"] == "pending"


def test_approval_needs_to_know_what_and_by_whom(shell: Shell, town: Town) -> None:
    connect_partners(shell)
    shell.ok("sync")
    shell.ok("propose")
    assert shell("approve").exit_code == 2
    assert "Pas de proposition « absent »" in shell("approve", "absent").stderr
    del shell.environ["USER"]
    nobody = shell("approve", "--all", "--yes")
    assert nobody.exit_code == 2
    assert "--by NOM" in nobody.stderr


def test_a_mandate_the_partner_does_not_answer_is_asked_again_later(
    shell: Shell, town: Town
) -> None:
    connect_partners(shell)
    shell.ok("sync")
    shell.ok("propose")
    town.world.faults.schedule("5xx", method="POST", path="mandates", count=50)
    result = shell("approve", "--all", "--yes")
    assert result.exit_code == 4, result.output
    assert "sera refaite cette nuit" in result.stderr
    town.world.faults.clear()
    sleep(shell, hours=5)
    shell("nightly")
    assert len(town.world.gcollect.pending_mandates()) == 1


def test_a_procedure_is_listed_and_explained(open_case: Shell) -> None:
    procedure = open_case.json("procedures")["procedures"][0]
    assert procedure["state"] == "active"
    assert [claim["number"] for claim in procedure["claims"]] == ["F-1", "F-2"]
    told = open_case.json("explain", "F-1")["claim"]
    assert [reason["rule"] for reason in told["reasons"]] == ["in_procedure"]
    assert [effect["kind"] for effect in told["effects"]] == ["request_mandate", "open_procedure"]
    kinds = [event["kind"] for event in told["events"]]
    assert kinds[0] == "claim_made"
    assert "procedure_opened" in kinds
    assert re.search(r"\ben\b.*\bcours\b", open_case.ok("procedures"), re.DOTALL)  # may wrap


def test_a_direct_payment_stops_the_dialogue_by_day(open_case: Shell, town: Town) -> None:
    town.world.factomos.customer_pays(town.invoices["F-2"], 45_050, date(2026, 2, 2))
    read = open_case.json("sync")
    assert (read["payments"], read["stops"]) == (1, 1)
    stops = [
        e for e in open_case.json("effects")["effects"] if e["kind"] == "declare_direct_payment"
    ]
    assert [stop["state"] for stop in stops] == ["done"]
    paid = open_case.json("explain", "F-2")["claim"]
    assert paid["open"] == {"amount": "0.00", "currency": "EUR"}
    assert [p["origin"] for p in paid["payments"]] == ["source"]


def test_a_dispute_waits_for_a_person_and_only_an_answer_lifts_it(
    open_case: Shell, town: Town
) -> None:
    procedure = town.world.gcollect.procedure_ids("F-1")[0]
    town.world.gcollect.debtor_disputes(procedure, "price")
    open_case("sync")
    tasks = [t for t in open_case.json("tasks")["tasks"] if t["kind"] == "disputed"]
    assert tasks
    task = next(t for t in tasks if "F-1" in t["sentence"])
    assert task["holds_claim"] is True
    undecided = open_case("tasks", "answer", task["id"][-6:], "Vu avec le client")
    assert undecided.exit_code == 2
    assert "--lift" in undecided.stderr
    kept = open_case.json("tasks", "answer", task["id"], "Je le rappelle lundi", "--keep")
    assert kept["task"] == {"id": task["id"], "closed": False, "lifted": False}
    assert open_case.json("explain", "F-1")["claim"]["hold"] == "disputed"
    done = open_case.json("tasks", "answer", task["id"], "Le client reconnaît la dette", "--lift")
    assert done["task"] == {"id": task["id"], "closed": True, "lifted": True}
    told = open_case.json("explain", "F-1")["claim"]
    assert told["hold"] is None
    assert "hold_lifted" in [event["kind"] for event in told["events"]]
    exported = open_case.ok("journal", "export")
    assert "task_answered" in exported
    assert "reconnaît la dette" not in exported
    twice = open_case("tasks", "answer", task["id"], "Encore", "--lift")
    assert twice.exit_code == 2
    assert "Déjà répondu" in twice.stderr


def test_money_collected_gives_payouts_with_vouchers_and_commissions(
    shell: Shell, town: Town
) -> None:
    shell.environ["ENCAISSE_SET_CLIENT_ID"] = "client-1"
    shell.environ["ENCAISSE_SET_CLIENT_SECRET"] = "secret-gcollect"
    shell.ok("connect", "gcollect", "--siren", SIREN, "--name", "Atelier Exemple SARL")
    shell.ok("referrer", "add", "=Plume & Cie", "--kind", "editor", "--rate", "12,5 %")
    referrer = shell.json("referrer", "list")["referrers"][0]
    assert (referrer["rate_percent"], referrer["earns"]) == ("12.5", True)
    shell.ok("connect", "factomos", "--referrer", referrer["id"][-6:], input="jeton-factomos\n")
    shell.ok("sync")
    approve_and_sign(shell, town)
    shell.ok("nightly")
    procedure = town.world.gcollect.procedure_ids("F-1")[0]
    town.world.gcollect.debtor_pays(procedure, "F-1", 120_000)
    for _ in range(6):
        sleep(shell, days=1)
        shell("nightly")
    paid_out = shell.json("payouts")["payouts"]
    assert len(paid_out) == 1
    voucher = paid_out[0]["voucher"]
    debit = sum(round(float(line["debit"]["amount"]) * 100) for line in voucher)
    credit = sum(round(float(line["credit"]["amount"]) * 100) for line in voucher)
    assert debit == credit > 0
    assert "467" in shell.ok("payouts")
    found = shell.json("commissions")
    assert [line["kind"] for line in found["lines"]] == ["accrual", "payable"]
    assert found["statements"][0]["total"] == found["lines"][0]["amount"]
    month = found["statements"][0]["period"]
    assert shell.json("commissions", "--period", month)["lines"] == found["lines"]
    assert shell.json("commissions", "--period", "2020-01")["lines"] == []
    rows = list(csv.reader(io.StringIO(shell.ok("commissions", "--csv")), delimiter=";"))
    assert rows[0][1] == "Apporteur"
    assert rows[1][1] == "'=Plume & Cie"
    assert rows[1][5] == found["lines"][0]["amount"]["amount"].replace(".", ",")


def test_the_referrer_of_a_standing_connection_is_not_changed_in_silence(
    connected: Shell, invoices: Path
) -> None:
    connected.ok("referrer", "add", "Plume", "--kind", "editor", "--rate", "5")
    connected.ok("referrer", "add", "Encre", "--kind", "editor", "--rate", "5")
    plume, encre = (
        next(r["id"] for r in connected.json("referrer", "list")["referrers"] if r["name"] == name)
        for name in ("Plume", "Encre")
    )

    def named(referrer: str) -> int:
        return connected(
            "connect", "folder", "--set", f"path={invoices}", "--referrer", referrer
        ).exit_code

    def standing() -> str:
        return str(connected.json("connections")["connections"][0]["referrer"])

    assert (named(plume), standing()) == (0, plume)  # it had none: from now on it has
    assert (named(encre), standing()) == (1, plume)
    assert (named(plume), standing()) == (0, plume)
    assert connected.ok("journal", "export").count("connection_referred") == 1


@pytest.mark.parametrize("rate", ["101", "-1", "douze", "12,34567"])
def test_a_share_that_is_none_is_refused(connected: Shell, rate: str) -> None:
    result = connected("referrer", "add", "Plume", "--kind", "editor", f"--rate={rate}")
    assert result.exit_code == 2
    assert connected.json("referrer", "list")["referrers"] == []


def test_a_cabinet_without_a_legal_opinion_is_said_to_earn_nothing(connected: Shell) -> None:
    said = connected.ok("referrer", "add", "Cabinet Exemple", "--kind", "cabinet", "--rate", "10")
    assert "ne touche rien" in said
    assert connected.json("referrer", "list")["referrers"][0]["earns"] is False
