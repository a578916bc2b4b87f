"""Drain the outbox: idempotent and fenced, so that any trigger may call it, anywhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from encaisse_core import deliver, outbox
from encaisse_core.host import Host

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
) -> Drained:
    """Deliver every ready effect of these kinds, waiting a little for those to be tried again."""
    done = Drained()
    tries: Counter[str] = Counter()
    end = host.clock.monotonic() + patience.total_seconds()
    while True:
        effect = outbox.claim_next(host, company_id, kinds)
        if effect is not None:
            tries[effect.id] += 1
            done.outcomes[deliver.deliver(host, effect)] += 1
            if tries[effect.id] >= MOST_TRIES:
                end = host.clock.monotonic()
            continue
        ready = outbox.next_ready(host, company_id, kinds)
        with host.store.begin() as tx:
            now = host.store.db_now(tx)
        if ready is None:
            return done
        wait = max(0.05, (ready - now).total_seconds())
        if host.clock.monotonic() + wait > end:
            return done
        host.clock.sleep(wait)
