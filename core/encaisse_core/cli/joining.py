"""Let a person say that two claims are one invoice, or take apart what was brought together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from sqlalchemy import Connection, select

from encaisse_core import merges, separations, unmerges
from encaisse_core.cli import showing
from encaisse_core.cli.session import Session, company_option, json_option
from encaisse_core.cli.short import matches
from encaisse_core.cli.views import claims as views
from encaisse_core.errors import UsageError
from encaisse_core.merges import Said
from encaisse_core.store import schema
from encaisse_core.store.engine import rows


def said(session: Session, by: str | None, reason: str) -> Said:
    """Say who decides, and why."""
    who = session.who(by, "décide")
    return Said(who, reason)


@click.command("join", help="Réunit deux créances : la seconde devient une part de la première.")
@click.argument("first", metavar="CRÉANCE|FACTURE")
@click.argument("second", metavar="CRÉANCE|FACTURE")
@click.option("--reason", required=True, metavar="TEXTE", help="Pourquoi c'est la même facture.")
@click.option("--by", metavar="NOM", help="Qui décide ; par défaut $USER.")
@company_option
@json_option
@click.pass_obj
def join(
    session: Session,
    first: str,
    second: str,
    reason: str,
    by: str | None,
    asked: str | None,
    as_json: bool,
) -> None:
    """Merge the second claim into the first."""
    decided = said(session, by, reason)
    with session.working(asked) as (app, company), app.host.store.begin() as tx:
        kept = views.named(tx, company.id, first)
        gone = views.named(tx, company.id, second)
        merge_id = merges.merge(app.host, tx, company.id, kept, gone, decided)
        told = next(views.described(app.host, tx, company.id, (kept,)))
    if as_json:
        showing.as_json(
            {
                "company": company.shown(),
                "merge": {"id": merge_id, "kept": kept, "gone": gone},
                "claim": told,
            }
        )
        return
    showing.say(
        f"Réunies : une seule créance, {told['number']}, dont il reste "
        f"{showing.amount(told['open'])}. Pour défaire : encaisse unjoin {gone} --reason TEXTE."
    )


@click.command("unjoin", help="Défait une réunion, ou sépare un enregistrement rapproché à tort.")
@click.argument("typed", metavar="CRÉANCE|ENREGISTREMENT")
@click.option("--reason", required=True, metavar="TEXTE", help="Pourquoi ce sont deux factures.")
@click.option("--by", metavar="NOM", help="Qui décide ; par défaut $USER.")
@company_option
@json_option
@click.pass_obj
def unjoin(
    session: Session, typed: str, reason: str, by: str | None, asked: str | None, as_json: bool
) -> None:
    """Undo the merge of a claim, or give a sighting a claim of its own."""
    decided = said(session, by, reason)
    with session.working(asked) as (app, company), app.host.store.begin() as tx:
        sighting_id = _sighting(tx, company.id, typed)
        if sighting_id is not None:
            claim_of = _claim_of(tx, company.id, sighting_id)
            apart = separations.separate(app.host, tx, company.id, sighting_id, decided)
            pair = (claim_of, apart)
        else:
            merge = _merge(tx, company.id, views.named(tx, company.id, typed))
            unmerges.unmerge(app.host, tx, company.id, merge["id"], decided)
            pair = (merge["kept_id"], merge["gone_id"])
        told = list(views.described(app.host, tx, company.id, pair))
    if as_json:
        showing.as_json({"company": company.shown(), "claims": told})
        return
    showing.say(
        "Séparées : "
        + " ; ".join(f"{each['number']}, reste {showing.amount(each['open'])}" for each in told)
        + "."
    )


def _sighting(tx: Connection, company_id: str, typed: str) -> str | None:
    """Find the record somebody typed by its id, or None."""
    s = schema.sighting.c
    known = tx.execute(select(s.id).where(s.company_id == company_id)).scalars()
    found = matches(known, typed)
    return found[0] if len(found) == 1 else None


def _claim_of(tx: Connection, company_id: str, sighting_id: str) -> str:
    s = schema.sighting.c
    return str(
        tx.execute(
            select(s.claim_id).where(s.company_id == company_id, s.id == sighting_id)
        ).scalar_one()
    )


def _merge(tx: Connection, company_id: str, claim_id: str) -> dict[str, Any]:
    """Find the one merge a claim stands for: it is part of another, or one other is part of it."""
    m = schema.claim_merge.c
    query = (
        select(m.id, m.kept_id, m.gone_id)
        .where(m.company_id == company_id, m.undone_at.is_(None))
        .order_by(m.made_at, m.id)
    )
    standing = rows(tx.execute(query))
    own = [row for row in standing if row["gone_id"] == claim_id]
    parts = own or [row for row in standing if row["kept_id"] == claim_id]
    if len(parts) == 1:
        return parts[0]
    if not parts:
        raise UsageError(
            "Cette créance n'a été réunie à aucune autre par une personne. Pour séparer un "
            "enregistrement rapproché tout seul, donnez son identifiant : encaisse explain."
        )
    raise UsageError(
        "Plusieurs créances lui ont été réunies ; dites laquelle séparer : "
        + ", ".join(_ids(parts))
        + "."
    )


def _ids(parts: Sequence[dict[str, Any]]) -> list[str]:
    return [str(row["gone_id"]) for row in parts]
