"""Run the real daemon with short leases and quick partners: the child that is killed and frozen.

Only this child reads `ENCAISSE_LAB_LEASE`; the host's own leases are constants. A lease must stay
longer than what is done under it, so that shortening it changes when things happen, not whether.
"""

from __future__ import annotations

import os
from datetime import timedelta

LEASE = "ENCAISSE_LAB_LEASE"
"""Seconds an effect is leased for."""

QUICK = 20
"""How much faster partners let this child call: their quotas are proven elsewhere, and waiting for
them would make a night of small payments last minutes."""


def shorten(seconds: float) -> None:
    """Shorten the host's leases and waits in this process."""
    from encaisse_core import deliver, grants, nightly, outbox, stopping
    from encaisse_core.hooks import deliveries
    from encaisse_core.http import quotas

    def interval(bucket: quotas.Bucket) -> timedelta:
        return -(bucket.quota.period // -(QUICK * (bucket.quota.limit - bucket.burst + 1)))

    for name, quick in {"interval": interval}.items():
        setattr(quotas.Bucket, name, property(quick))
    outbox.LEASE = timedelta(seconds=seconds)
    grants.LEASE = timedelta(seconds=seconds)
    deliver.LAST_START = timedelta(seconds=seconds / 3)
    deliver.BACKOFF = (
        timedelta(seconds=0.2),
        timedelta(seconds=1),
        timedelta(seconds=2),
        timedelta(hours=2),
    )
    stopping.HEARD_AGAIN = timedelta(seconds=seconds / 3)
    deliveries.APART = timedelta(seconds=0.3)
    deliveries.BACKOFF = (timedelta(seconds=0.5), *deliveries.BACKOFF[:3])
    nightly.PULL_AGAIN = (timedelta(seconds=0.2), timedelta(seconds=1))


if __name__ == "__main__":
    from encaisse_core.cli.start import watch

    shorten(float(os.environ[LEASE]))
    watch()
