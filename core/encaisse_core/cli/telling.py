"""Write everything of one claim for a person, in the order one reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from encaisse_core.cli import showing, words
from encaisse_core.cli.short import SHORTEST


def tell(told: dict[str, Any]) -> None:
    """Write a claim's whole account, what decides today first, then how it came to that."""
    click.echo(
        f"Facture {told['number']} du {showing.day(told['issue_date'])}, "
        f"{told['debtor'] or 'client sans nom'} : {showing.amount(told['total'])}, "
        f"reste {showing.amount(told['open'])} ({words.CLAIM_STATES[told['state']]})."
    )
    if told["collectible"]:
        click.echo(f"Peut être confiée pour {showing.amount(told['collectible_amount'])}.")
    for why in told["reasons"]:
        click.echo(f"  {why['sentence']} [{why['rule']}]")
    _part(
        "Échéances",
        ("Date", "Ouvert", "Retenue par"),
        [
            (showing.day(e["due_date"]), showing.amount(e["open"]), ", ".join(e["reasons"]))
            for e in told["echeances"]
        ],
    )
    _part(
        "Vue dans",
        ("Id", "Outil", "Référence", "Numéro", "Rapprochée par", "Ouvert", "Attendu"),
        [
            (
                s["id"][-SHORTEST:],
                s["tool"] + ("" if s["presence"] == "live" else " (plus montrée)"),
                s["ref"],
                s["number"],
                words.RUNGS.get(s["rung"], ""),
                showing.amount(s["open"]),
                showing.amount(s["expected"]),
            )
            for s in told["sightings"]
        ],
    )
    _part(
        "Relances déjà envoyées",
        ("Quand", "Modèle"),
        [(showing.moment(r["at"]), r["kind"]) for r in told["reminders"]],
    )
    _attribution(told["attribution"])
    _part(
        "Paiements",
        ("Date", "Montant", "Origine", "Trop perçu", "Preuve"),
        [
            (
                showing.day(p["paid_on"]),
                showing.amount(p["amount"]),
                showing.word(words.ORIGINS, p["origin"]) + (" (retour)" if p["reverses"] else ""),
                "" if p["unallocated"]["amount"] == "0.00" else showing.amount(p["unallocated"]),
                "; ".join(f"{each['tool']} : {each['means']}" for each in p["evidence"])
                or "document",
            )
            for p in told["payments"]
            if p["counts"]
        ],
    )
    _part(
        "Comptés une seule fois, vus aussi sous la facture réunie",
        ("Date", "Montant", "Preuve"),
        [
            (
                showing.day(p["paid_on"]),
                showing.amount(p["amount"]),
                "; ".join(f"{each['tool']} : {each['means']}" for each in p["evidence"]),
            )
            for p in told["payments"]
            if not p["counts"]
        ],
    )
    _part(
        "Réunions",
        ("Facture", "Le", "Par", "Pourquoi", "Défaite"),
        [
            (
                m["number"],
                showing.moment(m["made_at"]),
                m["by"],
                m["reason"],
                showing.moment(m["undone_at"]),
            )
            for m in told["merges"]
        ],
    )
    _part(
        "Procédures",
        ("Référence", "État", "Phase", "Ouverte le"),
        [
            (
                p["remote_id"],
                words.PROCEDURE_STATES[p["state"]],
                p["phase"] or "",
                showing.moment(p["opened_at"]),
            )
            for p in told["procedures"]
        ],
    )
    _part(
        "Envois",
        ("Quoi", "Vers", "État", "Essais", "Reçu", "Remarque"),
        [
            (
                showing.word(words.EFFECT_KINDS, e["kind"]),
                e["tool"],
                words.EFFECT_STATES[e["state"]],
                str(e["attempts"]),
                e["remote_id"] or "",
                e["reason"] or "",
            )
            for e in told["effects"]
        ],
    )
    _part(
        "Questions",
        ("Question", "Réponse"),
        [(q["sentence"], q["answer"] or "en attente") for q in told["questions"]],
    )
    _part(
        "Commissions",
        ("Apporteur", "Sorte", "Montant", "Le"),
        [
            (
                c["referrer"],
                showing.word(words.COMMISSION_KINDS, c["kind"]),
                showing.amount(c["amount"]),
                showing.moment(c["created_at"]),
            )
            for c in told["commissions"]
        ],
    )
    _part(
        "Écarts entre outils",
        ("Depuis", "Écart", "Que faire"),
        [(showing.moment(d["since"]), d["sentence"], d["advice"]) for d in told["differences"]],
    )
    _part(
        "Comment elle en est arrivée là",
        ("N°", "Quand", "Ce qui s'est passé"),
        [(str(e["sequence"]), showing.moment(e["at"]), e["sentence"]) for e in told["events"]],
    )


def _attribution(told: dict[str, Any]) -> None:
    """Say who earns, and why, where somebody referred one of the imports."""
    if not any(each["referrer"] for each in told["imports"]):
        return
    _part(
        "Apporteurs",
        ("Outil", "Importée le", "Apporteur", "Décide"),
        [
            (
                each["connector"],
                showing.moment(each["at"]),
                each["referrer_name"] or "aucun",
                showing.text(each["decides"]),
            )
            for each in told["imports"]
        ],
    )
    share = "sans contrat qui le paie ce jour-là"
    if told["rate_percent"] is not None:
        percent = told["rate_percent"].replace(".", ",")
        share = f"{percent} % des honoraires HT, contrat {told['contract']}"
    who = told["referrer_name"]
    click.echo(f"{told['sentence']} " + (f"{who} : {share}." if who else "Personne ne touche."))


def _part(title: str, headings: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    if lines:
        click.echo(f"\n{title}")
        showing.table(headings, lines, empty="")
