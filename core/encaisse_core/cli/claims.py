"""List claims with what keeps them back, and tell everything of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from encaisse_core.claim_states import standing_claim
from encaisse_core.cli import showing
from encaisse_core.cli.progress import step
from encaisse_core.cli.session import Session, company_option, json_option
from encaisse_core.cli.short import short
from encaisse_core.cli.telling import tell
from encaisse_core.cli.views import claims as views
from encaisse_core.cli.views import explaining
from encaisse_core.errors import UsageError
from encaisse_core.rules import RULES
from encaisse_core.store import schema
from encaisse_einvoicing.cli.french import near


@click.command("claims", help="Liste les créances ouvertes et ce qui retient chacune.")
@click.option(
    "--all", "everything", is_flag=True, help="Aussi celles qui sont soldées ou annulées."
)
@click.option("--collectible", is_flag=True, help="Seulement ce qui peut être confié aujourd'hui.")
@click.option("--reason", metavar="RÈGLE", help="Seulement ce que cette règle retient.")
@company_option
@json_option
@click.pass_obj
def claims(
    session: Session,
    everything: bool,
    collectible: bool,
    reason: str | None,
    asked: str | None,
    as_json: bool,
) -> None:
    """List claims; counts are of the claims before `--reason` and `--collectible` narrow them."""
    if everything and collectible:
        raise UsageError("--all et --collectible s'excluent : choisissez l'un des deux.")
    rules = [rule.id for rule in RULES]
    if reason is not None and reason not in rules:
        raise UsageError(f"Règle inconnue : « {reason} ».{near(reason, rules)}")
    with (
        step("Examen des créances"),
        session.working(asked) as (app, company),
        app.host.store.begin() as tx,
    ):
        found = views.claims(app.host, tx, company.id)
        brief = short(tx, company.id, schema.claim)
    kept = [row for row in found if everything or row["state"] in ("open", "unseen")]
    counts = views.counted(kept)
    shown = [
        row
        for row in kept
        if (row["collectible"] or not collectible)
        and (reason is None or reason in [why["rule"] for why in row["reasons"]])
    ]
    if as_json:
        showing.as_json({"company": company.shown(), "counts": counts, "claims": shown})
        return
    _table(shown, brief)
    click.echo(
        f"{showing.plural(counts['claims'], 'créance')}, dont "
        f"{showing.plural(counts['collectible'], 'peut être confiée', 'peuvent être confiées')}."
    )
    if counts["not_collectible"]:
        why = ", ".join(
            f"{rule} {count}"
            for rule, count in sorted(
                counts["not_collectible"].items(), key=lambda x: (-x[1], x[0])
            )
        )
        click.echo(f"Retenues par règle : {why}. Le détail : encaisse explain NUMÉRO.")


def _table(found: Sequence[dict[str, Any]], brief: Any) -> None:
    showing.table(
        ("Id", "Facture", "Client", "Échéance", "Ouvert", "À confier", "Retenue par"),
        [
            (
                brief(row["id"]),
                row["number"],
                row["debtor"] or "",
                showing.day(row["due_date"]),
                showing.amount(row["open"]),
                showing.amount(row["collectible_amount"]) if row["collectible"] else "",
                ", ".join(why["rule"] for why in row["reasons"]),
            )
            for row in found
        ],
        empty="Aucune créance à montrer.",
    )


@click.command(
    "explain", help="Dit tout d'une créance : qui la montre, ce qui est dû, ce qui est fait."
)
@click.argument("typed", metavar="CRÉANCE|FACTURE")
@company_option
@json_option
@click.pass_obj
def explain(session: Session, typed: str, asked: str | None, as_json: bool) -> None:
    """Explain one claim, by its id or its invoice number."""
    with (
        step("Examen de la créance"),
        session.working(asked) as (app, company),
        app.host.store.begin() as tx,
    ):
        claim_id = standing_claim(tx, company.id, views.named(tx, company.id, typed))
        told = explaining.explain(app.host, tx, company.id, claim_id)
    if as_json:
        showing.as_json({"company": company.shown(), "claim": told})
        return
    tell(told)
