"""List the companies, and keep the referrers who bring their invoices."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import click

from encaisse_core import journal
from encaisse_core.app import App
from encaisse_core.cli import showing, words
from encaisse_core.cli.french import FrenchGroup
from encaisse_core.cli.session import (
    Company,
    Session,
    companies_of,
    company_of,
    company_option,
    json_option,
    reading,
)
from encaisse_core.cli.short import long, short
from encaisse_core.cli.views import doors as views
from encaisse_core.commissions import PPM, REFERRER_KINDS
from encaisse_core.errors import UsageError
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp


@click.command("companies", help="Liste les sociétés enregistrées.")
@json_option
@click.pass_obj
def companies(session: Session, as_json: bool) -> None:
    """List the companies."""
    with session.open() as app:
        found = companies_of(app)
    if as_json:
        showing.as_json({"companies": [company.shown() for company in found]})
        return
    showing.table(
        ("SIREN", "Nom", "Environnement"),
        [(c.siren, c.name, c.environment) for c in found],
        empty="Aucune société. Commencez par : encaisse connect.",
    )


@click.group("referrer", cls=FrenchGroup, help="Gère les apporteurs d'affaires.")
def referrer() -> None:
    """Group what concerns referrers."""


@referrer.command("add", help="Enregistre un apporteur et sa part des honoraires.")
@click.argument("name", metavar="NOM")
@click.option("--kind", required=True, type=click.Choice(sorted(REFERRER_KINDS)), help="Métier.")
@click.option("--rate", required=True, metavar="POURCENT", help="Part des honoraires HT : 12,5.")
@click.option("--opinion", metavar="RÉFÉRENCE", help="Avis juridique qui permet la commission.")
@company_option
@json_option
@click.pass_obj
def add(
    session: Session,
    name: str,
    kind: str,
    rate: str,
    opinion: str | None,
    asked: str | None,
    as_json: bool,
) -> None:
    """Record a referrer; a trade that needs a legal opinion earns nothing until there is one."""
    share = _ppm(rate)
    with session.open() as app:
        company = company_of(app, asked)
        now = app.host.clock.now()
        made = app.host.ids.new("ref")
        with app.host.store.begin() as tx:
            tx.execute(
                schema.referrer.insert().values(
                    company_id=company.id,
                    id=made,
                    kind=kind,
                    name=name,
                    rate_ppm=share,
                    legal_opinion=opinion,
                    created_at=stamp(now),
                )
            )
            body: dict[str, journal.JSON] = {"kind": kind, "rate_ppm": share}
            journal.append(tx, company.id, now, "referrer_added", made, body)
    if as_json:
        showing.as_json({"company": company.shown(), "referrer": made})
        return
    click.echo(f"{name} est enregistré : {made}. Il sert à : encaisse connect … --referrer {made}.")
    needs = next(earning for known, earning in REFERRER_KINDS.items() if known == kind)
    if needs.needs_opinion and not opinion:
        click.echo(
            f"Un apporteur de ce métier ({words.REFERRER_KINDS[kind]}) ne touche rien sans avis "
            "juridique enregistré (--opinion)."
        )


@referrer.command("list", help="Liste les apporteurs.")
@company_option
@json_option
@click.pass_obj
def list_(session: Session, asked: str | None, as_json: bool) -> None:
    """List a company's referrers."""
    with reading(session, asked) as (company, tx):
        found = views.referrers(tx, company.id)
        brief = short(tx, company.id, schema.referrer)
    if as_json:
        showing.as_json({"company": company.shown(), "referrers": found})
        return
    showing.table(
        ("Id", "Nom", "Métier", "Part", "Avis juridique", "Touche"),
        [
            (
                brief(row["id"]),
                row["name"],
                words.REFERRER_KINDS[row["kind"]],
                f"{row['rate_percent']} %".replace(".", ","),
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


def _ppm(rate: str) -> int:
    """Read a percentage as parts per million, exactly."""
    try:
        ppm = Decimal(rate.strip().rstrip("%").strip().replace(",", ".")) * (PPM // 100)
    except InvalidOperation:
        raise UsageError(f"« {rate} » n'est pas un pourcentage : écrivez 12,5.") from None
    if not ppm.is_finite() or ppm != ppm.to_integral_value() or not 0 <= ppm <= PPM:
        raise UsageError(f"« {rate} » : une part va de 0 à 100, avec quatre décimales au plus.")
    return int(ppm)
