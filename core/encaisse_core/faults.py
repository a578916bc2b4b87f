"""Name an unexpected fault without repeating what it quotes: messages of exceptions carry data."""

from __future__ import annotations

import traceback
from pathlib import Path

from encaisse_api import PartnerError


def fault(error: BaseException) -> str:
    """Say what kind of fault it was and where; a partner's own sentence is kept as it is."""
    if isinstance(error, PartnerError):
        return error.message
    frames = traceback.extract_tb(error.__traceback__)
    where = f", {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
