"""Carry one effect out: look it up, make sure we still hold it, send it, keep the proof.

The order is the promise. What may have landed is looked up before it is sent again; the fence is
checked between the look-up and the send; a lost reply leaves the effect `uncertain`, never `done`
and never forgotten; an equal effect found there is adopted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection

from encaisse_api import (
    Absent,
    ActionNeeded,
    Conflict,
    Denied,
    OutcomeUnknown,
    PartnerError,
    Rejected,
    Transient,
)
from encaisse_core import (
    books_entries,
    chaos,
    lettering,
    opening,
    outbox,
    replanning,
    stopping,
    tasks,
)
from encaisse_core.errors import HostError
from encaisse_core.faults import fault
from encaisse_core.host import Host, Link
from encaisse_core.ingest import note_result
from encaisse_core.kinds import Kind, Never, NotNow, Waits
from encaisse_core.lending import Desk
from encaisse_core.outbox import Effect

BACKOFF = (timedelta(seconds=20), timedelta(minutes=1), timedelta(minutes=4), timedelta(hours=2))
"""Waits before the next attempts; the last one is for tomorrow's night."""

LAST_START = timedelta(seconds=100)
"""No request starts this close to the lease's end: the longest one would outlive it."""

TOO_LONG = "Les vérifications ont pris trop de temps : rien n'a été envoyé."

MOST_ATTEMPTS = 40
"""After so many attempts over many nights a person looks at the effect."""


@dataclass
class _Try:
    host: Host
    link: Link
    effect: Effect
    kind: Kind
    desk: Desk
    look_only: bool = False
    sent: BaseModel | None = None
    """What a look-up is told of what was sent; None as long as nothing was."""


@cache
def kinds() -> Mapping[str, Kind]:
    """Name every kind of effect and the code that carries it out."""
    return {
        "record_payment": books_entries.RecordPayment(),
        "reverse_payment": books_entries.ReversePayment(),
        "letter": lettering.Letter(),
        "request_mandate": opening.RequestMandate(),
        "open_procedure": opening.OpenProcedure(),
        "declare_direct_payment": stopping.DeclareDirectPayment(),
        "withdraw": stopping.Withdraw(),
        "pause": stopping.PauseProcedure(),
        "amend": stopping.Amend(),
    }


def deliver(
    host: Host, effect: Effect, *, look_only: bool = False, desk: Desk | None = None
) -> str:
    """Try an effect once and return the state it is left in, or `waiting` for its facts.

    With `look_only` nothing is sent: one that does not stand at its partner is planned as usual.
    Whoever has many passes the `desk` that lends to each.
    """
    if desk is None:
        with Desk(host) as own:
            return deliver(host, effect, look_only=look_only, desk=own)
    where = desk.link(effect.company_id, effect.connection_id)
    attempt = _Try(host, where, effect, kinds()[effect.kind], desk, look_only)
    outcome = _outcome(attempt)
    if outcome == "lost" and attempt.sent is not None:
        _look_for_a_double(attempt, attempt.sent)
    return outcome


def _outcome(attempt: _Try) -> str:
    """Try once and write the outcome down; `lost` where another worker holds the effect by now."""
    host, where, effect = attempt.host, attempt.link, attempt.effect
    idle = _idle(host, where)
    if idle is not None:
        return _close(attempt, effect.state, reason=idle, retry_in=BACKOFF[-1])
    if effect.attempts > MOST_ATTEMPTS:
        return _ask(
            attempt,
            "parked",
            "too_many_attempts",
            "Après de nombreux essais, cet envoi reste sans réponse sûre.",
        )
    try:
        return _attempt(attempt)
    except Waits as wait:
        left = _close(
            attempt,
            "planned",
            reason=wait.reason,
            retry_in=wait.retry_in,
            tried=False,
            asked=wait.asked,
        )
        return left if wait.soon else "waiting"
    except NotNow as wait:
        _close(attempt, effect.state, reason=wait.reason, retry_in=wait.retry_in)
        return "waiting"
    except Never as gone:
        return _close(attempt, "refused", reason=gone.reason)
    except OutcomeUnknown as error:
        return _unknown(attempt, error)
    except Transient as error:
        return _close(
            attempt,
            effect.state,
            reason=error.message,
            retry_in=error.retry_after or _backoff(effect),
        )
    except Conflict as error:
        wrong = attempt.kind.outdated(host, where, effect)
        if attempt.kind.yields and wrong is None:
            return _close(attempt, "refused", reason=error.message)
        return _ask(attempt, "parked", "conflict", " ".join(filter(None, (error.message, wrong))))
    except Rejected as error:
        return _ask(attempt, "refused", "refused", error.message)
    except ActionNeeded as error:
        return _ask(attempt, "parked", "action", f"{error.message} {error.url}")
    except Denied as error:
        note_result(host, where, error)
        return _close(attempt, effect.state, reason=error.message, retry_in=BACKOFF[-1])
    except PartnerError as error:
        return _unknown(attempt, OutcomeUnknown(error.message))
    except HostError:
        raise
    except Exception as error:  # a fault of ours or of a connector costs its own effect only
        return _ask(attempt, "parked", "fault", f"L'envoi n'a pas pu être traité ({fault(error)}).")


def _idle(host: Host, where: Link) -> str | None:
    """Say why a connection cannot carry anything out now; None when it can."""
    if where.state != "active":
        return f"La connexion à {where.connector} est en pause."
    try:
        host.manifest(where)
    except KeyError:
        return f"Le connecteur {where.connector} n'est plus installé."
    return None


def _attempt(attempt: _Try) -> str:
    host, effect, kind = attempt.host, attempt.effect, attempt.kind
    arguments = kind.build(host, attempt.link, effect)
    write = host.manifest(attempt.link).writes.get(kind.send)
    if write is None:
        sentence = f"{attempt.link.connector} ne sait pas faire « {kind.send} »."
        return _ask(attempt, "parked", "unsupported", sentence)
    until = effect.lease.until
    with attempt.desk.open(attempt.link, until - LAST_START) as partner:
        find: Callable[..., Any] = getattr(partner, kind.find)
        doubtful = effect.state == "uncertain" or effect.attempts > 1
        if write.guarantee == "lookup" or (write.guarantee == "key" and doubtful):
            found = _search(attempt, find, arguments[0])
            if not isinstance(found, Absent):
                return _landed(attempt, partner, kind.whole(effect, found), adopted=True)
            stands = kind.otherwise(host, attempt.link, effect)
            if stands is not None:
                return _landed(attempt, partner, stands, adopted=True)
        elif write.guarantee == "none" and doubtful:
            return _ask(
                attempt,
                "parked",
                "uncertain",
                "Ce partenaire ne permet pas de vérifier si l'envoi est arrivé.",
            )
        if attempt.look_only:
            return _close(attempt, "planned", reason="Vérifié : cet envoi n'est pas arrivé.")
        instead = kind.ready(host, attempt.link, effect, arguments[0])
        if instead is not None:
            effect = attempt.effect = replace(effect, payload=instead)
            arguments = kind.build(host, attempt.link, effect)
        if effect.lease.until == until:
            return _carried_out(attempt, partner, arguments)
    with attempt.desk.open(attempt.link, effect.lease.until - LAST_START) as partner:
        return _carried_out(attempt, partner, arguments)  # renewed meanwhile: time enough again


def _carried_out(attempt: _Try, partner: Any, arguments: tuple[BaseModel, ...]) -> str:
    """Send what is still ours to send; what took too long gives its lease back and waits."""
    host, effect, kind = attempt.host, attempt.effect, attempt.kind
    if not outbox.holds(host, effect):
        return _close(attempt, effect.state, reason=TOO_LONG, retry_in=_backoff(effect))
    receipt = _send(attempt, partner, arguments)
    if host.manifest(attempt.link).writes[kind.send].guarantee == "lookup":
        _look_again(attempt, getattr(partner, kind.find), arguments[0])
    return _landed(attempt, partner, kind.whole(effect, receipt))


def _search(attempt: _Try, find: Callable[..., Any], argument: BaseModel) -> Any:
    """Look an effect up; a doubt in a look-up is a reason to wait, never to send.

    A look-up that is refused says nothing about the write: taking it for a refused write would
    free claims that may already be worked on there.
    """
    try:
        with chaos.during(f"{attempt.effect.kind}.find"):
            found = find(attempt.effect.key, argument)
    except Conflict:
        stands = attempt.kind.otherwise(attempt.host, attempt.link, attempt.effect)
        if stands is None:
            raise
        return stands
    except (Transient, ActionNeeded, Denied):
        raise
    except HostError:
        raise
    except Exception as error:
        raise Transient(f"La vérification n'a pas abouti : {fault(error)}") from error
    if not isinstance(found, (Absent, attempt.kind.answers)):
        raise Transient(f"La vérification n'a pas abouti : {type(found).__name__} reçu.")
    return found


def _send(attempt: _Try, partner: Any, arguments: tuple[BaseModel, ...]) -> Any:
    """Send once. Whatever a connector raises that is no word of the contract, is a doubt."""
    try:
        attempt.sent = arguments[0]
        with chaos.during(f"{attempt.effect.kind}.send"):
            return getattr(partner, attempt.kind.send)(attempt.effect.key, *arguments)
    except (PartnerError, HostError):
        raise
    except Exception as error:
        raise OutcomeUnknown(f"Le connecteur a échoué pendant l'envoi : {fault(error)}") from error


def _look_again(attempt: _Try, find: Callable[..., Any], argument: BaseModel) -> None:
    """Look once more after a send: a frozen worker's double is found, shown, never hidden."""
    try:
        with chaos.during(f"{attempt.effect.kind}.look_again"):
            find(attempt.effect.key, argument)
    except Conflict as error:
        with attempt.host.store.begin() as tx:
            _task(attempt, tx, "double", error.message)
    except HostError:
        raise
    except Exception:
        return  # the send itself was answered; tonight's reconciliation will look again


def _look_for_a_double(attempt: _Try, argument: BaseModel) -> None:
    """Look once more after a send that came too late: who took over may have sent as well.

    The client of the attempt is past its time, so another is lent. A partner that keeps keys keeps
    one; of one that can be asked nothing a person was told already.
    """
    host, kind = attempt.host, attempt.kind
    if host.manifest(attempt.link).writes[kind.send].guarantee != "lookup":
        return
    try:
        with host.open(attempt.link, longest=outbox.LEASE - LAST_START) as partner:
            _look_again(attempt, getattr(partner, kind.find), argument)
    except PartnerError:
        return  # tonight's reconciliation compares what stands there with what is expected


def _landed(attempt: _Try, partner: Any, receipt: Any, *, adopted: bool = False) -> str:
    """Record a success with what was read after it.

    Of a write that was made earlier nobody knows whether the record we hold was read before it or
    after: it is recorded once that is read again.
    """
    host, effect = attempt.host, attempt.effect
    seen = _look(attempt, partner)
    if adopted and seen is None and attempt.kind.reads_back:
        reason = "Cet envoi est arrivé ; il est noté dès que la facture a pu être relue."
        return _close(attempt, "uncertain", reason=reason, retry_in=_backoff(effect))
    with host.store.begin(f"{effect.kind}.done") as tx:
        held = outbox.finish(
            host,
            tx,
            effect,
            "done",
            remote_id=str(receipt.remote_id),
            receipt=receipt.model_dump(mode="json"),
            says=attempt.kind.says(host, effect),
        )
        if not held:
            return "lost"
        attempt.kind.landed(host, tx, attempt.link, effect, receipt, seen)
    return "done"


def _look(attempt: _Try, partner: Any) -> Any:
    """Read what the write changed; what cannot be read now is read by tonight's pull."""
    try:
        with chaos.during(f"{attempt.effect.kind}.look"):
            return attempt.kind.look(attempt.host, attempt.link, partner, attempt.effect)
    except HostError:
        raise
    except Exception:
        return None


def _unknown(attempt: _Try, error: PartnerError) -> str:
    write = attempt.host.manifest(attempt.link).writes[attempt.kind.send]
    if write.guarantee == "none":
        return _ask(attempt, "parked", "uncertain", error.message)
    wait = max(_backoff(attempt.effect), write.visible_after)
    return _close(attempt, "uncertain", reason=error.message, retry_in=wait)


def _ask(attempt: _Try, state: str, kind: str, sentence: str) -> str:
    host, effect = attempt.host, attempt.effect
    with host.store.begin("outbox.ask") as tx:
        if not outbox.finish(host, tx, effect, state, reason=sentence):
            return "lost"
        _task(attempt, tx, kind, f"{sentence} Voir : encaisse effects.", again=True)
        if state == "refused":
            attempt.kind.failed(host, tx, attempt.link, effect)
    return state


def _task(attempt: _Try, tx: Connection, kind: str, sentence: str, *, again: bool = False) -> None:
    """Ask a person; `again` though it was answered: what was tried since came to the same."""
    tasks.ask(
        tx,
        attempt.effect.company_id,
        kind,
        attempt.effect.id,
        sentence,
        task_id=attempt.host.ids.new("tsk"),
        at=attempt.host.clock.now(),
        again=again,
    )


def _close(
    attempt: _Try,
    state: str,
    *,
    reason: str,
    retry_in: timedelta | None = None,
    tried: bool = True,
    asked: str | None = None,
) -> str:
    """Put an effect off, or close it; at once again where what it waits for was answered by now."""
    with attempt.host.store.begin("outbox.postpone") as tx:
        company_id = attempt.effect.company_id
        if asked is not None:
            attempt.host.store.one_at_a_time(tx, company_id)
            if "maybe_same" not in tasks.open_on(tx, company_id, asked):
                retry_in = None
        held = outbox.finish(
            attempt.host, tx, attempt.effect, state, reason=reason, retry_in=retry_in
        )
        if held and not tried:
            replanning.uncount(tx, attempt.effect)
        if held and state == "refused":
            attempt.kind.failed(attempt.host, tx, attempt.link, attempt.effect)
    return state if held else "lost"


def _backoff(effect: Effect) -> timedelta:
    return BACKOFF[min(effect.attempts - 1, len(BACKOFF) - 1)]
