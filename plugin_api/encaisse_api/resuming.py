"""Go on after the last change seen: whose cursor it is, and how an instant is asked for. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from encaisse_api.errors import CursorLost
from encaisse_api.source import Cursor, Since


def ours(since: Cursor | None, *, partner: str, version: int) -> Since | None:
    """Give a cursor this connector wrote; raises `CursorLost` for any other one."""
    if since is None:
        return None
    if not isinstance(since, Since) or since.version != version:
        raise CursorLost(f"{partner} : la marque de lecture n'est pas la nôtre ; tout est relu.")
    return since


def zulu(at: datetime) -> str:
    """Write an instant in UTC: ISO 8601 with `Z`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
