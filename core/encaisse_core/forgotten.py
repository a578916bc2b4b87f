"""What a restored store has forgotten and no key of ours names: procedures, declared payments.

They are compared by content with what the collector has: a procedure it tells and we do not know,
the sum it was told of as paid to the creditor.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select

from encaisse_api import (
    CollectedPayment,
    Conflict,
    Drift,
    OpensProcedures,
    PartnerError,
    ProcedureState,
    Receipt,
    ReportsProgress,
    ReportsSettlements,
)
from encaisse_core import restored
from encaisse_core import tasks as questions
from encaisse_core.cents import euros
from encaisse_core.errors import HostError
from encaisse_core.faults import fault
from encaisse_core.host import Host, Link
from encaisse_core.numbers import annex_number
from encaisse_core.outbox import Effect
from encaisse_core.restored import UNKNOWN_PROCEDURE, Restoration
from encaisse_core.store import schema
from encaisse_core.store.engine import instant

AROUND = timedelta(days=1)
"""Partners' clocks may be behind ours by less than this."""


def compare_procedures(host: Host, link: Link, standing: Restoration) -> bool:
    """Ask a person about each procedure we may have opened and forgotten; False where unreadable.

    Whoever opened it, claims of ours may be in it: a second one must not open beside it.
    """
    if link.state != "active" or not host.can(link, OpensProcedures):
        return link.state == "active"
    if not host.can(link, ReportsProgress):
        return _ask_blindly(host, link, standing)
    try:
        with host.open(link, keeps_reserve=True) as partner:
            pages = list(partner.pull_progress(None))
    except HostError:
        raise
    except Exception:  # a list that does not answer says nothing: nothing opens tonight
        return False
    since = instant(standing.taken_at) - AROUND
    told = {s.remote_id: s for page in pages for s in page.items if s.updated_at >= since}
    with host.store.begin() as tx:
        known = _known(tx, link)
        for remote_id, state in sorted(told.items()):
            if remote_id in known:
                _answered(host, tx, link, remote_id)
            else:
                _ask_about(host, tx, link, state)
    return not any(page.unreadable for page in pages)


def _known(tx: Connection, link: Link) -> set[str]:
    p = schema.procedure.c
    query = select(p.remote_id).where(p.company_id == link.company_id, p.connection_id == link.id)
    return set(tx.execute(query).scalars())


def _answered(host: Host, tx: Connection, link: Link, remote_id: str) -> None:
    subject, now = subject_of(remote_id), host.clock.now()
    questions.close(tx, link.company_id, UNKNOWN_PROCEDURE, subject, "retrouvée", at=now)


def subject_of(remote_id: str) -> str:
    """Name a partner's procedure as the subject of a question, whose column holds 64 characters."""
    return remote_id[:64]


def _ask_about(host: Host, tx: Connection, link: Link, state: ProcedureState) -> None:
    claimed = f" de {euros(state.claimed.minor)} {state.claimed.currency}" if state.claimed else ""
    questions.ask(
        tx,
        link.company_id,
        UNKNOWN_PROCEDURE,
        subject_of(state.remote_id),
        f"{link.connector} a une procédure{claimed} ({state.remote_id}) que la base restaurée ne "
        "connaît pas : elle a pu être ouverte après la sauvegarde. Rien n'est ouvert avant votre "
        f"réponse. Si elle est de vous : encaisse procedures adopt {state.remote_id} --mandate "
        "RÉFÉRENCE. Sinon, répondez qu'elle ne l'est pas.",
        task_id=host.ids.new("tsk"),
        at=host.clock.now(),
    )


def _ask_blindly(host: Host, link: Link, standing: Restoration) -> bool:
    """Ask a person to look at a collector that tells no procedures."""
    with host.store.begin() as tx:
        questions.ask(
            tx,
            link.company_id,
            UNKNOWN_PROCEDURE,
            subject_of(f"{link.id}:{standing.id[-12:]}"),
            f"{link.connector} ne dit pas quelles procédures il a. La base a été restaurée : "
            "vérifiez chez lui qu'aucune procédure n'a été ouverte depuis la sauvegarde, puis "
            "répondez. Rien n'est ouvert avant.",
            task_id=host.ids.new("tsk"),
            at=host.clock.now(),
        )
    return True


def declared_already(host: Host, link: Link, effect: Effect) -> Receipt | None:
    """Find a direct payment declared before the restoration under a name we no longer know.

    Two payments of two nights are one difference when they are read again, so its key is new. What
    counts is what the collector was told of the claim in all. Raises `Conflict` where it was told
    of a part: a person says which.
    """
    with host.store.begin() as tx:
        if restored.open_of(tx, effect.company_id) is None:
            return None
        counted = _declared_here(tx, effect)
    if not host.can(link, ReportsSettlements):
        raise Conflict(
            f"{link.connector} ne dit pas ce qui lui a déjà été déclaré avant la restauration : "
            "vérifiez chez lui, puis réglez cet envoi."
        )
    told = [row for row in _collected(host, link) if _is_ours(row, effect)]
    outstanding = sum(row.amount.minor for row in told) - counted
    wanted = int(effect.payload["amount"])
    if outstanding <= 0:
        return None
    if outstanding < wanted:
        raise Conflict(
            f"{link.connector} sait déjà {euros(outstanding)} sur {euros(wanted)} "
            f"{effect.payload['currency']} payés directement sur la facture "
            f"{effect.payload['invoice_number']} : déclarez-lui le reste vous-même, puis adoptez "
            "cet envoi."
        )
    return Receipt(remote_id=told[-1].remote_id, amount=told[-1].amount)


def _declared_here(tx: Connection, effect: Effect) -> int:
    """Add up the declarations of a claim we know to have landed."""
    e = schema.effect.c
    rows = tx.execute(
        select(e.payload).where(
            e.company_id == effect.company_id,
            e.kind == effect.kind,
            e.subject == effect.subject,
            e.state == "done",
        )
    ).scalars()
    said = [json.loads(row) for row in rows]
    ref = effect.payload["procedure_ref"]
    return sum(int(each["amount"]) for each in said if each["procedure_ref"] == ref)


def _collected(host: Host, link: Link) -> Sequence[CollectedPayment]:
    """Read every payment a collector knows; a list nobody could read whole proves nothing."""
    try:
        with host.open(link, keeps_reserve=True) as partner:
            pages: list[Any] = list(partner.pull_payments_collected(None))
    except (PartnerError, HostError):
        raise
    except Exception as error:
        raise Drift(f"La liste des paiements n'a pas pu être lue ({fault(error)}).") from error
    if any(page.unreadable for page in pages):
        raise Drift(f"Des paiements de {link.connector} sont illisibles.")
    return [row for page in pages for row in page.items]


def _is_ours(row: CollectedPayment, effect: Effect) -> bool:
    payload = effect.payload
    if row.received_by != "creditor" or row.procedure_ref != payload["procedure_ref"]:
        return False
    if row.state in ("rejected", "reversed"):
        return False
    if row.claim_ref:
        return row.claim_ref == str(payload["claim_id"])
    return annex_number(row.invoice_number) == annex_number(payload["invoice_number"])
