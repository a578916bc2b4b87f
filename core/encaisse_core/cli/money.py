"""Show commissions and payouts, and hand commissions over as a file accountants open."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import click

from encaisse_core.cli import showing, words
from encaisse_core.cli.session import Session, company_option, json_option, reading
from encaisse_core.cli.short import short
from encaisse_core.cli.views import money as views
from encaisse_core.errors import UsageError
from encaisse_core.store import schema

HEADINGS = ("Date", "Apporteur", "Facture", "Nature", "Honoraires", "Commission", "Devise", "Règle")


@click.command("commissions", help="Liste les commissions des apporteurs.")
@click.option("--period", metavar="AAAA-MM", help="Un mois seulement.")
@click.option(
    "--csv", "as_csv", is_flag=True, help="Un fichier pour tableur, sur la sortie standard."
)
@company_option
@json_option
@click.pass_obj
def commissions(
    session: Session, period: str | None, as_csv: bool, asked: str | None, as_json: bool
) -> None:
    """List commission lines with each month's sums."""
    if period is not None and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", period):
        raise UsageError(f"« {period} » n'est pas un mois : écrivez 2026-02.")
    if as_csv and as_json:
        raise UsageError("--csv et --json s'excluent : choisissez l'un des deux.")
    with reading(session, asked) as (company, tx):
        found = views.commissions(tx, company.id, period)
        brief = short(tx, company.id, schema.referrer)
    if as_json:
        showing.as_json({"company": company.shown(), "period": period, **found})
        return
    if as_csv:
        click.echo(_csv(found["lines"]).encode(), nl=False)
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


def _csv(lines: list[dict[str, Any]]) -> str:
    """Write for a French spreadsheet: semicolons, decimal commas, no cell that runs."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for row in lines:
        writer.writerow(
            (
                showing.day(row["on"]),
                _inert(row["referrer_name"]),
                _inert(row["number"]),
                words.COMMISSION_KINDS[row["kind"]],
                row["basis"]["amount"].replace(".", ","),
                row["amount"]["amount"].replace(".", ","),
                row["amount"]["currency"],
                row["rule_version"],
            )
        )
    return file.getvalue()


def _inert(cell: str) -> str:
    """Keep a spreadsheet from running a name as a formula."""
    return f"'{cell}" if cell[:1] in "=+-@\t\r" else cell


@click.command("payouts", help="Liste les reversements et leurs écritures comptables.")
@company_option
@json_option
@click.pass_obj
def payouts(session: Session, asked: str | None, as_json: bool) -> None:
    """List payouts, each with its voucher."""
    with reading(session, asked) as (company, tx):
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


def _side(value: dict[str, Any]) -> str:
    return "" if value["amount"].strip("0.") == "" else showing.amount(value)
