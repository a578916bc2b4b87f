"""Contracts, monthly statements and the file for accountants, typed as a person does."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.core.cli.shells import NOW, SIREN, Shell, open_town
from tests.core.cli.test_cli_collecting import approve_and_sign, sleep

from encaisse_core.clock import SeededIds, VirtualClock
from encaisse_einvoicing.fec.columns import NAMES as COLUMNS

EUR = {"currency": "EUR"}


def refused(shell: Shell, *args: str, code: int = 2) -> str:
    """Run a command that must fail with one French sentence; give it."""
    result = shell(*args)
    assert result.exit_code == code, result.output
    return result.stderr.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def earned(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Collect 1 200 euros on an invoice an editor brought, and pay them out, once for all tests."""
    clock = VirtualClock(NOW)
    home = tmp_path_factory.mktemp("earned") / "home"
    shell = Shell(home, {"USER": "camille"}, clock, SeededIds(7, clock))
    shell.environ["ENCAISSE_SET_CLIENT_ID"] = "client-1"
    shell.environ["ENCAISSE_SET_CLIENT_SECRET"] = "secret-gcollect"
    with open_town(shell) as town:
        shell.ok("connect", "gcollect", "--siren", SIREN, "--name", "Atelier Exemple SARL")
        shell.ok("referrer", "add", "=Plume & Cie", "--kind", "editor", "--rate", "12,5 %")
        made = shell.json("referrer", "list")["referrers"][0]["id"]
        shell.ok("connect", "factomos", "--referrer", made, input="jeton-factomos\n")
        shell.ok("sync")
        approve_and_sign(shell, town)
        shell.ok("nightly")
        procedure = town.world.gcollect.procedure_ids("F-1")[0]
        town.world.gcollect.debtor_pays(procedure, "F-1", 120_000)
        for _ in range(6):
            sleep(shell, days=1)
            shell("nightly")
    return shell


@pytest.fixture
def earning(earned: Shell, tmp_path: Path) -> Shell:
    """Start from a copy of what was earned; the partners are closed."""
    home = tmp_path / "home"
    shutil.copytree(earned.home, home)
    clock = VirtualClock(earned.clock.now())
    return Shell(home, {"USER": "camille"}, clock, SeededIds(8, clock))


def identify(shell: Shell, *more: str) -> None:
    made = shell.json("referrer", "list")["referrers"][0]["id"]
    shell.ok(
        *("referrer", "identify", made, "--siren", "987654324", "--vat-number", "FR14987654324"),
        *("--address", "1 rue Exemple, 35000 Rennes", "--vat-regime", "standard", *more),
    )


def statement(shell: Shell, *args: str, code: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shell.json(
        "commissions", "statement", "--month", "2026-02", *args, code=code
    )["statements"]
    return found


def test_a_statement_is_a_draft_until_its_month_is_over_and_the_referrer_is_known(
    earning: Shell,
) -> None:
    (draft,) = statement(earning)
    assert (draft["state"], draft["number"]) == ("draft", None)
    assert "n'est pas fini" in draft["refusal"]
    assert draft["sums"]["vat"] is None
    sleep(earning, days=28)
    (draft,) = statement(earning, "--issue", code=1)
    assert draft["state"] == "draft"
    assert "encaisse referrer identify" in draft["refusal"]
    assert [each.split(" (")[0] for each in draft["missing"]] == [
        "son régime de TVA",
        "son SIREN",
    ]
    assert earning.json("commissions", "statements")["statements"] == []


def test_an_issued_statement_is_numbered_frozen_and_in_the_journal(earning: Shell) -> None:
    identify(earning, "--self-billing", "MF-2026-01")
    sleep(earning, days=28)
    (issued,) = statement(earning, "--issue")
    assert issued["number"] == "RC-987654324-2026-0001"
    assert issued["invoice"]["number"] == "AF-987654324-2026-0001"
    assert issued["invoice"]["type_code"] == "389"
    assert issued["invoice"]["mentions"] == ["Autofacturation"]
    assert issued["buyer"]["siren"] == SIREN
    assert issued["buyer"]["vat_id"] == "FR11123456782"
    assert issued["seller"]["vat_id"] == "FR14987654324"
    kinds = [line["kind"] for line in issued["lines"]]
    assert kinds == ["accrual", "payable"]
    assert {line["invoice_number"] for line in issued["lines"]} == {None}
    excl = round(float(issued["sums"]["excl_vat"]["amount"]) * 100)
    assert issued["lines"][1]["payable"] == issued["sums"]["excl_vat"]
    assert issued["sums"]["vat"]["amount"] == f"{round(excl * 0.2) / 100:.2f}"
    earning.ok("referrer", "identify", issued["referrer"], "--address", "2 rue Exemple, Rennes")
    assert statement(earning, "--issue") == [issued]
    assert earning.json("commissions", "statements")["statements"] == [issued]
    exported = [json.loads(line) for line in earning.ok("journal", "export").splitlines()]
    assert issued["digest"] in json.dumps(exported)
    assert "RC-987654324-2026-0001" in earning.ok("commissions", "statements")


def test_a_statement_altered_in_the_database_is_no_longer_shown(earning: Shell) -> None:
    identify(earning)
    sleep(earning, days=28)
    statement(earning, "--issue")
    store = earning.store()
    with store.begin() as tx:
        tx.execute(text("update commission_statement set document = replace(document, '12', '13')"))
    store.close()
    assert "n'est plus celui" in refused(earning, "commissions", "statements", code=6)


def test_a_statement_for_a_spreadsheet_adds_up_and_runs_nothing(earning: Shell) -> None:
    identify(earning)
    shown = earning.ok("commissions", "statement", "--month", "2026-02", "--csv")
    rows = list(csv.DictReader(io.StringIO(shown), delimiter=";"))
    assert {row["Apporteur"] for row in rows} == {"'=Plume & Cie"}
    assert {row["Relevé"] for row in rows} == {"projet"}
    figures = {row["Nature"]: row["Exigible HT"].replace(",", ".") for row in rows}
    assert figures["exigible"] == figures["à facturer HT"]
    assert float(figures["TVA"]) == pytest.approx(float(figures["à facturer HT"]) * 0.2, abs=0.005)
    assert "F-1" not in shown
    told = earning.ok("commissions", "statement", "--month", "2026-02")
    assert "facture à recevoir de l'apporteur (380)" in told


def test_a_contract_may_let_the_numbers_be_shown(earning: Shell) -> None:
    made = earning.json("referrer", "list")["referrers"][0]["id"]
    listed = earning.json("referrer", "contracts")["contracts"]
    assert [c["shows_numbers"] for c in listed] == [False]
    earning.ok("referrer", "end", listed[0]["id"])
    sleep(earning, days=1)
    said = earning.ok(
        *("referrer", "contract", made[-6:], "--rate", "20", "--terms", "Contrat 2026-7"),
        "--show-numbers",
    )
    assert "Contrat enregistré" in said
    listed = earning.json("referrer", "contracts")["contracts"]
    assert [(c["rate_percent"], c["shows_numbers"]) for c in listed] == [
        ("12.5", False),
        ("20", True),
    ]
    assert "2026-7" in earning.ok("referrer", "contracts")
    now = earning.json("referrer", "list")["referrers"][0]
    assert (now["rate_percent"], now["contract"]) == ("20", listed[1]["id"])


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("commissions", "statement", "--month", "février"), "n'est pas un mois"),
        (("commissions", "statement", "--month", "2026-02", "--csv", "--json"), "s'excluent"),
        (
            ("commissions", "statement", "--month", "2026-02", "--referrer", "rien"),
            "Pas d'apporteur",
        ),
        (("referrer", "contract", "Plume", "--rate", "5"), "Pas d'apporteur"),
        (("referrer", "end", "ctr_x"), "Pas de contrat"),
        (("referrer", "add", "Plume", "--kind", "editor", "--terms", "x"), "vont avec --rate"),
        (
            ("referrer", "add", "Plume", "--kind", "editor", "--rate", "5", "--from", "demain"),
            "n'est pas un jour",
        ),
        (("payouts", "export", "absent/e.txt"), "n'existe pas"),
        (("payouts", "export", "e.txt", "--journal", "A B"), "n'est pas un code de journal"),
    ],
)
def test_a_wrong_call_gets_one_french_sentence_and_changes_nothing(
    connected: Shell, args: tuple[str, ...], words: str
) -> None:
    assert words in refused(connected, *args)
    assert connected.json("referrer", "list")["referrers"] == []


def test_overlapping_contracts_are_refused_with_the_way_out(connected: Shell) -> None:
    connected.ok("referrer", "add", "Plume", "--kind", "editor", "--rate", "5")
    said = refused(connected, "referrer", "contract", "ref_", "--rate", "6")
    made = connected.json("referrer", "list")["referrers"][0]["id"]
    said = refused(connected, "referrer", "contract", made, "--rate", "6", "--from", "2026-05-01")
    assert "encaisse referrer end" in said
    assert len(connected.json("referrer", "contracts")["contracts"]) == 1


def test_accountants_get_each_payout_once_without_what_the_tool_has(
    earning: Shell, tmp_path: Path
) -> None:
    first, again, nothing = (tmp_path / name for name in ("a.txt", "b.txt", "c.txt"))
    done = earning.json("payouts", "export", str(first))
    (payout,) = done["payouts"]
    assert payout["entry"] == "ENC000001"
    assert payout["left_out"] == {"amount": "1200.00", **EUR}
    lines = first.read_bytes().decode("utf-8").split("\r\n")
    assert lines.pop() == ""
    rows = [dict(zip(COLUMNS, line.split("\t"), strict=True)) for line in lines[1:]]
    assert lines[0].split("\t") == list(COLUMNS)
    total = {side: sum(int(row[side].replace(",", "")) for row in rows) for side in COLUMNS[11:13]}
    assert total["Debit"] == total["Credit"] > 0
    assert "411" not in {row["CompteNum"] for row in rows}
    assert earning.ok("payouts", "export", str(nothing)).startswith("Rien à remettre")
    assert not nothing.exists()
    earning.ok("payouts", "export", str(again), "--again")
    assert again.read_bytes() == first.read_bytes()
    assert earning.json("payouts")["payouts"][0]["entry"] == "ENC000001"
    assert "remise à la comptabilité" in earning.ok("payouts")


def test_a_file_that_cannot_be_written_hands_nothing_over(
    earning: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        said = refused(earning, "payouts", "export", str(tmp_path / "a.txt"), code=5)
        assert "n'a pas pu être écrit" in said
    assert list(tmp_path.glob("*.txt*")) == []
    assert len(earning.json("payouts", "export", str(tmp_path / "a.txt"))["payouts"]) == 1


def test_explain_names_who_brought_the_invoice_and_under_which_contract(earning: Shell) -> None:
    told = earning.json("explain", "F-1")["claim"]["attribution"]
    assert told["referrer_name"] == "=Plume & Cie"
    assert told["rate_percent"] == "12.5"
    assert [each["decides"] for each in told["imports"]] == [True]
    shown = " ".join(earning.ok("explain", "F-1").split())
    assert "=Plume & Cie : 12,5 % des honoraires HT, contrat ctr_" in shown
