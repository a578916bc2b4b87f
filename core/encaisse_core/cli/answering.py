"""Record a person's answer to a question, and do what it means.

Some questions hold a claim back; an answer lifts the hold only when it says so. Whether two
payments, or two invoices, are the same decides what is recorded; the words of the answer stay
beside the journal, erasable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, select

from encaisse_core import (
    claim_states,
    corrections,
    doubts,
    holds,
    journal,
    kinds,
    merges,
    observed,
    replanning,
    settled,
    tasks,
)
from encaisse_core.errors import UsageError
from encaisse_core.host import Host
from encaisse_core.store import schema
from encaisse_core.store.engine import rows, stamp

Verdict = Literal["same", "different"]

ABOUT_A_DOUBLE = (doubts.POSSIBLE_DUPLICATE, doubts.LOOK_ALIKES)
NAMED = 5
"""How many choices a sentence names."""

ASKS_FOR_VERDICT = ("maybe_same", *ABOUT_A_DOUBLE)


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold an answer: its words, who gave them, and what it decides where it decides something.

    `of` is the claim a double is a double of, where there are several it may be.
    """

    words: str
    by: str
    verdict: Verdict | None = None
    lift: bool | None = None
    of: str | None = None


def answer(host: Host, company_id: str, task_id: str, given: Answer) -> dict[str, Any]:
    """Record an answer; tell whether the question is closed and a hold was lifted."""
    if not given.words.strip():
        raise UsageError("La réponse est vide : écrivez ce que vous avez décidé.")
    t = schema.task.c
    with host.store.begin() as tx:
        host.store.one_at_a_time(tx, company_id)
        task = rows(
            tx.execute(select(schema.task).where(t.company_id == company_id, t.id == task_id))
        )[0]
        if task["done_at"] is not None:
            raise UsageError(f"Déjà répondu à {task_id} : « {task['answer']} ».")
        held = _held(tx, task)
        _check(task, held, given)
        lifted = held is not None and (given.verdict is not None or given.lift is True)
        if task["kind"] in ABOUT_A_DOUBLE:
            _same_claim(host, tx, task, given)
        elif task["kind"] == "total_changed" and lifted:
            corrections.take_over_total(host, tx, company_id, task["subject"])
        elif task["kind"] == "amount_rose" and lifted:
            corrections.take_over_rise(host, tx, company_id, task["subject"])
        elif task["kind"] == "entry_altered" and lifted:
            corrections.take_over_entry(host, tx, company_id, task["subject"])
        if lifted:
            _lift(host, tx, task)
        stays = given.lift is False and not about_an_effect(task)
        closed = not stays and not _still_asked(tx, task, given)
        tx.execute(
            schema.task.update()
            .where(t.company_id == company_id, t.id == task_id)
            .values(answer=given.words, done_at=stamp(host.clock.now()) if closed else None)
        )
        _journal(host, tx, task, given, lifted)
        if task["kind"] == "maybe_same":  # answered: what waited for it is asked, or sent, now
            _same_money(host, tx, task, given)
            settled.follow_settlements(host, tx, company_id)
            observed.observe(host, tx, company_id, claim_id=task["subject"])
            replanning.wake(host, tx, company_id, task["subject"], kinds.ANSWER_AWAITED)
    return {"id": task_id, "closed": closed, "lifted": lifted}


def _held(tx: Connection, task: Mapping[str, Any]) -> str | None:
    """Name the hold this question put on its claim; None where it holds nothing."""
    c = schema.claim.c
    hold = tx.execute(
        select(c.hold).where(c.company_id == task["company_id"], c.id == task["subject"])
    ).scalar_one_or_none()
    return str(task["kind"]) if hold is not None and task["kind"] in holds.HOLDS else None


def about_an_effect(task: Mapping[str, Any]) -> bool:
    """Tell whether a question is about an effect, which words alone do not settle."""
    return str(task["subject"]).startswith("eff_")


def _check(task: Mapping[str, Any], held: str | None, given: Answer) -> None:
    if task["kind"] == "routing":
        raise UsageError(
            f"Cette question se règle par : encaisse routing {task['subject']} CONNEXION, ou "
            "--proposed. Rien n'est enregistré."
        )
    if about_an_effect(task) and given.lift is None:
        raise UsageError(
            f"Cette question porte sur un envoi : réglez-le par encaisse effects resolve "
            f"{task['subject']} retry, adopt ou abandon, ou laissez-le ainsi avec --keep."
        )
    double = task["kind"] in ABOUT_A_DOUBLE and given.verdict == "same"
    if given.of is not None and not double:
        raise UsageError("--of ne répond qu'à « est-ce la même facture ? », avec --same.")
    if task["kind"] in ASKS_FOR_VERDICT:
        if given.verdict is None:
            raise UsageError("Dites si c'est le même : --same, ou différent : --different.")
        if given.lift is False and task["kind"] == "maybe_same":
            raise UsageError("--keep ne va pas avec --same ou --different : la réponse règle tout.")
    elif given.verdict is not None:
        raise UsageError("--same et --different ne répondent qu'à « est-ce le même ? ».")
    elif held is not None and given.lift is None:
        raise UsageError(
            "Cette question arrête le recouvrement : dites s'il reprend (--lift) ou reste arrêté "
            "(--keep)."
        )
    elif (
        held is None
        and given.lift is not None
        and not (about_an_effect(task) and given.lift is False)
    ):
        raise UsageError(
            "Cette question n'arrête aucune créance : --lift et --keep ne servent pas."
        )


def _same_money(host: Host, tx: Connection, task: Mapping[str, Any], given: Answer) -> None:
    """Record money as the person says: known already, or a payment of its own.

    The question was about one settlement, or else about what a tool of the claim shows.
    """
    if given.verdict is None:
        return
    company_id, about = task["company_id"], tasks.what(task["about"])
    if "settlement" in about:
        settled.decide(host, tx, company_id, about, same=given.verdict == "same")
    else:
        observed.answer(host, tx, company_id, task["subject"], about, given.verdict)


def _same_claim(host: Host, tx: Connection, task: Mapping[str, Any], given: Answer) -> None:
    """Keep the claims apart, or make one of the two that are the same."""
    company_id, subject = task["company_id"], task["subject"]
    if given.verdict != "same":
        doubts.settle(host, tx, company_id, subject, task["kind"], given.verdict)
        return
    among = {
        claim_states.standing_claim(tx, company_id, each)
        for each in doubts.others(tx, company_id, subject)
    }
    if given.of is not None and given.of not in among:
        raise UsageError("--of : cette créance ne fait pas partie de la question.")
    if given.of is None and len(among) != 1:
        numbers = sorted(
            f"{claim_states.number_of(tx, company_id, each)} ({each})" for each in among
        )
        raise UsageError(
            "Dites de laquelle elle est le double : --of CRÉANCE. Au choix : "
            + ", ".join(numbers[:NAMED])
            + (f" et {len(numbers) - NAMED} autres." if len(numbers) > NAMED else ".")
        )
    kept, gone = merges.keeps(tx, company_id, subject, given.of or min(among))
    merges.merge(host, tx, company_id, kept, gone, merges.Said(given.by, given.words))


def _still_asked(tx: Connection, task: Mapping[str, Any], given: Answer) -> bool:
    """Tell whether a claim that stayed itself may be the double of yet another one."""
    if task["kind"] not in ABOUT_A_DOUBLE or given.verdict != "same":
        return False
    return bool(doubts.others(tx, task["company_id"], task["subject"]))


def _lift(host: Host, tx: Connection, task: Mapping[str, Any]) -> None:
    company_id, claim_id = task["company_id"], task["subject"]
    holds.lift(host, tx, company_id, claim_id, task["kind"])
    claim_states.refresh(host, tx, company_id, claim_id)


def _journal(
    host: Host, tx: Connection, task: Mapping[str, Any], given: Answer, lifted: bool
) -> None:
    words = journal.seal_personal(
        tx, task["company_id"], f"{given.by} : {given.words}", host.ids.nonce(16)
    )
    journal.append(
        tx,
        task["company_id"],
        host.clock.now(),
        "task_answered",
        task["subject"],
        {
            "task": task["id"],
            "kind": task["kind"],
            "verdict": given.verdict or "",
            "lifted": lifted,
            "words": words,
        },
    )
