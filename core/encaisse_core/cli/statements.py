"""Draft, issue and list the monthly statements of referrers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import click
from sqlalchemy import Connection

from encaisse_core import stating
from encaisse_core.cli import showing, spreadsheet, words
from encaisse_core.cli.referring import referrer_id
from encaisse_core.cli.session import Session, company_option, json_option, reading
from encaisse_core.cli.views import statements as views
from encaisse_core.errors import ITEMS_REFUSED, UsageError

HEADINGS = (
    "Relevé",
    "Facture à établir",
    "Mois",
    "Apporteur",
    "Date",
    "Référence",
    "Facture",
    "Nature",
    "Honoraires HT",
    "Part",
    "Commission",
    "Exigible HT",
    "Corrige",
    "Devise",
)
SUMS = (
    ("payable", "exigible du mois"),
    ("brought", "report du relevé précédent"),
    ("excl_vat", "à facturer HT"),
    ("vat", "TVA"),
    ("incl_vat", "à payer TTC"),
    ("carried", "à reporter sur le suivant"),
)


@click.command("statement", help="Montre le relevé d'un mois, ou l'émet.")
@click.option("--month", required=True, metavar="AAAA-MM", help="Le mois.")
@click.option("--referrer", "referred", metavar="ID", help="Un seul apporteur.")
@click.option("--issue", is_flag=True, help="L'émet : il a un numéro et ne change plus.")
@click.option(
    "--never-issued",
    is_flag=True,
    help="Après une restauration : vous avez vérifié que ce mois n'avait pas été émis.",
)
@click.option(
    "--issued-as",
    metavar="NUMÉRO",
    help="Après une restauration : le numéro sous lequel il avait été émis.",
)
@click.option(
    "--invoiced-as",
    metavar="NUMÉRO",
    help="Avec --issued-as : le numéro de sa facture, s'il y en a.",
)
@click.option(
    "--csv", "as_csv", is_flag=True, help="Un fichier pour tableur, sur la sortie standard."
)
@company_option
@json_option
@click.pass_context
def statement(
    context: click.Context,
    month: str,
    referred: str | None,
    issue: bool,
    never_issued: bool,
    issued_as: str | None,
    invoiced_as: str | None,
    as_csv: bool,
    asked: str | None,
    as_json: bool,
) -> None:
    """Show a month's statements: as issued, else as drafts; issue the drafts where asked."""
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise UsageError(f"« {month} » n'est pas un mois : écrivez 2026-02.")
    if as_csv and as_json:
        raise UsageError("--csv et --json s'excluent : choisissez l'un des deux.")
    if (never_issued or issued_as or invoiced_as) and not issue:
        raise UsageError("--never-issued et --issued-as vont avec --issue.")
    if (never_issued and issued_as) or (invoiced_as and not issued_as):
        raise UsageError("Choisissez : --never-issued, ou --issued-as (avec --invoiced-as).")
    refused: list[str] = []
    with context.ensure_object(Session).working(asked) as (app, company):
        who = referrer_id(app, company, referred) if referred else None
        with app.host.store.begin("statements.issue") as tx:
            app.host.store.one_at_a_time(tx, company.id)
            checked = never_issued or issued_as is not None
            open_ = stating.drafts(app.host, tx, company.id, month, who, checked=checked)
            if issued_as is not None:
                _check_number(tx, company.id, issued_as, len(open_))
            for draft in open_ if issue else ():
                if draft.refusal is None:
                    stating.issue(
                        app.host,
                        tx,
                        company.id,
                        draft,
                        as_number=issued_as,
                        as_invoice=invoiced_as,
                    )
                else:
                    refused.append(draft.refusal)
            found = [views.issued(row) for row in stating.issued(tx, company.id, month, who)]
            left = stating.drafts(app.host, tx, company.id, month, who)
            found += [views.drafted(draft) for draft in left]
    if as_json:
        showing.as_json({"company": company.shown(), "month": month, "statements": found})
    elif as_csv:
        spreadsheet.write(HEADINGS, [cells for row in found for cells in _cells(row)])
    else:
        _tell(month, found)
    for sentence in refused:
        showing.say(sentence, err=True)
    if refused:
        context.exit(ITEMS_REFUSED)


def _check_number(tx: Connection, company_id: str, number: str, drafts: int) -> None:
    """Let a number be given back to one statement only, and only if it is nobody else's."""
    if drafts != 1:
        raise UsageError("--issued-as vaut pour un relevé : précisez --referrer.")
    if any(row["number"] == number for row in stating.issued(tx, company_id)):
        raise UsageError(f"Le numéro {number} est déjà celui d'un autre relevé.")


@click.command("statements", help="Liste les relevés émis.")
@company_option
@json_option
@click.pass_obj
def statements(session: Session, asked: str | None, as_json: bool) -> None:
    """List issued statements, the oldest first."""
    with reading(session, asked) as (company, tx):
        found = [views.issued(row) for row in stating.issued(tx, company.id)]
    if as_json:
        showing.as_json({"company": company.shown(), "statements": found})
        return
    showing.table(
        ("Relevé", "Mois", "Apporteur", "Émis le", "À facturer HT", "TTC", "À reporter", "Facture"),
        [
            (
                row["number"],
                row["period"],
                row["seller"]["name"],
                showing.day(row["issued_on"]),
                showing.amount(row["sums"]["excl_vat"]),
                showing.amount(row["sums"]["incl_vat"]),
                showing.amount(row["sums"]["carried"]),
                row["invoice"]["number"] or words.INVOICING[row["invoice"]["mode"]],
            )
            for row in found
        ],
        empty="Aucun relevé émis.",
    )


def _tell(month: str, found: list[dict[str, Any]]) -> None:
    if not found:
        click.echo(f"Aucune commission en {month}.")
    for row in found:
        state = f"relevé {row['number']}" if row["state"] == "issued" else "projet de relevé"
        click.echo(f"\n{row['seller']['name']}, {state} de {row['period']}")
        showing.table(
            ("Date", "Référence", "Facture", "Nature", "Honoraires HT", "Part", "Commission"),
            [
                (
                    showing.day(line["on"]),
                    line["reference"],
                    line["invoice_number"] or "",
                    words.COMMISSION_KINDS[line["kind"]],
                    showing.amount(line["basis"]),
                    f"{line['rate_percent']} %".replace(".", ","),
                    showing.amount(line["amount"]),
                )
                for line in row["lines"]
            ],
            empty="",
        )
        for name, said in SUMS:
            shown = showing.amount(row["sums"][name]) or "inconnue"
            click.echo(f"  {said} : {shown}")
        invoice = row["invoice"]
        how = words.INVOICING[invoice["mode"]]
        code = f" ({invoice['type_code']})" if invoice["type_code"] else ""
        click.echo(f"  {how}{code} {invoice['number'] or ''}".rstrip())
        for mention in invoice["mentions"]:
            click.echo(f"  Mention : {mention}")
        if row["refusal"]:
            showing.say(f"  {row['refusal']}")


def _cells(row: dict[str, Any]) -> Sequence[Sequence[str]]:
    """Write a statement's lines, then its sums; a sum's name stands in the column of kinds."""
    draft = row["number"] or "projet"
    head = (draft, row["invoice"]["number"] or "", row["period"])
    name = spreadsheet.inert(row["seller"]["name"])
    lines = [
        (
            *head,
            name,
            showing.day(line["on"]),
            line["reference"],
            spreadsheet.inert(line["invoice_number"] or ""),
            words.COMMISSION_KINDS[line["kind"]],
            spreadsheet.figure(line["basis"]),
            f"{line['rate_percent']} %".replace(".", ","),
            spreadsheet.figure(line["amount"]),
            spreadsheet.figure(line["payable"]),
            line["corrects"] or "",
            row["currency"],
        )
        for line in row["lines"]
    ]
    sums = [
        (
            *head,
            name,
            showing.day(row["issued_on"]),
            *("", "", said, "", "", ""),
            spreadsheet.figure(row["sums"][which]),
            "",
            row["currency"],
        )
        for which, said in SUMS
    ]
    return [*lines, *sums]
