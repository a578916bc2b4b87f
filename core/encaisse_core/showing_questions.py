"""Ask a person about what a tool shows where only one can know; the claim is held meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from encaisse_core import typed
from encaisse_core.cents import euros
from encaisse_core.holds import hold
from encaisse_core.host import Host
from encaisse_core.store import schema


def unsure(host: Host, tx: Connection, row: Mapping[str, Any], currency: str) -> bool:
    """Make no money of a record whose status nobody knows, or that changed its currency."""
    c = schema.claim.c
    claimed = tx.execute(
        select(c.currency).where(c.company_id == row["company_id"], c.id == row["claim_id"])
    ).scalar_one()
    if row["state"] == "unknown":
        why, told = "unknown_status", "son montant ouvert a changé sous un statut inconnu"
    elif currency != claimed:
        why, told = "currency_changed", f"sa devise est passée de {claimed} à {currency}"
    else:
        return False
    hold(
        host,
        tx,
        row["company_id"],
        row["claim_id"],
        why,
        f"Facture {row['number']} : {told} dans l'outil. Vérifiez-la ; rien d'automatique ne se "
        "fait avant votre réponse.",
    )
    return True


def ask_same(
    host: Host,
    tx: Connection,
    row: Mapping[str, Any],
    amount: int,
    known: typed.Known | None,
    denied: Sequence[str],
) -> None:
    """Ask whether what a tool shows is money we know, or has it as a part."""
    shown = f"un paiement de {euros(amount)} apparaît dans {_tool(tx, row)}"
    if known is not None and known.corrects:
        asked = (
            f"{shown} : c'est ce qui manquait à un encaissement du partenaire saisi à la main. "
            "En est-ce la correction, donc le même argent ?"
        )
    elif known is None or known.cents == amount:
        asked = f"{shown} alors qu'un paiement égal est déjà connu. Est-ce le même argent ?"
    else:
        asked = (
            f"{shown}. L'encaissement de {euros(known.cents)} par le partenaire, saisi dans un "
            "autre outil, en fait-il partie ?"
        )
    hold(
        host,
        tx,
        row["company_id"],
        row["claim_id"],
        "maybe_same",
        f"Facture {row['number']} : {asked} Le recouvrement est arrêté et rien n'est inscrit "
        "avant votre réponse.",
        about={
            "sighting": row["id"],
            "of": amount,
            "cents": known.cents if known else amount,
            "payment": known.payment_id if known else None,
            "denied": list(denied),
        },
    )


def _tool(tx: Connection, row: Mapping[str, Any]) -> str:
    k = schema.connection.c
    query = select(k.connector).where(
        k.company_id == row["company_id"], k.id == row["connection_id"]
    )
    return str(tx.execute(query).scalar_one())


def ask_why_it_rose(host: Host, tx: Connection, row: Mapping[str, Any]) -> None:
    """Ask about an open amount that rose where no payments we know of add up to it."""
    hold(
        host,
        tx,
        row["company_id"],
        row["claim_id"],
        "amount_rose",
        f"Facture {row['number']} : le montant ouvert a augmenté dans l'outil sans paiement connu "
        "à annuler. Vérifiez la facture ; rien d'automatique ne se fait avant votre réponse.",
    )
