"""Tell what made a claim what it is, in the order it happened, one sentence for each event.

The journal has an event for every fact, so the story is the journal's of all the claim touches: its
records, payments, effects, questions, proposals, mandates, procedures and commissions, and those of
claims that became part of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from encaisse_core.cents import euros
from encaisse_core.cli import words
from encaisse_core.store import schema
from encaisse_core.store.engine import rows

Row = dict[str, Any]

ROLES = {
    "origin": "le partenaire l'annonce",
    "echo": "nous l'y avons inscrit",
    "same": "une personne l'y a saisi",
    "bridged": "l'autre outil le lui envoie",
}
"""What a sighting of a payment proves."""


@dataclass(frozen=True)
class Known:
    """Hold the rows an event's sentence may name, by id."""

    tools: Mapping[str, str]
    sightings: Mapping[str, Row]
    payments: Mapping[str, Row]
    effects: Mapping[str, Row]
    questions: Mapping[str, Row]
    numbers: Mapping[str, str]
    merges: Mapping[str, Row]
    commissions: Mapping[str, Row]

    def tool(self, connection_id: str | None) -> str:
        """Name a connection's tool."""
        return self.tools.get(connection_id or "", "un outil")


def tell(tx: Connection, company_id: str, known: Known, subjects: Iterable[str]) -> list[Row]:
    """List the events about some subjects, each with its sentence."""
    e = schema.event.c
    query = (
        select(e.sequence, e.at, e.kind, e.subject, e.body)
        .where(e.company_id == company_id, e.subject.in_(sorted(set(subjects))))
        .order_by(e.sequence)
    )
    found: list[Row] = []
    seen: set[tuple[str, str, str]] = set()
    told = [*rows(tx.execute(query)), *_of_sets(tx, company_id, known)]
    for row in sorted(told, key=lambda row: int(row["sequence"])):
        body = json.loads(row["body"])
        once = (row["at"], row["kind"], row["body"])
        if row["kind"] in TWICE and once in seen:
            continue  # one event of two claims, both of which are here
        seen.add(once)
        found.append({**row, "body": body, "sentence": sentence(known, {**row, "body": body})})
    return found


Told = tuple[str, str, Mapping[str, object]]
"""Kind, subject and body of an event."""


def _payment_alone(shared: Row, fact: list[Any]) -> Iterable[Told]:
    payment_id, claim_id, amount, rest = fact
    seen = {"claim": claim_id, "origin": shared["origin"], "amount": amount, "unallocated": 0}
    yield "payment_seen", payment_id, seen
    yield "claim_moved", claim_id, {"state": "open" if rest else "settled", "open": rest}


def _commission_alone(_shared: Row, fact: list[Any]) -> Iterable[Told]:
    line_id, settlement_id, amount = fact
    yield "commission_accrual", line_id, {"settlement": settlement_id, "amount": amount}


SETS: Mapping[str, Callable[[Row, list[Any]], Iterable[Told]]] = {
    "payments_seen": _payment_alone,
    "commissions_accrued": _commission_alone,
}
"""Events that tell whole sets, and what would have told one fact of it alone."""


def _of_sets(tx: Connection, company_id: str, known: Known) -> list[Row]:
    """Take some facts out of the events that tell whole sets: as if each were told by itself.

    A set's event is of the very instant its rows were made; a fact begins with its row's id.
    """
    e = schema.event.c
    here = {**known.payments, **known.commissions}
    made = {str(row["created_at"]) for row in here.values()}
    query = (
        select(e.sequence, e.at, e.kind, e.body)
        .where(e.company_id == company_id, e.kind.in_(SETS), e.at.in_(sorted(made)))
        .order_by(e.sequence)
    )
    return [
        row | {"kind": kind, "subject": subject, "body": json.dumps(said)}
        for row in rows(tx.execute(query))
        for body in [json.loads(row["body"])]
        for fact in body["facts"]
        if fact[0] in here
        for kind, subject, said in SETS[row["kind"]](body, fact)
    ]


TWICE = ("claims_merged", "claims_unmerged", "sighting_separated")
"""Events written for each of two claims."""


def sentence(known: Known, event: Row) -> str:
    """Say in French what an event did; one nobody wrote a sentence for is named."""
    write = SENTENCES.get(event["kind"])
    if write is None:
        return f"{_named(event)}."
    return write(known, event)


def _named(event: Row) -> str:
    """Name an event as the journal's words do, with a capital."""
    kind = str(event["kind"])
    word = dict(words.EVENTS).get(kind, kind)
    return word[:1].upper() + word[1:]


def _seen(known: Known, event: Row) -> str:
    sighting = known.sightings.get(event["body"]["sighting"])
    tool = known.tool(event["body"]["connection"])
    what = (
        "" if sighting is None else f" (référence {sighting['remote_ref']}, {sighting['number']})"
    )
    if event["kind"] == "claim_made":
        return f"Vue pour la première fois dans {tool}{what}."
    rung = words.RUNGS.get(event["body"]["rung"], "")
    return f"Vue aussi dans {tool}{what} ; rapprochée par : {rung}."


def _state(_known: Known, event: Row) -> str:
    body = event["body"]
    state = words.CLAIM_STATES.get(body["state"], body["state"])
    verb = "n'est" if body["state"] == "unseen" else "est"
    return f"Elle {verb} {state}, il reste {euros(body['open'])}."


def _paid(known: Known, event: Row) -> str:
    body, payment = event["body"], known.payments.get(event["subject"], {})
    shown = known.sightings.get(payment.get("shown_by") or "")
    where = f", vu dans {known.tool(shown['connection_id'])}" if shown else ""
    too_much = f", dont {euros(body['unallocated'])} de trop" if body["unallocated"] else ""
    origin = words.ORIGINS.get(body["origin"], body["origin"])
    return f"Paiement de {euros(body['amount'])} ({origin}){where}{too_much}."


def _went_back(known: Known, event: Row) -> str:
    payment = known.payments.get(event["subject"], {})
    shown = known.sightings.get(payment.get("shown_by") or "")
    where = f", vu dans {known.tool(shown['connection_id'])}" if shown else ""
    return f"Paiement de {euros(-event['body']['amount'])} reparti{where}."


def _allocated(_known: Known, event: Row) -> str:
    return f"{euros(event['body']['amount'])} d'un paiement de trop servent à la payer."


def _effect(known: Known, event: Row) -> str:
    effect = known.effects.get(event["subject"], {})
    kind = words.EFFECT_KINDS.get(event["body"]["kind"], event["body"]["kind"])
    where = known.tool(effect.get("connection_id"))
    if event["kind"] == "effect_planned":
        return f"Envoi prévu vers {where} : {kind}."
    state = words.EFFECT_STATES.get(event["kind"].removeprefix("effect_"), "réglé")
    receipt = f" (reçu {event['body']['remote_id']})" if event["body"].get("remote_id") else ""
    why = f" : {effect['reason']}" if effect.get("reason") else "."
    return f"Envoi vers {where} {state}, {kind}{receipt}{why}"


def _resolved(known: Known, event: Row) -> str:
    effect = known.effects.get(event["subject"], {})
    way = {"adopt": "tenu pour fait", "retry": "retenté", "abandon": "abandonné"}
    done = way.get(event["body"]["way"], event["body"]["way"])
    return f"Envoi vers {known.tool(effect.get('connection_id'))} {done} par une personne."


def _asked(known: Known, event: Row) -> str:
    for question in known.questions.values():
        if question["kind"] == event["body"]["kind"] and question["created_at"] == event["at"]:
            return f"Question : {question['sentence']}"
    return f"Question posée ({event['body']['kind']})."


def _answered(known: Known, event: Row) -> str:
    question = known.questions.get(event["body"]["task"], {})
    said = {"same": "c'est le même", "different": "c'est différent"}
    verdict = said.get(event["body"]["verdict"], "")
    lifted = "le recouvrement peut reprendre" if event["body"]["lifted"] else ""
    means = ", ".join(part for part in (verdict, lifted) if part)
    told = f"Réponse : « {question.get('answer') or ''} »"
    return f"{told} ({means})." if means else f"{told}."


def _merged(known: Known, event: Row) -> str:
    merge = known.merges.get(event["body"]["merge"], {})
    gone = known.numbers.get(event["body"]["gone"], event["body"]["gone"])
    if event["kind"] == "claims_merged":
        who, why = merge.get("by", ""), merge.get("reason", "")
        return f"{gone} en est devenue une part, dit {who} : « {why} »."
    who, why = merge.get("undone_by", ""), merge.get("undone_reason", "")
    return f"{gone} en a été séparée, dit {who} : « {why} »."


def _separated(known: Known, event: Row) -> str:
    sighting = known.sightings.get(event["body"]["sighting"], {})
    tool = known.tool(sighting.get("connection_id"))
    return f"L'enregistrement de {tool} est une autre facture, dit une personne."


def _settlement(_known: Known, event: Row) -> str:
    body = event["body"]
    return f"{_named(event)} : {body['principal']} ({body['remote_id']})."


def _commission(known: Known, event: Row) -> str:
    line = known.commissions.get(event["subject"], {})
    kind = words.COMMISSION_KINDS[event["kind"].removeprefix("commission_")]
    whose = f" pour {line['referrer']}" if line else ""
    return f"Commission {kind}{whose} : {euros(event['body']['amount'])}."


def _opened(_known: Known, event: Row) -> str:
    return f"Procédure ouverte (référence {event['body']['remote_id']})."


def _moved(_known: Known, event: Row) -> str:
    body = event["body"]
    state = words.PROCEDURE_STATES.get(body["state"], body["state"])
    phase = f", phase {body['phase']}" if body["phase"] else ""
    return f"La procédure est {state}{phase}."


def _stopped(_known: Known, event: Row) -> str:
    kind = words.EFFECT_KINDS.get(event["body"]["kind"], event["body"]["kind"])
    return f"Le partenaire confirme l'arrêt ({kind})."


def _approved(_known: Known, event: Row) -> str:
    return f"Proposition approuvée par {event['body']['by']}."


def _dropped(_known: Known, event: Row) -> str:
    return f"Proposition abandonnée : {event['body']['reason']}."


def _held(known: Known, event: Row) -> str:
    left = event["body"]["left"]
    return (
        "Le recouvrement peut reprendre." if not left else "Une autre question la retient encore."
    )


SENTENCES: dict[str, Callable[[Known, Row], str]] = {
    "claim_made": _seen,
    "sighting_joined": _seen,
    "claim_moved": _state,
    "payment_seen": _paid,
    "payment_went_back": _went_back,
    "payment_allocated": _allocated,
    "effect_planned": _effect,
    "effect_done": _effect,
    "effect_refused": _effect,
    "effect_parked": _effect,
    "effect_resolved": _resolved,
    "task_opened": _asked,
    "task_answered": _answered,
    "hold_lifted": _held,
    "claims_merged": _merged,
    "claims_unmerged": _merged,
    "sighting_separated": _separated,
    "settlement_pending": _settlement,
    "settlement_verified": _settlement,
    "settlement_rejected": _settlement,
    "settlement_reversed": _settlement,
    "commission_accrual": _commission,
    "commission_payable": _commission,
    "commission_clawback": _commission,
    "procedure_opened": _opened,
    "procedure_moved": _moved,
    "stop_acknowledged": _stopped,
    "proposal_approved": _approved,
    "proposal_dropped": _dropped,
}
"""How each kind of event is told."""
