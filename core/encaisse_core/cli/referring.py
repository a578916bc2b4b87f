"""Keep the referrers who bring invoices: who they are, and what was agreed with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, cast

import click

from encaisse_core import referrers
from encaisse_core.cli import showing, words
from encaisse_core.cli.session import (
    Company,
    Session,
    company_option,
    json_option,
    reading,
)
from encaisse_core.cli.short import long, short
from encaisse_core.cli.views import doors as views
from encaisse_core.contracts import PPM, REFERRER_KINDS, ReferrerKind
from encaisse_core.errors import UsageError
from encaisse_core.statements import REGIMES
from encaisse_core.store import schema
from encaisse_einvoicing.cli.french import FrenchGroup

if TYPE_CHECKING:
    from encaisse_core.app import App


class Typed(TypedDict):
    """Hold what a person types of a contract beside its rate."""

    starts: str | None
    ends: str | None
    terms: str
    opinion: str | None
    numbers: bool


def terms_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say what was agreed."""
    for option in (
        click.option(
            "--show-numbers",
            "numbers",
            is_flag=True,
            help="Ses relevés montrent le numéro des factures.",
        ),
        click.option(
            "--opinion", metavar="RÉFÉRENCE", help="Avis juridique qui permet la commission."
        ),
        click.option(
            "--terms", metavar="RÉFÉRENCE", default="", help="Texte signé, où le trouver."
        ),
        click.option("--until", "ends", metavar="JOUR", help="Dernier jour ; sans fin sinon."),
        click.option("--from", "starts", metavar="JOUR", help="Premier jour ; aujourd'hui sinon."),
    ):
        command = option(command)
    return command


@click.group("referrer", cls=FrenchGroup, help="Gère les apporteurs d'affaires.")
def referrer() -> None:
    """Group what concerns referrers."""


@referrer.command("add", help="Enregistre un apporteur, et son contrat si sa part est donnée.")
@click.argument("name", metavar="NOM")
@click.option("--kind", required=True, type=click.Choice(sorted(REFERRER_KINDS)), help="Métier.")
@click.option("--rate", metavar="POURCENT", help="Part des honoraires HT : 12,5.")
@terms_options
@company_option
@json_option
@click.pass_obj
def add(
    session: Session,
    name: str,
    kind: str,
    rate: str | None,
    asked: str | None,
    as_json: bool,
    **typed_terms: Unpack[Typed],
) -> None:
    """Record a referrer; a trade that needs a legal opinion earns nothing until there is one."""
    if rate is None and any(typed_terms.values()):
        raise UsageError("--from, --until, --terms, --opinion et --show-numbers vont avec --rate.")
    with session.working(asked) as (app, company):
        said = rate and _agreed(app, rate, typed_terms)
        with app.host.store.begin() as tx:
            made = referrers.add(app.host, tx, company.id, name, cast("ReferrerKind", kind))
            contract = said and referrers.agree(app.host, tx, company.id, made, said)
    if as_json:
        showing.as_json(
            {"company": company.shown(), "referrer": made, "contract": contract or None}
        )
        return
    click.echo(f"{name} est enregistré : {made}. Il sert à : encaisse connect … --referrer {made}.")
    if contract is None:
        click.echo(
            f"Il ne touche rien sans contrat : encaisse referrer contract {made} --rate 12,5."
        )
    _say_needs(kind, typed_terms["opinion"])


@referrer.command("contract", help="Enregistre un contrat : la part d'un apporteur, et ses dates.")
@click.argument("typed", metavar="APPORTEUR")
@click.option("--rate", required=True, metavar="POURCENT", help="Part des honoraires HT : 12,5.")
@terms_options
@company_option
@json_option
@click.pass_obj
def contract(
    session: Session,
    typed: str,
    rate: str,
    asked: str | None,
    as_json: bool,
    **typed_terms: Unpack[Typed],
) -> None:
    """Record a contract; it changes nothing that was earned before."""
    with session.working(asked) as (app, company):
        who = referrer_id(app, company, typed)
        said = _agreed(app, rate, typed_terms)
        with app.host.store.begin() as tx:
            made = referrers.agree(app.host, tx, company.id, who, said)
            kind = next(r["kind"] for r in views.referrers(tx, company.id) if r["id"] == who)
    if as_json:
        showing.as_json({"company": company.shown(), "referrer": who, "contract": made})
        return
    until = f" jusqu'au {said.ends_on:%d/%m/%Y}" if said.ends_on else ""
    click.echo(
        f"Contrat enregistré : {made}, à partir du {said.starts_on:%d/%m/%Y}{until}. Il vaut pour "
        "les factures importées pendant ce temps."
    )
    _say_needs(kind, typed_terms["opinion"])


@referrer.command("end", help="Donne un dernier jour à un contrat.")
@click.argument("typed", metavar="CONTRAT")
@click.option("--on", "last", metavar="JOUR", help="Dernier jour ; aujourd'hui sinon.")
@company_option
@json_option
@click.pass_obj
def end(session: Session, typed: str, last: str | None, asked: str | None, as_json: bool) -> None:
    """End a contract; what was imported under it goes on earning under it."""
    with session.working(asked) as (app, company):
        day = _day(last) or app.host.clock.today()
        with app.host.store.begin() as tx:
            which = long(
                tx,
                company.id,
                schema.referrer_contract,
                typed,
                what="contrat",
                see="referrer contracts",
            )
            referrers.end(app.host, tx, company.id, which, day)
    if as_json:
        showing.as_json({"company": company.shown(), "contract": which, "until": day.isoformat()})
        return
    click.echo(
        f"Le contrat {which} finit le {day:%d/%m/%Y}. Les factures importées jusque-là gardent sa "
        "part."
    )


@referrer.command("contracts", help="Liste les contrats des apporteurs.")
@company_option
@json_option
@click.pass_obj
def contracts(session: Session, asked: str | None, as_json: bool) -> None:
    """List contracts, the oldest first."""
    with reading(session, asked) as (company, tx):
        found = views.contracts(tx, company.id)
        brief = short(tx, company.id, schema.referrer_contract)
    if as_json:
        showing.as_json({"company": company.shown(), "contracts": found})
        return
    showing.table(
        ("Id", "Apporteur", "Du", "Au", "Part HT", "Texte", "Avis juridique", "Touche", "Numéros"),
        [
            (
                brief(row["id"]),
                row["referrer_name"],
                showing.day(row["from"]),
                showing.day(row["until"]),
                percent(row["rate_percent"]),
                row["terms"],
                row["legal_opinion"] or "",
                showing.text(row["earns"]),
                showing.text(row["shows_numbers"]),
            )
            for row in found
        ],
        empty="Aucun contrat.",
    )


@referrer.command("identify", help="Note ce que la facture d'un apporteur doit dire de lui.")
@click.argument("typed", metavar="APPORTEUR")
@click.option("--siren", metavar="SIREN", help="Son SIREN.")
@click.option("--vat-number", "vat_id", metavar="NUMÉRO", help="Son numéro de TVA.")
@click.option("--country", metavar="PAYS", help="Son pays, en deux lettres : FR sinon.")
@click.option("--address", metavar="ADRESSE", help="Son adresse.")
@click.option(
    "--vat-regime",
    "regime",
    type=click.Choice(sorted(REGIMES)),
    help="TVA à 20 %, franchise en base, ou autoliquidation (Union européenne).",
)
@click.option(
    "--self-billing",
    "mandate",
    metavar="RÉFÉRENCE",
    help="Mandat écrit par lequel nous facturons en son nom.",
)
@company_option
@json_option
@click.pass_obj
def identify(
    session: Session,
    typed: str,
    siren: str | None,
    vat_id: str | None,
    country: str | None,
    address: str | None,
    regime: str | None,
    mandate: str | None,
    asked: str | None,
    as_json: bool,
) -> None:
    """Note who a referrer is; statements issued before stay as they were issued."""
    told = referrers.Identity(siren, vat_id, country, address, cast("Any", regime), mandate)
    with session.working(asked) as (app, company):
        who = referrer_id(app, company, typed)
        with app.host.store.begin() as tx:
            noted = referrers.identify(app.host, tx, company.id, who, told)
    if as_json:
        showing.as_json({"company": company.shown(), "referrer": who, "noted": noted})
        return
    click.echo(f"Noté pour {who} : {', '.join(f'{k} {v}' for k, v in sorted(noted.items()))}.")


@referrer.command("list", help="Liste les apporteurs.")
@company_option
@json_option
@click.pass_obj
def list_(session: Session, asked: str | None, as_json: bool) -> None:
    """List a company's referrers, with what is in force today."""
    with session.working(asked) as (app, company), app.host.store.begin() as tx:
        found = views.referrers(tx, company.id, on=app.host.clock.today())
        brief = short(tx, company.id, schema.referrer)
    if as_json:
        showing.as_json({"company": company.shown(), "referrers": found})
        return
    showing.table(
        ("Id", "Nom", "Métier", "SIREN", "Part", "Avis juridique", "Touche"),
        [
            (
                brief(row["id"]),
                row["name"],
                words.REFERRER_KINDS[row["kind"]],
                row["siren"] or "",
                percent(row["rate_percent"]),
                row["legal_opinion"] or "",
                showing.text(row["earns"]),
            )
            for row in found
        ],
        empty="Aucun apporteur.",
    )


def referrer_id(app: App, company: Company, typed: str) -> str:
    """Find the referrer somebody meant."""
    with app.host.store.begin() as tx:
        return long(tx, company.id, schema.referrer, typed, what="apporteur", see="referrer list")


def percent(rate: str | None) -> str:
    """Write a share the French way; empty where there is none."""
    return f"{rate} %".replace(".", ",") if rate is not None else ""


def _agreed(app: App, rate: str, typed: Typed) -> referrers.Agreed:
    return referrers.Agreed(
        _ppm(rate),
        _day(typed["starts"]) or app.host.clock.today(),
        _day(typed["ends"]),
        typed["terms"],
        typed["opinion"],
        typed["numbers"],
    )


def _say_needs(kind: str, opinion: str | None) -> None:
    needs = next(earning for known, earning in REFERRER_KINDS.items() if known == kind)
    if needs.needs_opinion and not opinion:
        click.echo(
            f"Un apporteur de ce métier ({words.REFERRER_KINDS[kind]}) ne touche rien sans avis "
            "juridique enregistré (--opinion)."
        )


def _day(typed: str | None) -> date | None:
    if typed is None:
        return None
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise UsageError(f"« {typed} » n'est pas un jour : écrivez 2026-02-28.") from None


def _ppm(rate: str) -> int:
    """Read a percentage as parts per million, exactly."""
    try:
        ppm = Decimal(rate.strip().rstrip("%").strip().replace(",", ".")) * (PPM // 100)
    except InvalidOperation:
        raise UsageError(f"« {rate} » n'est pas un pourcentage : écrivez 12,5.") from None
    if not ppm.is_finite() or ppm != ppm.to_integral_value() or not 0 <= ppm <= PPM:
        raise UsageError(f"« {rate} » : une part va de 0 à 100, avec quatre décimales au plus.")
    return int(ppm)
