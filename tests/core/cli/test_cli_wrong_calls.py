"""Wrong input, one by one: one clear French sentence, an exit code, nothing lost."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from tests.core.cli.shells import OTHER_SIREN, SIREN, Shell, Town, connect_partners, write_invoice

from encaisse_core import loader
from encaisse_core.cli import connecting
from encaisse_core.cli.mishap import masked, scrubbed
from encaisse_core.cli.session import Session
from encaisse_core.store import schema

ENGLISH = ("Error", "Usage:", "Try ", "Invalid", "Missing", "No such", "Traceback", "--help' for")


def refused(shell: Shell, *args: str, code: int = 2, input: str | None = None) -> str:
    """Run a command that must fail with this code and one French sentence; give it."""
    result = shell(*args, input=input)
    assert result.exit_code == code, result.output
    assert not any(word in result.output for word in ENGLISH), result.output
    assert result.stdout == "" or input is not None
    lines = result.stderr.strip().splitlines()
    lines = [*(line for line in lines[:-1] if not line.endswith("…")), *lines[-1:]]  # slow steps
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("clams",), "Commande inconnue : « clams ». Vouliez-vous dire « claims »"),
        (("tasks", "anwser"), "Vouliez-vous dire « answer »"),
        (("claims", "--jsno"), "Option inconnue : --jsno. Vouliez-vous dire « --json »"),
        (("explain",), "Il manque l'argument CRÉANCE|FACTURE."),
        (("explain", "A", "B"), "Argument en trop : B."),
        (("connect", "folder", "--environment", "prod"), "« prod » n'est pas possible"),
        (("claims", "--company"), "L'option --company attend une valeur."),
        (("referrer", "add", "Plume"), "Il manque l'option --kind."),
        (("claims", "--all", "--collectible"), "s'excluent"),
        (("commissions", "--period", "fevrier"), "« fevrier » n'est pas un mois"),
        (("journal", "verify", "absent.jsonl"), "absent.jsonl n'existe pas"),
    ],
)
def test_a_wrong_call_is_answered_in_french(shell: Shell, args: tuple[str, ...], said: str) -> None:
    assert said in refused(shell, *args)


def test_nothing_can_be_read_before_a_company_is_connected(shell: Shell) -> None:
    assert "Aucune société n'est enregistrée" in refused(shell, "claims")
    assert "Aucune société n'est enregistrée" in refused(shell, "nightly")


def test_an_unknown_connector_names_the_one_that_comes_near(shell: Shell) -> None:
    said = refused(shell, "connect", "foldr", "--siren", SIREN, "--name", "Atelier")
    assert "« foldr »" in said
    assert "« folder »" in said
    assert shell.json("companies") == {"companies": []}


def test_a_siren_with_a_wrong_key_is_refused(shell: Shell, invoices: Path) -> None:
    said = refused(
        shell,
        *("connect", "folder", "--siren", "123456789", "--name", "Atelier"),
        *("--set", f"path={invoices}"),
    )
    assert "« 123456789 » n'est pas un SIREN" in said


def test_a_new_company_needs_its_name(shell: Shell, invoices: Path) -> None:
    args = ("connect", "folder", "--siren", SIREN, "--set", f"path={invoices}")
    assert "ajoutez --name" in refused(shell, *args)


def test_an_unknown_setting_is_refused_and_its_value_not_repeated(shell: Shell) -> None:
    said = refused(
        shell,
        *("connect", "folder", "--siren", SIREN, "--name", "Atelier"),
        *("--set", "chemin=tres-secret"),
    )
    assert "ne connaît pas : chemin" in said
    assert "tres-secret" not in said
    assert "tres-secret" not in refused(shell, "connect", "folder", "--set", "tres-secret")


def test_a_folder_that_is_not_there_is_an_access_refused(shell: Shell, tmp_path: Path) -> None:
    said = refused(
        shell,
        *("connect", "folder", "--siren", SIREN, "--name", "Atelier"),
        *("--set", f"path={tmp_path / 'absent'}"),
        code=3,
    )
    assert "absent" in said
    assert shell.json("companies") == {"companies": []}


def test_several_companies_must_be_told_apart(connected: Shell, tmp_path: Path) -> None:
    write_invoice(tmp_path / "autres", "B-1", seller=OTHER_SIREN)
    connected.ok(
        *("connect", "folder", "--siren", OTHER_SIREN, "--name", "Autre Exemple SAS"),
        *("--set", f"path={tmp_path / 'autres'}"),
    )
    said = refused(connected, "claims")
    assert f"{SIREN}:test (Atelier Exemple SARL)" in said
    assert f"{OTHER_SIREN}:test (Autre Exemple SAS)" in said
    connected.ok("claims", "--company", OTHER_SIREN)
    assert "Aucune société 404833048" in refused(connected, "claims", "--company", "404833048")


def test_wrong_credentials_are_refused_and_leave_nothing_behind(shell: Shell, town: Town) -> None:
    said = refused(
        shell,
        *("connect", "factomos", "--siren", SIREN, "--name", "Atelier"),
        code=3,
        input="mauvais-jeton\n",
    )
    assert "Vérifiez l'identifiant et le secret" in said
    assert "mauvais-jeton" not in said
    assert shell.json("companies") == {"companies": []}
    store = shell.store()
    with store.begin() as tx:
        for table in (schema.credential, schema.access_grant):
            assert tx.execute(select(func.count()).select_from(table)).scalar_one() == 0
    store.close()


def test_a_partner_that_does_not_answer_is_unreachable(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    shell.environ["ENCAISSE_ROUTES"] = f"api.factomos.com=http://127.0.0.1:{port}"
    said = refused(
        shell,
        *("connect", "factomos", "--siren", SIREN, "--name", "Atelier"),
        code=4,
        input="jeton\n",
    )
    assert "Factomos" in said


def test_a_partner_lost_after_it_worked_keeps_what_was_read(shell: Shell, town: Town) -> None:
    connect_partners(shell)
    shell.ok("sync")
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    shell.environ["ENCAISSE_ROUTES"] = ",".join(
        f"{host}=http://127.0.0.1:{port}" for host in town.world.partners
    )
    result = shell("sync")
    assert result.exit_code == 4, result.output
    assert shell.json("claims")["counts"]["claims"] == 2


def test_one_partner_lost_of_two_is_said_and_the_other_read(shell: Shell, town: Town) -> None:
    connect_partners(shell)
    town.world.gcollect.disable_client("client-1")
    read = shell.json("sync", code=1)
    assert [(c["connector"], c["ok"]) for c in read["connections"]] == [
        ("factomos", True),
        ("gcollect", False),
    ]
    assert read["connections"][1]["sentence"]


def test_a_secret_that_is_not_given_names_every_way_to_give_it(shell: Shell) -> None:
    said = refused(shell, "connect", "factomos", "--siren", SIREN, "--name", "Atelier", input="")
    assert "ENCAISSE_SET_TOKEN" in said
    assert "--set token=…" in said


def test_a_secret_is_never_written_to_the_screen_or_an_incident(
    shell: Shell, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_args: object, **_named: object) -> None:
        raise RuntimeError("le jeton jeton-tres-secret a fait tout casser")

    monkeypatch.setattr(connecting.doors, "connect", breaks)
    result = shell(
        *("connect", "factomos", "--siren", SIREN, "--name", "Atelier"),
        input="jeton-tres-secret\n",
        debug=True,
    )
    assert result.exit_code == 5
    assert "Panne imprévue" in result.stderr
    assert "RuntimeError" in result.stderr
    assert "jeton-tres-secret" not in result.output
    incidents = list((shell.home / "incidents").iterdir())
    assert len(incidents) == 1
    kept = incidents[0].read_text()
    assert "builtins.RuntimeError" in kept
    assert "connecting.py" in kept
    assert "jeton" not in kept


def test_a_database_of_a_newer_version_is_left_alone(connected: Shell) -> None:
    store = connected.store()
    with store.begin() as tx:
        tx.execute(text("update alembic_version set version_num = '9999'"))
    store.close()
    before = (connected.home / "encaisse.db").read_bytes()
    for command in ("sync", "claims", "nightly"):
        said = refused(connected, command, code=5)
        assert "version plus récente" in said
        assert "9999" in said
    assert (connected.home / "encaisse.db").read_bytes() == before


def test_a_file_that_is_no_database_is_said_to_be_damaged(shell: Shell) -> None:
    shell.home.mkdir()
    (shell.home / "encaisse.db").write_bytes(b"ceci n'est pas une base" * 100)
    assert "abîmé" in refused(shell, "claims", code=5)


def test_removing_a_connector_leaves_the_rest_working(
    shell: Shell, town: Town, invoices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect_partners(shell)
    shell.ok("connect", "folder", "--set", f"path={invoices}")
    shell.ok("sync")
    real = loader.installed
    monkeypatch.setattr(
        loader,
        "installed",
        lambda group: [entry for entry in real(group=group) if entry.name != "factomos"],
    )
    slugs = {row["slug"] for row in shell.json("connectors")["connectors"]}
    assert "factomos" not in slugs
    assert {"folder", "gcollect"} <= slugs
    read = shell.json("sync", code=1)
    assert [(c["connector"], c["ok"]) for c in read["connections"]] == [
        ("factomos", False),
        ("gcollect", True),
        ("folder", True),
    ]
    assert "n’est installé" in read["connections"][0]["sentence"]
    assert shell.json("claims")["counts"]["claims"] == 6
    rows = shell.json("connections")["connections"]
    assert [row["installed"] for row in rows] == [False, True, True]
    shell("nightly")
    assert shell.json("claims")["counts"]["claims"] == 6
    said = refused(shell, "connect", "factomos")
    assert "Aucun connecteur « factomos »" in said


@pytest.mark.parametrize(
    "url",
    [
        "mysql://encaisse@serveur/base",
        "oracle://x",
        "inconnu://x",
        "postgres://encaisse@serveur/base",
        "postgresql+psycopg2://encaisse:tres-secret@serveur/base",
        "postgresql+psycopg://encaisse:tres-secret@serveur:port/base",
        "sqlite:/encaisse.db",
        "encaisse.db",
        "://",
    ],
)
def test_an_address_of_no_database_is_said_without_repeating_it(shell: Shell, url: str) -> None:
    shell.environ["ENCAISSE_DATABASE_URL"] = url
    said = refused(shell, "claims", code=5)
    assert "ENCAISSE_DATABASE_URL n'est pas l'adresse d'une base" in said
    assert "tres-secret" not in said


def test_a_short_secret_is_not_masked_inside_other_words() -> None:
    session = Session({}, secrets=["on", "a.b", "jeton-long"])
    told = masked("Refus de « on » : la connexion a-t-elle changé ? jeton-longue a.b", session)
    assert told == "Refus de « ••• » : la connexion a-t-elle changé ? •••ue •••"


@pytest.mark.timeout(10)
def test_a_chain_of_faults_that_leads_back_to_itself_is_told_once() -> None:
    first, second = ValueError("un"), KeyError("deux")
    first.__context__, second.__context__ = second, first
    assert scrubbed(first).count("ValueError") == 1
