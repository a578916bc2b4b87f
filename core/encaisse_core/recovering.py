"""Find again, at the partners, what was sent between a backup and its restoration.

Before a restored store thinks about money, everything it might plan is looked up under its key:
what stands there is adopted with its receipt, what does not is planned as usual. Facts come back by
the pulls, under the ids they had (`naming.py`), so that keys are the same. What no key of ours
names is compared by content: direct payments declared, procedures opened.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import Connection, func, select

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
from encaisse_core import (
    collector,
    deliver,
    journal,
    opening,
    outbox,
    portfolio,
    restored,
    settled,
    writeback,
)
from encaisse_core import tasks as questions
from encaisse_core.cents import euros
from encaisse_core.errors import HostError
from encaisse_core.faults import fault
from encaisse_core.host import Host, Link, links
from encaisse_core.numbers import annex_number
from encaisse_core.outbox import Effect
from encaisse_core.restored import UNKNOWN_PROCEDURE, Restoration
from encaisse_core.store import schema
from encaisse_core.store.engine import instant, stamp

PASSES = 4
"""A mandate found leads to its signature, that to a procedure, that to money, that to an entry."""

AGAIN = (timedelta(seconds=20), timedelta(minutes=2))
"""Waits before a collector that failed is heard again."""

AROUND = timedelta(days=1)
"""Partners' clocks may be behind ours by less than this."""

LIVE = ("active", "paused")

_FOLLOWING = ("request_mandate", "open_procedure", "record_payment", "reverse_payment", "letter")
IN_ORDER: Sequence[str] = (*_FOLLOWING, *sorted(set(outbox.LANES) - set(_FOLLOWING)))
"""Kinds as they follow from each other: a reversal is looked up by the entry it undoes."""


Understood = Literal["everything", "handed", "nothing"]
"""Of which claims the open amounts tools show can be told apart: all, those handed over, none."""


def recover(host: Host, company_id: str) -> Understood:
    """Look up whatever may have been sent; tell of which claims tools can be understood by now.

    Of none while a collector was not heard since the restoration: money it sent us, which we wrote
    into a tool, would look like the customer's own. Of those in a procedure we know while there is
    one we do not: the others may be in that. Nothing is sent here. Without an open restoration this
    is one short question to the store.
    """
    with host.store.begin() as tx:
        standing = restored.open_of(tx, company_id)
    if standing is None:
        return "everything"
    for _ in range(PASSES):
        opening.plan_openings(host, company_id)
        adopted = _look(host, company_id)
        if adopted:
            _read_collectors(host, company_id)
        with host.store.begin() as tx:
            host.store.one_at_a_time(tx, company_id)
            portfolio.follow_records(host, tx, company_id)
            settled.follow_settlements(host, tx, company_id)
        writeback.plan_write_backs(host, company_id)
        adopted += _look(host, company_id)
        if not adopted:
            break
    _note_read(host, company_id, standing)
    with host.store.begin() as tx:
        heard = all(
            _read_since(tx, link, standing)
            for link in links(tx, company_id, states=LIVE)
            if host.can(link, ReportsSettlements)
        )
        if not heard:
            return "nothing"
        return "handed" if restored.procedures_unknown(tx, company_id) else "everything"


def _look(host: Host, company_id: str) -> int:
    """Look each doubtful effect up once, and send none; return how many stand at their partner."""
    done: Counter[str] = Counter()
    seen: set[str] = set()
    e = schema.effect.c
    with host.store.begin() as tx:
        settled_ones = select(e.id).where(e.company_id == company_id, e.state != "uncertain")
        seen.update(str(one) for one in tx.execute(settled_ones).scalars())
    for kind in IN_ORDER:
        while (effect := outbox.claim_next(host, company_id, (kind,), without=seen)) is not None:
            seen.add(effect.id)
            done[deliver.deliver(host, effect, look_only=True)] += 1
    return done["done"]


def _read_collectors(host: Host, company_id: str) -> None:
    """Hear the collectors again: what was set aside is about a procedure that is known by now."""
    with host.store.begin() as tx:
        found = [link for link in links(tx, company_id) if host.can(link, ReportsProgress)]
    for pause in (*AGAIN, None):
        found = [link for link in found if collector.pull_collector(host, link) is not None]
        if not found or pause is None:
            return
        host.clock.sleep(pause.total_seconds())


def _note_read(host: Host, company_id: str, standing: Restoration) -> None:
    """Note that every partner was read since, and that procedures are known or asked about."""
    with host.store.begin() as tx:
        found = links(tx, company_id, states=LIVE)
        unread = [link for link in found if not _read_since(tx, link, standing)]
    looked = [_compare_procedures(host, link, standing) for link in found]
    if unread or not all(looked) or standing.read_at is not None:
        return
    r = schema.restoration.c
    now = host.clock.now()
    with host.store.begin() as tx:
        tx.execute(
            schema.restoration.update()
            .where(r.company_id == company_id, r.id == standing.id)
            .values(read_at=stamp(now))
        )
        journal.append(tx, company_id, now, "restored_and_read", standing.id, {})


def _read_since(tx: Connection, link: Link, standing: Restoration) -> bool:
    c = schema.connection.c
    row = tx.execute(
        select(c.pulled_at, c.failed_at).where(c.company_id == link.company_id, c.id == link.id)
    ).one()
    return row.failed_at is None and (row.pulled_at or "") >= standing.restored_at


def _compare_procedures(host: Host, link: Link, standing: Restoration) -> bool:
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


def close_if_over(host: Host, company_id: str) -> bool:
    """Close a restoration once everything was read again and nothing is in doubt."""
    now = host.clock.now()
    with host.store.begin() as tx:
        standing = restored.open_of(tx, company_id)
        if standing is None or standing.read_at is None:
            return False
        if restored.why_not_open(tx, company_id) is not None or _in_doubt(tx, company_id):
            return False
        r = schema.restoration.c
        tx.execute(
            schema.restoration.update()
            .where(r.company_id == company_id, r.id == standing.id)
            .values(closed_at=stamp(now))
        )
        journal.append(tx, company_id, now, "restoration_closed", standing.id, {})
    return True


def _in_doubt(tx: Connection, company_id: str) -> bool:
    """Tell whether an effect or a row nobody could read may still hide what was sent."""
    e, u, c = schema.effect.c, schema.unreadable.c, schema.connection.c
    effects = select(func.count()).where(
        e.company_id == company_id, e.state.in_(restored.NOT_CLOSED), e.attempts == 0
    )
    doubtful = select(func.count()).where(
        e.company_id == company_id, e.state.in_(("sending", "uncertain"))
    )
    unread = select(func.count()).where(
        u.company_id == company_id,
        u.stream != "invoices",
        u.connection_id.in_(select(c.id).where(c.company_id == company_id, c.state.in_(LIVE))),
    )
    return any(bool(tx.execute(query).scalar_one()) for query in (effects, doubtful, unread))
