"""How many examples a property is tried on: few by default, as many times more as is asked."""

from __future__ import annotations

import os

TIMES = int(os.environ.get("ENCAISSE_TIMES", "1"))


def examples(usual: int) -> int:
    """Give the number of examples; `ENCAISSE_TIMES=10` asks for ten times the usual ones."""
    return usual * TIMES
