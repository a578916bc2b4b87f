"""Drain the outbox: idempotent and fenced, so that any trigger may call it, anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from encaisse_core import deliver, outbox
from encaisse_core.host import Host
from encaisse_core.lending import Desk

PATIENCE = timedelta(minutes=20)
"""How long a drain waits for an effect that is to be tried again soon."""

MOST_TRIES = 8
"""Tries of one effect within one drain; after that it waits for the next night."""


@dataclass
class Drained:
    """Count what a drain did, by outcome."""

    outcomes: Counter[str] = field(default_factory=Counter[str])


def drain(
    host: Host,
    company_id: str,
    kinds: tuple[str, ...] = tuple(outbox.LANES),
    *,
    patience: timedelta = PATIENCE,
    stop_asked: Callable[[], bool] = lambda: False,
) -> Drained:
    """Deliver every ready effect of these kinds, waiting a little for those to be tried again.

    One that waits for its facts is left alone: nothing in here changes them. `stop_asked` is looked
    at between two effects.
    """
    host = host.of(company_id)
    with host.store.kept(), Desk(host) as desk:
        return _drained(host, company_id, kinds, patience, stop_asked, desk)


def _drained(
    host: Host,
    company_id: str,
    kinds: tuple[str, ...],
    patience: timedelta,
    stop_asked: Callable[[], bool],
    desk: Desk,
) -> Drained:
    done = Drained()
    tries: Counter[str] = Counter()
    waiting: set[str] = set()
    end = host.clock.monotonic() + patience.total_seconds()
    while not stop_asked():
        effect = outbox.claim_next(host, company_id, kinds, without=waiting, looks=desk.looks)
        if effect is not None:
            tries[effect.id] += 1
            outcome = deliver.deliver(host, effect, desk=desk)
            done.outcomes[outcome] += 1
            if outcome == "waiting" or tries[effect.id] >= MOST_TRIES:
                waiting.add(effect.id)
            continue
        left = outbox.wait_for_next(host, company_id, kinds, without=waiting)
        if left is None:
            break
        wait = max(0.05, left.total_seconds())
        if host.clock.monotonic() + wait > end:
            break
        host.clock.sleep(wait)
    return done
