"""The main job, as a newcomer runs it: figures, story, one's own folder; and its checks."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from sqlalchemy import select, update
from tests.conftest import fresh_postgres

from encaisse_core.cli.main import cli
from encaisse_core.store import Store, preparing, schema
from encaisse_lab import books_check, papers
from encaisse_lab.cast import ROLES, cast
from encaisse_lab.checker import WRITTEN_BY_US, Effect, Verdict
from encaisse_lab.cli import WIDE
from encaisse_lab.demo import Run, run
from encaisse_lab.samples import samples
from encaisse_lab.story import tell
from encaisse_lab.summary import Summary, sound, summary
from encaisse_lab.wrongs import KINDS, of_the_partners

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def demo(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["demo", *arguments])


def figures_of(result: Result) -> Summary:
    read: Summary = json.loads(result.stdout)
    return read


@pytest.fixture(scope="module")
def lived() -> Iterator[Run]:
    """Live six nights once, for whoever only looks at how they ended."""
    with run(1, 6) as finished:
        yield finished


@pytest.fixture(scope="module")
def first(lived: Run) -> Summary:
    return summary(lived)


def test_the_demo_ends_well_and_says_so_in_figures(first: Summary) -> None:
    assert sound(first), first["failures"]
    told = first
    assert told["refused_files"] == 3
    assert told["seen_twice"] >= 30
    assert told["claims"] < told["sightings"]
    assert told["procedures_opened"] == 15
    assert told["settlements"] >= 5
    assert told["written_back"]["myunisoft"] >= 5
    assert told["lettered"] > 0
    assert told["commissions"]["lines"] > 0
    assert Decimal(told["commissions"]["total"]) > 0


def test_its_nights_see_their_own_company_alone_where_the_database_holds_it(
    request: pytest.FixtureRequest, first: Summary
) -> None:
    """Under a role that owns nothing, on PostgreSQL, it comes to the very figures of SQLite."""
    url = fresh_postgres(request)
    with run(1, 6, database=url) as finished:
        held = finished.app.host.store
        with held.begin() as tx:
            role = preparing.standing(tx)
            assert not (role.bypasses or role.owns)
        with Store(held.engine).begin() as tx:
            assert tx.execute(select(schema.claim.c.id)).all() == [], "unscoped, nothing is seen"
        assert summary(finished) == first


def test_every_kind_of_fault_really_struck(first: Summary) -> None:
    faults = first["faults"]
    assert set(faults) == {"lost_reply", "5xx", "429", "malformed"}
    assert all(count > 0 for count in faults.values()), faults


def test_every_role_is_played(first: Summary) -> None:
    assert set(first["played"]) == set(ROLES)


def test_only_a_customer_who_paid_it_all_directly_ends_a_procedure(first: Summary) -> None:
    told, known = first, samples(1)
    names = {sample.true_id: sample.debtor.name for sample in known.invoices}
    roles = cast(1, known).roles.items()
    paid_all = {names[true_id] for true_id, role in roles if role == "direct_full"}
    assert told["played"]["direct_partial"] > 0
    assert told["stopped_by_direct_payment"] == len(paid_all) > 0


def test_what_is_collectible_is_what_the_truth_says(first: Summary) -> None:
    told, known = first, samples(1)
    assert told["collectible"] == len(known.collectible)
    for fate in {sample.fate for sample in known.invoices} - {"collectible"}:
        meant = sum(1 for sample in known.invoices if sample.fate == fate)
        assert told["not_collectible"].get(fate, 0) >= meant, fate


def test_an_altered_journal_fails_the_demo_and_one_night_is_told_in_the_singular() -> None:
    result = demo("--seed", "2", "--nights", "1", "--break", "journal")
    assert result.exit_code == 6
    assert "Un contrôle a échoué. " in result.stderr
    assert "('factomos'" not in result.stderr and "missing" not in result.stderr
    assert "Après 1 nuit " in result.stdout
    assert "Factomos envoie ses écritures à MyUnisoft : " in result.stdout  # seed 2 has the bridge


def test_files_of_ones_own_are_read_too(tmp_path: Path, first: Summary) -> None:
    mine = [sample for sample in samples(99).in_folder if sample.fate == "collectible"][:4]
    for sample in mine:
        name, content = papers.paper(sample)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "abime.pdf").write_bytes(b"%PDF-1.7 rien")
    result = demo("--seed", "1", "--nights", "1", "--folder", str(tmp_path), "--json")
    assert result.exit_code == 0, result.stderr
    told, alone = figures_of(result), first
    assert told["pulled"]["folder"] == alone["pulled"]["folder"] + 4
    assert told["refused_files"] == alone["refused_files"] + 1
    not_ours = told["not_collectible"]["not_our_invoice"]
    assert not_ours == alone["not_collectible"]["not_our_invoice"] + 4
    assert told["collectible"] == alone["collectible"]
    assert " s en tout" in result.stderr


@pytest.fixture(scope="module")
def story(lived: Run, first: Summary) -> str:
    paper = io.StringIO()
    tell(lived, first, [], Console(file=paper, width=WIDE, highlight=False))
    return paper.getvalue()


def test_the_story_is_told_in_french_with_its_zeros(story: str) -> None:
    for words in ("recouvrables", "signe le mandat", "Nuit 2", "Écritures en double", "oui"):
        assert words in story, words
    for english in ("lost_reply", "malformed", "5xx", "refused"):
        assert english not in story, english


def test_the_story_gives_the_reason_of_each_refused_file(story: str) -> None:
    _, _, after = story.partition("Fichiers refusés, chacun avec sa raison :\n")
    assert all(re.match(r"  \S+ : \w", line) for line in after.splitlines()[:1])
    assert after.partition("recouvrables")[0].count(" : ") >= 3


def test_no_credit_note_is_shown_as_an_invoice_without_a_due_date(story: str) -> None:
    (line,) = [line for line in story.splitlines() if "due_date_missing" in line]
    assert "Facture FA-" in line


def test_the_nights_and_the_summary_count_uncertain_writes_alike(story: str) -> None:
    nights, _, end = story.partition("Le bilan")
    counted = sum(int(n) for n in re.findall(r"(\d+) envois? au sort", nights))
    (said,) = re.findall(r"Envois au sort incertain.*?(\d+) │", end)
    assert counted == int(said) > 0
    assert "réponse perdue" not in nights and "réponses perdues" not in nights


def test_what_a_check_finds_wrong_is_told_in_french() -> None:
    effect: Effect = ("factomos", "FA-1", "payment", 264066)
    told = of_the_partners(
        Verdict(
            (effect,),
            (("gcollect", "FA-2", "procedure_withdrawn", 0),),
            (),
            ("FA-3 (2025)",),
            ("FA-4",),
        )
    )
    assert told == [
        "Facture FA-1 : le paiement de 2\u202f640,66 € est en trop chez Factomos.",
        "Facture FA-2 : le retrait de la procédure manque chez GCollect.",
        "Facture FA-3 (2025) : dans deux procédures à la fois.",
        "Facture FA-4 : le client a été relancé alors qu'elle était réglée ou contestée.",
    ]
    written = set[str]().union(*WRITTEN_BY_US.values())
    assert set(KINDS) == written | {"procedure_paused"}


def test_a_demo_told_to_end_ends_between_two_nights_and_leaves_nothing_behind(
    tmp_path: Path,
) -> None:
    command = "from encaisse_core.cli.start import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", command, "demo", "--nights", "60", "--json"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if "Nuit 1 sur 60" in line:
                break
        assert list(tmp_path.glob("encaisse-demo-*"))
        running.terminate()
        shown, said = running.communicate(timeout=60)
    assert running.returncode == 143
    assert said.splitlines()[-1] == (
        "Arrêté à la demande du système : ce qui était enregistré le reste."
    )
    assert "Traceback" not in said
    assert shown == ""
    assert list(tmp_path.glob("encaisse-demo-*")) == []


def wrong(lived: Run) -> list[str]:
    return books_check.unbalanced(lived.app, lived.company_id, lived.partners.world.ledger())


@pytest.mark.parametrize(
    ("table", "column", "named"),
    [
        ("commission_entry", "amount", "Commission"),
        ("voucher_line", "debit", "Reversement"),
        ("payout", "net", "Reversement"),
        ("allocation", "amount", "Paiement"),
    ],
)
def test_one_cent_too_many_is_found(lived: Run, table: str, column: str, named: str) -> None:
    assert wrong(lived) == []
    kept = schema.metadata.tables[table]
    keys = list(kept.primary_key.columns)
    with lived.app.host.store.begin() as tx:
        row = tx.execute(select(kept).where(kept.c[column] > 1).limit(1)).mappings().one()
        here = [key == row[key.name] for key in keys]
        tx.execute(update(kept).where(*here).values({column: row[column] + 1}))
    try:
        assert any(found.startswith(named) for found in wrong(lived))
    finally:
        with lived.app.host.store.begin() as tx:
            tx.execute(update(kept).where(*here).values({column: row[column]}))
    assert wrong(lived) == []


def test_the_journal_holds_from_the_first_nights_head(lived: Run) -> None:
    assert lived.anchor is not None
    assert books_check.journal_holds(lived.app, lived.company_id, lived.anchor)
    assert not books_check.journal_holds(lived.app, lived.company_id, "0" * 64)
