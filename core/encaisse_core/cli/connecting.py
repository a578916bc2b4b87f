"""Connect companies to tools, and list what is installed and connected."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from encaisse_api import Manifest, Setting
from encaisse_core import connecting as doors
from encaisse_core.app import App
from encaisse_core.cli import showing, words
from encaisse_core.cli.referring import referrer_id
from encaisse_core.cli.session import (
    Company,
    Session,
    companies_of,
    company_of,
    company_option,
    json_option,
    matching,
)
from encaisse_core.cli.short import short
from encaisse_core.cli.views import doors as views
from encaisse_core.companies import Newcomer
from encaisse_core.errors import ITEMS_REFUSED, UsageError
from encaisse_core.store import schema

ENVIRONMENT_PREFIX = "ENCAISSE_SET_"
"""A setting may come from the environment: ENCAISSE_SET_TOKEN for `token`."""


@click.command("connectors", help="Liste les connecteurs installés, et ceux mis à l'écart.")
@json_option
@click.pass_obj
def connectors(session: Session, as_json: bool) -> None:
    """List connectors without opening the store: it works before anything else does."""
    from encaisse_core.loader import load

    found = views.connectors(load())
    if as_json:
        showing.as_json(found)
        return
    showing.table(
        ("Connecteur", "Nom", "Contrat", "Environnements", "Rôles"),
        [
            (
                row["slug"],
                row["name"],
                "documenté" if row["contract"] == "documented" else "supposé",
                ", ".join(row["environments"]),
                ", ".join(showing.word(words.ROLES, role) for role in row["roles"]),
            )
            for row in found["connectors"]
        ],
        empty="Aucun connecteur n'est installé.",
    )
    for apart in found["quarantined"]:
        click.echo(apart["sentence"], err=True)


@click.command("connect", help="Raccorde une société à un outil ou à un partenaire.")
@click.argument("connector", metavar="CONNECTEUR")
@click.option("--siren", metavar="SIREN", help="Société ; par défaut la seule enregistrée.")
@click.option("--name", metavar="NOM", help="Nom de la société, la première fois.")
@click.option(
    "--environment",
    type=click.Choice(["test", "live"]),
    help="Essais ou réel ; par défaut celui de la société, sinon test.",
)
@click.option(
    "--set", "pairs", metavar="NOM=VALEUR", multiple=True, help="Réglage ; autant qu'il en faut."
)
@click.option("--account", default="", metavar="DOSSIER", help="Dossier chez le partenaire.")
@click.option("--referrer", "referred", metavar="ID", help="Apporteur de ces factures.")
@json_option
@click.pass_context
def connect(
    context: click.Context,
    connector: str,
    siren: str | None,
    name: str | None,
    environment: str | None,
    pairs: tuple[str, ...],
    account: str,
    referred: str | None,
    as_json: bool,
) -> None:
    """Connect: settings from `--set`, then the environment; secrets that miss are asked for."""
    session = context.ensure_object(Session)
    given = _pairs(pairs)
    session.secrets += list(given.values())
    with session.open() as app:
        manifest = app.host.connectors.connector(connector).manifest
        values = _values(session, manifest, given)
        company = _company(app, siren, name, environment)
        brought = _brought_by(app, company, referred) if referred else None
        link = doors.connect(
            app.host,
            app.vault,
            company_id=company.id if isinstance(company, Company) else None,
            newcomer=company if isinstance(company, Newcomer) else None,
            connector=connector,
            values=values,
            account=account,
            referrer_id=brought,
        )
        company = Company(link.company_id, link.siren, company.name, link.environment)
    if as_json:
        showing.as_json(
            {"company": company.shown(), "connection": link.id, "connector": link.connector}
        )
    else:
        click.echo(
            f"{manifest.name} est raccordé à {company.name} ({company.siren}, "
            f"{company.environment}). Ensuite : encaisse sync."
        )
    if brought is not None and link.referrer_id != brought:
        click.echo("Cette connexion a déjà un apporteur : il n'a pas été changé.", err=True)
        context.exit(ITEMS_REFUSED)


@click.command("connections", help="Liste les connexions et leur fraîcheur.")
@company_option
@json_option
@click.pass_obj
def connections(session: Session, asked: str | None, as_json: bool) -> None:
    """List a company's connections."""
    with session.working(asked) as (app, company), app.host.store.begin() as tx:
        found = views.connections(tx, company.id, app.loaded)
        brief = short(tx, company.id, schema.connection)
    if as_json:
        showing.as_json({"company": company.shown(), "connections": found})
        return
    showing.table(
        ("Id", "Connecteur", "Dossier", "État", "Lu le", "Remarque"),
        [
            (
                brief(row["id"]),
                row["connector"],
                row["account"] or row["settings"].get("path", ""),
                showing.word(words.CONNECTION_STATES, row["state"]),
                showing.moment(row["pulled_at"]) or "jamais",
                row["reason"] or "",
            )
            for row in found
        ],
        empty="Aucune connexion. Commencez par : encaisse connect folder --set path=DOSSIER.",
    )


def _pairs(pairs: Sequence[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise UsageError("--set attend nom=valeur.")  # the pair may hold a secret: not repeated
        given[name.strip()] = value
    return given


def _values(session: Session, manifest: Manifest, given: Mapping[str, str]) -> dict[str, str]:
    """Complete what was given from the environment and, for secrets, from the person."""
    values = dict(given)
    open_ = {setting.name for setting in manifest.settings if not setting.secret}
    session.secrets = [value for name, value in given.items() if name not in open_]
    for setting in manifest.settings:
        kept = session.environ.get(ENVIRONMENT_PREFIX + setting.name.upper())
        if setting.name not in values and kept:
            values[setting.name] = kept
        if setting.name not in values and setting.secret and setting.required:
            values[setting.name] = _ask(manifest, setting)
        if setting.kind == "path" and values.get(setting.name):
            values[setting.name] = str(Path(values[setting.name]).expanduser().resolve())
        if setting.secret and setting.name in values:
            session.secrets.append(values[setting.name].strip())
    return values


def _ask(manifest: Manifest, setting: Setting) -> str:
    """Ask for a secret without showing it; read one line where nobody is at a terminal."""
    if sys.stdin.isatty():
        answer: str = click.prompt(f"{setting.label_fr} ({manifest.name})", hide_input=True)
        return answer
    line = sys.stdin.readline().strip()
    if not line:
        raise UsageError(
            f"Il manque « {setting.label_fr} » : donnez-le par la variable "
            f"{ENVIRONMENT_PREFIX}{setting.name.upper()}, sur l'entrée standard, ou par "
            f"--set {setting.name}=…"
        )
    return line


def _company(
    app: App, siren: str | None, name: str | None, environment: str | None
) -> Company | Newcomer:
    """Find the company; a new one, whose SIREN and name are given, is recorded once it works."""
    known = companies_of(app)
    if siren is None:
        if not known:
            raise UsageError('Dites pour quelle société : --siren 123456782 --name "Ma société".')
        wanted = [c for c in known if environment in (None, c.environment)]
        return wanted[0] if len(wanted) == 1 else company_of(app, None)
    asked = siren if environment is None else f"{siren.replace(' ', '')}:{environment}"
    standing = matching(known, asked)
    if len(standing) == 1:
        return standing[0]
    if len(standing) > 1:
        raise UsageError("Cette société existe en test et en réel : précisez --environment.")
    if not name:
        raise UsageError(f"La société {siren} n'est pas encore enregistrée : ajoutez --name.")
    return Newcomer(siren, name, environment or "test")


def _brought_by(app: App, company: Company | Newcomer, typed: str) -> str:
    """Find the referrer who brings the invoices; a company that is new has none yet."""
    if isinstance(company, Company):
        return referrer_id(app.of(company.id), company, typed)
    raise UsageError(
        f"La société {company.name} n'est pas encore enregistrée et n'a pas d'apporteur. Raccordez "
        "d'abord son partenaire de recouvrement, puis : encaisse referrer add."
    )
