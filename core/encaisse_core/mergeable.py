"""Say why two claims cannot be one, before anything is changed.

A person may know what no rung sees, but not against what the records say of themselves: another
currency, a sale and a purchase, an invoice and a credit note are never one. Another seller,
customer or total needs a rung that would at least ask: the same number, document or lineage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from encaisse_core import candidates, tasks
from encaisse_core.cents import euros
from encaisse_core.errors import UsageError
from encaisse_core.faces import Face, sellers
from encaisse_core.host import Host, links
from encaisse_core.join import CREDITS, Candidate, verify
from encaisse_core.sides import Side
from encaisse_core.sightings import record_of
from encaisse_core.store import schema
from encaisse_core.store.engine import rows

STRONG = (1, 2, 3, 4)

ABOUT_MONEY = (
    "maybe_same",
    "amount_rose",
    "total_changed",
    "unknown_status",
    "currency_changed",
    "entry_altered",
)
"""Open questions whose answer decides what was paid: they are answered first."""

SENT = ("sending", "uncertain")
UNFINISHED = ("planned", "sending", "uncertain", "parked")


def faces(host: Host, tx: Connection, company_id: str, claim_id: str) -> list[Face]:
    """Reduce each record of a claim to what identifies it."""
    s = schema.sighting.c
    by_id = {link.id: link for link in links(tx, company_id, states=("active", "paused", "ended"))}
    found = rows(
        tx.execute(
            select(schema.sighting)
            .where(s.company_id == company_id, s.claim_id == claim_id)
            .order_by(s.id)
        )
    )
    return [
        candidates.face_of(
            link := by_id[row["connection_id"]],
            row,
            record_of(row["record"]),
            issued=not host.follows_money(link),
        )
        for row in found
    ]


def check(
    host: Host, tx: Connection, company_id: str, kept: Mapping[str, Any], gone: Mapping[str, Any]
) -> None:
    """Raise `UsageError` where the second claim cannot become part of the first."""
    one, other = f"« {kept['number']} »", f"« {gone['number']} »"
    if kept["id"] == gone["id"]:
        raise UsageError(f"C'est deux fois la même créance : {one}.")
    for claim in (kept, gone):
        if claim["merged_into"] is not None:
            raise UsageError(
                f"La créance « {claim['number']} » ({claim['id']}) est déjà réunie à "
                f"{claim['merged_into']}. Défaites d'abord cette réunion : encaisse unjoin "
                f"{claim['id']}."
            )
    if kept["currency"] != gone["currency"]:
        raise UsageError(
            f"{one} est en {kept['currency']} et {other} en {gone['currency']} : ce ne peut pas "
            "être la même facture."
        )
    if (kept["kind"] in CREDITS) != (gone["kind"] in CREDITS):
        raise UsageError(f"De {one} et {other}, l'une est un avoir : ce n'est pas la même pièce.")
    _alike(faces(host, tx, company_id, kept["id"]), faces(host, tx, company_id, gone["id"]), kept)
    at_rest(tx, company_id, kept)
    at_rest(tx, company_id, gone, UNFINISHED)
    _validated(tx, company_id, gone)
    for claim in (kept, gone):
        answered(tx, company_id, claim)


def _alike(kept: Sequence[Face], gone: Sequence[Face], claim: Mapping[str, Any]) -> None:
    """Compare what the records say of themselves, every one with every other."""
    pairs = [(one, other) for one in kept for other in gone]
    if any(one.direction != other.direction for one, other in pairs):
        raise UsageError("L'une est une vente, l'autre un achat : ce n'est pas la même facture.")
    asks = any(
        verify(other, Candidate(claim["id"], rung, one)) != "different"
        for one, other in pairs
        for rung in STRONG
    )
    if asks:
        return
    debtors = {face.debtor_key for face in (*kept, *gone) if face.debtor_key}
    if len(debtors) > 1:
        raise UsageError(
            f"Les clients ne sont pas les mêmes (SIREN {', '.join(sorted(debtors))}) et rien "
            "d'autre ne les rapproche : ni numéro, ni document, ni lignée. Corrigez le client "
            "dans l'outil qui se trompe."
        )
    if any(sellers(one, other) == "different" for one, other in pairs):
        raise UsageError("Les vendeurs ne sont pas les mêmes : ce n'est pas la même facture.")
    totals = {face.total for face in (*kept, *gone)}
    if len(totals) > 1:
        raise UsageError(
            f"Les totaux diffèrent ({', '.join(euros(cents) for cents in sorted(totals))}) et rien "
            "d'autre ne les rapproche. Corrigez le total dans l'outil qui se trompe."
        )


def at_rest(
    tx: Connection, company_id: str, claim: Mapping[str, Any], states: Sequence[str] = SENT
) -> None:
    """Require that no effect on a claim is half done."""
    e = schema.effect.c
    busy = tx.execute(
        select(e.id).where(
            e.company_id == company_id, e.subject == claim["id"], e.state.in_(states)
        )
    ).first()
    if busy is not None:
        raise UsageError(
            f"Un envoi sur « {claim['number']} » n'est pas fini ({busy.id}). Réglez-le d'abord : "
            "encaisse effects."
        )


def _validated(tx: Connection, company_id: str, claim: Mapping[str, Any]) -> None:
    """Require that no entry on a claim awaits its accountant: his answer is about that claim."""
    e = schema.effect.c
    waits = tx.execute(
        select(e.id).where(
            e.company_id == company_id, e.subject == claim["id"], e.fate == "pending"
        )
    ).first()
    if waits is not None:
        raise UsageError(
            f"Une écriture sur « {claim['number']} » attend la validation du comptable "
            f"({waits.id}). Réunissez-les quand il aura répondu."
        )


def answered(tx: Connection, company_id: str, claim: Mapping[str, Any]) -> None:
    """Require that no question about a claim's money is open."""
    asked = tasks.open_on(tx, company_id, claim["id"])
    if money := [kind for kind in asked if kind in ABOUT_MONEY]:
        raise UsageError(
            f"Une question sur l'argent de « {claim['number']} » attend sa réponse "
            f"({asked[money[0]]}). Répondez d'abord : encaisse tasks."
        )


def live(tx: Connection, company_id: str, claim_id: str) -> dict[str, Any] | None:
    """Give the proposal that holds a claim, with the procedure's id where one is open."""
    r, p = schema.reservation.c, schema.proposal.c
    found = rows(
        tx.execute(
            select(r.proposal_id, r.procedure_id, p.state)
            .join(schema.proposal, (p.company_id == r.company_id) & (p.id == r.proposal_id))
            .where(r.company_id == company_id, r.claim_id == claim_id, r.released_at.is_(None))
        )
    )
    return found[0] if found else None


def is_handed_over(held: Mapping[str, Any] | None) -> bool:
    """Tell whether somebody approved what holds a claim; a mere quote may be made anew."""
    return held is not None and (held["procedure_id"] is not None or held["state"] != "proposed")


def check_procedures(
    tx: Connection,
    company_id: str,
    kept: Mapping[str, Any],
    gone: Mapping[str, Any],
    money: Side,
) -> None:
    """Keep one procedure per invoice: what is handed over stays itself, and alone."""
    first, second = (is_handed_over(live(tx, company_id, claim["id"])) for claim in (kept, gone))
    if first and second:
        raise UsageError(
            f"« {kept['number']} » et « {gone['number']} » sont toutes deux confiées. Faites "
            "d'abord retirer l'une des deux (encaisse procedures), puis réunissez-les."
        )
    if second:
        raise UsageError(
            f"« {gone['number']} » est confiée : c'est elle qui doit rester. Écrivez : encaisse "
            f"join {gone['id']} {kept['id']}."
        )
    if first and money.collected:
        raise UsageError(
            f"« {kept['number']} » est confiée, et {euros(money.collected)} ont été recouvrés sur "
            f"« {gone['number']} » : le partenaire réclamerait trop. Faites d'abord retirer "
            f"« {kept['number']} » (encaisse procedures)."
        )
