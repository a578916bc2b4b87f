"""What `explain` tells: every fact that changed a claim, in order, each with its evidence."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from tests.core.houses import House, answer, line_of
from tests.core.merging import merge, pay, second_tool, unmerge

from encaisse_core import referrers
from encaisse_core.cli.telling import tell
from encaisse_core.cli.views.explaining import explain
from encaisse_core.clock import PARIS
from encaisse_core.store import schema
from encaisse_core.store.engine import instant

INVOICES = 3


def told(house: House, number: str) -> dict[str, Any]:
    claim_id = str(house.claim(number)["id"])
    with house.host.store.begin() as tx:
        return explain(house.host, tx, house.company, claim_id)


def refer(house: House, number: str) -> None:
    """Say that an editor brought a claim, under a contract of the day it was imported."""
    s = schema.sighting.c
    with house.host.store.begin() as tx:
        made = referrers.add(house.host, tx, house.company, "Éditeur Exemple", "editor")
        seen = tx.execute(
            select(s.id, s.connection_id, s.created_at).where(s.number == number)
        ).one()
        starts_on = instant(seen.created_at).astimezone(PARIS).date()
        referrers.agree(house.host, tx, house.company, made, referrers.Agreed(100_000, starts_on))
        tx.execute(
            schema.attribution.insert().values(
                company_id=house.company,
                sighting_id=seen.id,
                referrer_id=made,
                connection_id=seen.connection_id,
                attributed_at=seen.created_at,
            )
        )


def collected(house: House) -> None:
    (procedure,) = house.open_everything()
    refer(house, "F-3")
    line = line_of(house, [procedure], "F-3")
    house.paper.collect("p1", procedure, line, 40_00, date(2026, 2, 5))
    house.night()
    house.paper.pay_out("o1", ["p1"], date(2026, 2, 6))
    house.night()


def reversed_(house: House) -> None:
    collected(house)
    house.paper.reverse("p1", date(2026, 2, 8))
    house.night()


def paid_directly(house: House) -> None:
    house.open_everything()
    house.paper.pay("F-3", 300_00)
    house.night()


def typed_in(house: House) -> None:
    (procedure,) = house.open_everything()
    line = line_of(house, [procedure], "F-3")
    house.paper.collect("p1", procedure, line, 40_00, date(2026, 2, 5))
    house.paper.pay("F-3", 40_00)
    house.night()
    answer(house, "maybe_same", verdict="different")
    house.night()


def merged(house: House) -> None:
    house.open_everything()
    second = second_tool(house)
    house.night()
    pay(second, "X-3", 120_00)
    house.night()
    merge(house, "F-3", "X-3")
    house.night()
    unmerge(house, merged_id(house))
    merge(house, "F-3", "X-3")
    house.night()


def merged_id(house: House) -> str:
    m = schema.claim_merge.c
    with house.host.store.begin() as tx:
        return str(tx.execute(select(m.id).where(m.undone_at.is_(None))).scalar_one())


HISTORIES = (collected, reversed_, paid_directly, typed_in, merged)


@pytest.mark.parametrize("history", HISTORIES, ids=lambda each: each.__name__)
def test_each_fact_that_changed_the_claim_is_named(
    house: House, history: Callable[[House], None]
) -> None:
    history(house)
    found = told(house, "F-3")
    own = {found["id"], *(row["gone"] for row in found["merges"] if row["undone_at"] is None)}
    for kind in ("payments", "effects", "procedures", "proposals", "commissions"):
        own |= {row["id"] for row in found[kind]}
    e = schema.event.c
    with house.host.store.begin() as tx:
        events = tx.execute(select(e.sequence, e.kind, e.subject, e.body)).all()
    concerning = {
        row.sequence
        for row in events
        if row.subject in own
        or any(value in own for value in json.loads(row.body).values() if isinstance(value, str))
    }
    twice = [row for row in events if row.kind in ("claims_merged", "claims_unmerged")]
    named = {row["sequence"] for row in found["events"]}
    missing = concerning - named - {row.sequence for row in twice[1::2]}
    assert missing == set(), [row for row in events if row.sequence in missing]
    assert [row["sequence"] for row in found["events"]] == sorted(named)
    assert all(row["sentence"].strip() for row in found["events"])


def sentences(found: dict[str, Any]) -> str:
    return "\n".join(row["sentence"] for row in found["events"])


def test_a_collected_payment_is_told_with_its_proofs_and_what_it_earned(house: House) -> None:
    collected(house)
    found = told(house, "F-3")
    (payment,) = found["payments"]
    roles = [(each["role"], each["tool"]) for each in payment["evidence"]]
    assert roles == [("origin", "Recouvreur de papier"), ("echo", "Outil de papier")]
    said = sentences(found)
    assert "Paiement de 40,00 (recouvrement)" in said
    assert "Envoi vers Outil de papier fait, paiement inscrit (reçu r-F-3/0)" in said
    assert "Commission acquise pour Éditeur Exemple : 0,40." in said
    assert found["attribution"]["referrer_name"] == "Éditeur Exemple"
    assert [row["kind"] for row in found["commissions"]] == ["accrual", "payable"]


@pytest.mark.slow
def test_a_merged_claim_tells_both_stories_and_counts_money_once(house: House) -> None:
    merged(house)
    found = told(house, "F-3")
    said = sentences(found)
    assert "X-3 en est devenue une part, dit essai : « c'est la même facture »." in said
    assert "X-3 en a été séparée" in said
    counting = [row for row in found["payments"] if row["counts"]]
    beside = [row for row in found["payments"] if not row["counts"]]
    assert [row["amount"]["amount"] for row in beside] == ["120.00"]
    # the first merge's payment was declared, so it was undone and stands beside the new one
    amounts = sorted(row["amount"]["amount"] for row in counting)
    assert amounts == ["-120.00", "120.00", "120.00"]
    assert [row["rung"] for row in found["sightings"]] == [0, 6]
    assert [row["number"] for row in found["merges"]] == ["X-3", "X-3"]


def test_all_of_it_is_written_for_a_person(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    merged(house)
    tell(told(house, "F-3"))
    page = capsys.readouterr().out
    for title in ("Échéances", "Vue dans", "Paiements", "Réunions", "Procédures", "Envois"):
        assert f"\n{title}\n" in page
    assert "Comment elle en est arrivée là" in page
