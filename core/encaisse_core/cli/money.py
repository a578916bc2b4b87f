"""Show commissions and payouts, and hand commissions over as a file accountants open."""

from __future__ import annotations

import re
from typing import Any

import click

from encaisse_core.cli import showing, spreadsheet, words
from encaisse_core.cli.payout_export import export
from encaisse_core.cli.session import Session, company_option, json_option, reading
from encaisse_core.cli.short import short
from encaisse_core.cli.statements import statement, statements
from encaisse_core.cli.views import money as views
from encaisse_core.errors import UsageError
from encaisse_core.store import schema
from encaisse_einvoicing.cli.french import FrenchGroup

HEADINGS = ("Date", "Apporteur", "Facture", "Nature", "Honoraires", "Commission", "Devise", "Règle")


@click.group(
    "commissions",
    cls=FrenchGroup,
    invoke_without_command=True,
    help="Liste les commissions des apporteurs, et leurs relevés.",
)
@click.option("--period", metavar="AAAA-MM", help="Un mois seulement.")
@click.option(
    "--csv", "as_csv", is_flag=True, help="Un fichier pour tableur, sur la sortie standard."
)
@company_option
@json_option
@click.pass_context
def commissions(
    context: click.Context, period: str | None, as_csv: bool, asked: str | None, as_json: bool
) -> None:
    """List commission lines with each month's sums when called alone."""
    if context.invoked_subcommand is not None:
        return
    if period is not None and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", period):
        raise UsageError(f"« {period} » n'est pas un mois : écrivez 2026-02.")
    if as_csv and as_json:
        raise UsageError("--csv et --json s'excluent : choisissez l'un des deux.")
    with reading(context.ensure_object(Session), asked) as (company, tx):
        found = views.commissions(tx, company.id, period)
        brief = short(tx, company.id, schema.referrer)
    if as_json:
        showing.as_json({"company": company.shown(), "period": period, **found})
        return
    if as_csv:
        spreadsheet.write(HEADINGS, [_cells(row) for row in found["lines"]])
        return
    showing.table(
        HEADINGS[:6],
        [
            (
                showing.day(row["on"]),
                row["referrer_name"],
                row["number"],
                words.COMMISSION_KINDS[row["kind"]],
                showing.amount(row["basis"]),
                showing.amount(row["amount"]),
            )
            for row in found["lines"]
        ],
        empty="Aucune commission.",
    )
    for sums in found["statements"]:
        click.echo(
            f"{sums['period']}, apporteur {brief(sums['referrer'])} : "
            f"{showing.amount(sums['total'])} acquis, {showing.amount(sums['payable'])} exigible."
        )


commissions.add_command(statement)
commissions.add_command(statements)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        showing.day(row["on"]),
        spreadsheet.inert(row["referrer_name"]),
        spreadsheet.inert(row["number"]),
        words.COMMISSION_KINDS[row["kind"]],
        spreadsheet.figure(row["basis"]),
        spreadsheet.figure(row["amount"]),
        row["amount"]["currency"],
        row["rule_version"],
    )


@click.group(
    "payouts",
    cls=FrenchGroup,
    invoke_without_command=True,
    help="Liste les reversements et leurs écritures comptables.",
)
@company_option
@json_option
@click.pass_context
def payouts(context: click.Context, asked: str | None, as_json: bool) -> None:
    """List payouts, each with its voucher, when called alone."""
    if context.invoked_subcommand is not None:
        return
    with reading(context.ensure_object(Session), asked) as (company, tx):
        found = views.payouts(tx, company.id)
    if as_json:
        showing.as_json({"company": company.shown(), "payouts": found})
        return
    if not found:
        click.echo("Aucun reversement.")
    for row in found:
        click.echo(
            f"\n{row['connector']} {row['remote_id']}, {words.PAYOUT_STATES[row['state']]} "
            f"{showing.day(row['executed_on'])} : "
            f"net {showing.amount(row['net'])} "
            f"(encaissé {showing.amount(row['gross'])}, honoraires {showing.amount(row['fee'])}, "
            f"TVA {showing.amount(row['fee_vat'])})"
        )
        if row["entry"] is not None:
            click.echo(f"Écriture {row['entry']} remise à la comptabilité.")
        showing.table(
            ("Compte", "Libellé", "Débit", "Crédit", "Pièce"),
            [
                (
                    line["account"],
                    line["label"],
                    _side(line["debit"]),
                    _side(line["credit"]),
                    line["reference"] or "",
                )
                for line in row["voucher"]
            ],
            empty="Pas encore d'écriture.",
        )


payouts.add_command(export)


def _side(value: dict[str, Any]) -> str:
    return "" if value["amount"].strip("0.") == "" else showing.amount(value)
