"""What does not work changes nothing: connections keep their access, no company appears."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.core.cli.shells import SIREN, Shell, Town, connect_partners, write_invoice

from encaisse_core.store import schema

NEW = ("--siren", SIREN, "--name", "Atelier Exemple SARL")
KEPT = ("organisation", "access", "access_grant", "credential", "company", "connection", "event")


def nothing_kept(shell: Shell) -> bool:
    store = shell.store()
    with store.begin() as tx:
        tables = [schema.metadata.tables[name] for name in KEPT]
        counts = [tx.execute(select(func.count()).select_from(t)).scalar_one() for t in tables]
    store.close()
    return not any(counts)


def states(shell: Shell) -> dict[str, str]:
    return {c["connector"]: c["state"] for c in shell.json("connections")["connections"]}


def test_a_company_whose_first_access_is_refused_is_not_recorded(shell: Shell, town: Town) -> None:
    assert shell("connect", "factomos", *NEW, input="mauvais-jeton\n").exit_code == 3
    assert shell.json("companies") == {"companies": []}
    assert nothing_kept(shell)


@pytest.mark.parametrize("slug", ["gcollect", "factomos"])
def test_no_company_is_recorded_for_a_real_access_that_does_not_exist(
    shell: Shell, town: Town, slug: str
) -> None:
    shell.environ |= {"ENCAISSE_SET_CLIENT_ID": "client-1", "ENCAISSE_SET_CLIENT_SECRET": "secret"}
    asked = shell("connect", slug, *NEW, "--environment", "live", input="jeton-factomos\n")
    assert asked.exit_code == 2, asked.output
    assert nothing_kept(shell)


def test_no_company_is_recorded_for_a_setting_that_is_missing_or_unknown(shell: Shell) -> None:
    assert shell("connect", "folder", *NEW, "--set", "chemin=ici").exit_code == 2
    assert shell("connect", "folder", *NEW).exit_code == 2
    assert nothing_kept(shell)


def test_a_new_company_has_no_referrer_yet_and_is_told_how_to_get_one(
    shell: Shell, invoices: Path
) -> None:
    asked = shell("connect", "folder", *NEW, "--set", f"path={invoices}", "--referrer", "abc123")
    assert asked.exit_code == 2
    assert "referrer add" in asked.stderr
    assert nothing_kept(shell)


def test_a_refused_renewal_leaves_the_working_access_at_work(shell: Shell, town: Town) -> None:
    connect_partners(shell)
    asked = shell("connect", "factomos", input="mauvais-jeton\n")
    assert asked.exit_code == 3
    assert states(shell) == {"factomos": "active", "gcollect": "active"}
    shell.ok("sync")
    assert shell("connect", "factomos", input="mauvais-jeton\n").exit_code == 3
    assert states(shell) == {"factomos": "active", "gcollect": "active"}
    shell.ok("sync")


def test_a_refused_renewal_of_an_oauth_access_keeps_its_secret(shell: Shell, town: Town) -> None:
    connect_partners(shell)
    shell.environ["ENCAISSE_SET_CLIENT_SECRET"] = "un-autre-secret"
    assert shell("connect", "gcollect").exit_code == 3
    assert states(shell)["gcollect"] == "active"
    shell.ok("sync")


def test_a_renewal_that_works_replaces_the_secret_and_leaves_one_access(
    shell: Shell, town: Town
) -> None:
    connect_partners(shell)
    town.world.factomos.add_company("jeton-renouvele", SIREN, "Atelier Exemple SARL")
    shell.ok("connect", "factomos", input="jeton-renouvele\n")
    shell.ok("sync")
    store = shell.store()
    with store.begin() as tx:
        grants = tx.execute(select(func.count()).select_from(schema.access_grant)).scalar_one()
    store.close()
    assert grants == 2
    assert states(shell) == {"factomos": "active", "gcollect": "active"}


def test_a_folder_that_went_away_keeps_its_connection(connected: Shell, invoices: Path) -> None:
    gone = invoices.rename(invoices.with_name("ailleurs"))
    assert connected("connect", "folder", "--set", f"path={invoices}").exit_code == 3
    assert states(connected) == {"folder": "active"}
    gone.rename(invoices)
    write_invoice(invoices, "FA-2025-009")
    connected.ok("sync")


@pytest.mark.parametrize(
    ("slug", "typed", "told"),
    [
        ("libeo", "siret=123", "ne convient pas au réglage « siret » de Libeo"),
        ("myunisoft", "mode=directe", "« directe » ne convient pas au réglage « mode »"),
        ("myunisoft", "counterpart=512 000", "ne convient pas au réglage « counterpart »"),
        ("myunisoft", "control=peut-être", "ne convient pas au réglage « control »"),
        ("factomos", "siren=123456789", "n'est pas un SIREN"),
    ],
)
def test_a_setting_that_can_only_be_wrong_is_refused_when_it_is_typed(
    shell: Shell, slug: str, typed: str, told: str
) -> None:
    for secret in ("TOKEN", "PARTNER_SECRET", "API_KEY"):
        shell.environ[f"ENCAISSE_SET_{secret}"] = "un-secret"
    refused = shell("connect", slug, *NEW, "--set", typed)
    assert refused.exit_code == 2
    assert told in " ".join(refused.stderr.split())
    assert "un-secret" not in refused.output
    assert nothing_kept(shell)
