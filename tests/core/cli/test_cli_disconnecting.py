"""A connection ends only when nothing depends on it, and then leaves no secret behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from tests.core.cli.shells import SIREN, Shell, Town, connect_partners

from encaisse_core.store import schema

WHY = ("--reason", "changement d'outil")


def connection(shell: Shell, slug: str) -> str:
    found = shell.json("connections")["connections"]
    return next(str(c["id"]) for c in found if c["connector"] == slug and c["state"] != "ended")


def sentence(text: str) -> str:
    return " ".join(text.split())


def test_an_ended_tool_keeps_what_it_told_and_nothing_is_collected_on_it(
    shell: Shell, town: Town
) -> None:
    connect_partners(shell)
    shell.ok("sync")
    ended = shell.json("disconnect", connection(shell, "factomos"), *WHY)
    assert ended["no_longer_seen"] == ["F-1", "F-2"]
    assert ended["secrets_forgotten"] is True
    store = shell.store()
    with store.begin() as tx:
        left = tx.execute(
            select(schema.credential.c.field)
            .join(schema.access_grant, schema.access_grant.c.id == schema.credential.c.grant_id)
            .where(schema.access_grant.c.connector == "factomos")
        ).all()
    store.close()
    assert left == []
    claims = shell.json("claims")["claims"]
    assert {claim["number"] for claim in claims} == {"F-1", "F-2"}
    assert not any(claim["collectible"] for claim in claims)
    assert shell.json("propose")["proposals"] == []
    told = sentence(shell.ok("explain", "F-1"))
    assert "un outil ne la montre plus (aucun outil raccordé)" in told
    shell("nightly")
    verified = shell("journal", "verify")
    assert verified.exit_code == 0, verified.output


def test_a_tool_connected_again_finds_its_claims_again(shell: Shell, town: Town) -> None:
    connect_partners(shell)
    shell.ok("sync")
    before = {claim["id"] for claim in shell.json("claims")["claims"]}
    shell.ok("disconnect", connection(shell, "factomos"), *WHY)
    shell.ok("connect", "factomos", input="jeton-factomos\n")
    shell.ok("sync")
    claims = shell.json("claims")["claims"]
    assert {claim["id"] for claim in claims} == before
    assert all(claim["collectible"] for claim in claims)


def test_it_does_not_end_while_its_invoices_are_proposed(shell: Shell, town: Town) -> None:
    connect_partners(shell)
    shell.ok("sync")
    proposal = shell.json("propose")["proposals"][0]["id"]
    for slug in ("factomos", "gcollect"):
        refused = shell("disconnect", connection(shell, slug), *WHY)
        assert refused.exit_code == 2
        assert "encaisse decline" in sentence(refused.stderr)
    shell.ok("decline", proposal, "--reason", "erreur de client")
    for slug in ("factomos", "gcollect"):
        shell.ok("disconnect", connection(shell, slug), *WHY)


def test_a_collector_does_not_end_while_it_works(shell: Shell, town: Town) -> None:
    connect_partners(shell)
    shell.ok("sync")
    shell.ok("propose")
    shell.ok("approve", "--all", "--yes")
    for mandate in town.world.gcollect.pending_mandates():
        town.world.gcollect.sign_mandate(mandate, name="Camille Exemple", email="c@example.org")
    shell.ok("nightly")
    refused = shell("disconnect", connection(shell, "gcollect"), *WHY)
    assert refused.exit_code == 2
    assert "gcollect mène encore 1 procédure (" in sentence(refused.stderr)
    watched = shell("disconnect", connection(shell, "factomos"), *WHY)
    assert watched.exit_code == 2
    assert "passerait inaperçu" in sentence(watched.stderr)


def test_ending_twice_or_what_does_not_exist_is_a_wrong_call(shell: Shell, invoices: Path) -> None:
    shell.ok(
        "connect", "folder", "--siren", SIREN, "--name", "Atelier Exemple SARL",
        "--set", f"path={invoices}",
    )  # fmt: skip
    ended = connection(shell, "folder")
    shell.ok("disconnect", ended, *WHY)
    assert "déjà terminée" in shell("disconnect", ended, *WHY).stderr
    assert shell("disconnect", "absente", *WHY).exit_code == 2
    assert shell("disconnect", ended).exit_code == 2


@pytest.mark.usefixtures("town")
def test_a_proposal_that_was_approved_is_not_declined(shell: Shell) -> None:
    connect_partners(shell)
    shell.ok("sync")
    proposal = shell.json("propose")["proposals"][0]["id"]
    shell.ok("approve", proposal, "--yes")
    assert shell("decline", proposal, "--reason", "trop tard").exit_code == 2
