"""Offer `fec` on the command line: what a ledger's file breaks, and what its customers owe."""

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import click

from encaisse_einvoicing.cli.paths import PATH
from encaisse_einvoicing.cli.printing import amount
from encaisse_einvoicing.cli.progress import counting
from encaisse_einvoicing.complaints import of_the_system
from encaisse_einvoicing.fec.findings import Level
from encaisse_einvoicing.fec.lines import Fec, FecLine
from encaisse_einvoicing.fec.reading import read_fec
from encaisse_einvoicing.fec.receivables import (
    USUAL_TERMS,
    Customer,
    OpenItem,
    Receivables,
    is_customers,
    receivables,
)
from encaisse_einvoicing.issues import Refused
from encaisse_einvoicing.reading.documents import shown

INVALID: Final = 1
USAGE: Final = 2

LEVELS: Final = {Level.ERROR: "Erreur", Level.ALERT: "Alerte", Level.INFO: "Information"}

NAMED: Final = 5
"""Line numbers said beside a finding; the others are counted."""


@click.command("fec", help="Lit un FEC : ses écarts aux règles, et ce que doivent les clients.")
@click.argument("path", metavar="FICHIER", type=PATH)
@click.option(
    "--terms",
    metavar="JOURS",
    type=click.IntRange(0, 365),
    default=USUAL_TERMS,
    show_default=True,
    help="Délai de paiement, en jours : un FEC ne dit pas les échéances.",
)
@click.option("--json", "as_json", is_flag=True, help="Écrit un objet JSON.")
@click.pass_context
def fec(context: click.Context, path: Path, terms: int, as_json: bool) -> None:
    """Read one file; exit 0 without an error, 1 with some or refused, 2 where it is not there."""
    name = shown(str(path))
    try:
        found = _read(path)
    except OSError as error:
        click.echo(f"« {name} » n'a pas pu être lu : {of_the_system(error)}.", err=True)
        context.exit(USAGE)
    except Refused as refused:
        if as_json:
            _echo({"file": name, "ok": False, "refused": refused.code, "why": refused.message_fr})
        click.echo(f"« {name} » : {refused.message_fr}", err=True)
        context.exit(INVALID)
    owed = receivables(found, usual_terms=terms)
    if as_json:
        _echo(as_record(name, found, owed))
    else:
        for line in told(name, found, owed):
            click.echo(line)
    context.exit(0 if found.valid else INVALID)


def _read(path: Path) -> Fec:
    """Read a file where it lies, holding only the lines of customers; count them on stderr."""
    with counting("ligne lue", "lignes lues") as count, path.open("rb") as file:

        def keep(line: FecLine) -> bool:
            count[0] += 1
            return is_customers(line)

        return read_fec(file, path.name, keep=keep)


def _echo(record: dict[str, Any]) -> None:
    click.echo(f"{json.dumps(record, ensure_ascii=False, indent=1)}\n".encode(), nl=False)


def as_record(name: str, found: Fec, owed: Receivables) -> dict[str, Any]:
    """Lay a file out for JSON: money as decimal strings, days as ISO."""
    return {
        "file": name,
        "ok": found.valid,
        "siren": found.siren,
        "closing": _iso(found.closing),
        "encoding": found.encoding,
        "separator": "tab" if found.separator == "\t" else found.separator,
        "lines": found.count,
        "unread_lines": list(found.unread),
        "findings": [
            {
                "code": each.code,
                "level": each.level.value,
                "message": each.message,
                "count": each.count,
                "lines": list(each.lines),
                "example": each.example,
            }
            for each in found.findings
        ],
        "receivables": {
            "incomplete": owed.incomplete,
            "open": [_item(each) for each in owed.items],
            "unallocated": [
                {
                    **_customer(each.customer),
                    "piece": each.piece,
                    "date": _iso(each.day),
                    "amount": str(each.amount),
                    "lines": list(each.lines),
                }
                for each in owed.unallocated
            ],
            "balances": [
                {**_customer(customer), "balance": str(balance)}
                for customer, balance in owed.balances.items()
                if balance
            ],
        },
    }


def _item(item: OpenItem) -> dict[str, Any]:
    return {
        **_customer(item.customer),
        "piece": item.piece,
        "issue_date": _iso(item.issued),
        "due_date": _iso(item.due_date),
        "due_date_estimated": True,
        "total": str(item.total),
        "open": str(item.open),
        "carried": item.carried,
        "doubtful": item.doubtful,
        "spread": item.spread,
        "lines": list(item.lines),
    }


def _customer(customer: Customer) -> dict[str, str]:
    return {"customer": customer.account, "customer_name": customer.name}


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def told(name: str, found: Fec, owed: Receivables) -> Iterator[str]:
    """Say it in French."""
    year = f", exercice clos le {found.closing:%d/%m/%Y}" if found.closing else ""
    whose = f"SIREN {found.siren}{year}" if found.siren else f"société inconnue{year}"
    yield f"{name} : {_count(found.count, 'ligne lue', 'lignes lues')}, {whose}."
    for each in found.findings:
        lines = ", ".join(str(line) for line in each.lines[:NAMED])
        more = f" et {each.count - NAMED} autres" if each.count > NAMED else ""
        example = f" (« {shown(each.example)} »)" if each.example else ""
        yield f"  {LEVELS[each.level]} : {each.message}{example}, ligne {lines}{more}."
    if owed.incomplete:
        yield (
            f"  {_count(len(found.unread), 'ligne illisible', 'lignes illisibles')} : ce qui suit "
            "est incomplet."
        )
    if owed.items:
        yield f"Reste dû, {_count(len(owed.items), 'pièce', 'pièces')} (échéances estimées) :"
    for item in owed.items:
        marks = [
            mark
            for mark, there in (
                ("à nouveau", item.carried),
                ("client douteux", item.doubtful),
                ("lettrage partagé entre plusieurs pièces", item.spread),
            )
            if there
        ]
        yield (
            f"  {_name(item.customer)} : {shown(item.piece) or 'sans pièce'}, "
            f"{amount(item.open, 'EUR')} sur {amount(item.total, 'EUR')}, échéance vers le "
            f"{_french(item.due_date)}{' (' + ', '.join(marks) + ')' if marks else ''}"
        )
    if owed.unallocated:
        yield "Au crédit des clients, sans lettrage :"
    for loose in owed.unallocated:
        yield (
            f"  {_name(loose.customer)} : {shown(loose.piece) or 'sans pièce'} du "
            f"{_french(loose.day)}, {amount(loose.amount, 'EUR')}"
        )
    total = sum((balance for balance in owed.balances.values()), Decimal(0))
    yield f"Solde des comptes clients : {amount(total, 'EUR')}."


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number < 2 else several}"


def _french(day: date | None) -> str:
    return "date inconnue" if day is None else f"{day:%d/%m/%Y}"


def _name(customer: Customer) -> str:
    return shown(f"{customer.name} ({customer.account})" if customer.name else customer.account)
