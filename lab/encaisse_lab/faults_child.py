"""Run the real daemon with short leases: the child of the harness that kills and freezes it.

Only this child reads `ENCAISSE_LAB_LEASE`; the host's own leases are constants. A lease must stay
longer than what is done under it, so that shortening it changes when things happen, not whether.
"""

from __future__ import annotations

import os
from datetime import timedelta

LEASE = "ENCAISSE_LAB_LEASE"
"""Seconds an effect is leased for."""


def shorten(seconds: float) -> None:
    """Shorten the host's leases and waits in this process."""
    from encaisse_core import deliver, grants, nightly, outbox

    outbox.LEASE = timedelta(seconds=seconds)
    grants.LEASE = timedelta(seconds=seconds)
    deliver.LAST_START = timedelta(seconds=seconds / 3)
    deliver.BACKOFF = (
        timedelta(seconds=0.2),
        timedelta(seconds=1),
        timedelta(seconds=2),
        timedelta(hours=2),
    )
    nightly.PULL_AGAIN = (timedelta(seconds=0.2), timedelta(seconds=1))


if __name__ == "__main__":
    from encaisse_core.cli.start import watch

    shorten(float(os.environ[LEASE]))
    watch()
