"""What can go wrong at a partner, and what the host does next.

    PartnerError
    ├── Transient        not now            host waits (`retry_after`) and tries again
    ├── OutcomeUnknown   maybe done         host looks the effect up, never resends blindly
    ├── Rejected         this item is bad   host sets the item aside, the rest goes on
    │   ├── PeriodClosed                    a person chooses another period
    │   └── Conflict     found, but differs a person decides, nothing is written
    ├── ActionNeeded     a person must act  host shows `url` and waits
    ├── Denied           access lost        connection pauses, a person reconnects
    ├── CursorLost       cursor forgotten   the snapshot starts again
    └── Drift            shape has changed  raw kept, set aside, the rest goes on

An exception that is none of these counts as `OutcomeUnknown` in a write and as `Drift` in a read:
doubt never becomes success.
"""

from __future__ import annotations

from datetime import timedelta


class PartnerError(Exception):
    """Carry one French sentence for a person and, where known, the partner's request id."""

    def __init__(self, message: str, *, request_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.request_id = request_id


class Transient(PartnerError):
    """Say that nothing was done and that a later try may work."""

    def __init__(
        self,
        message: str,
        *,
        retry_after: timedelta | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, request_id=request_id)
        self.retry_after = retry_after


class OutcomeUnknown(PartnerError):
    """Say that a write may or may not have landed: the reply was lost or made no sense."""


class Rejected(PartnerError):
    """Say that the partner refuses this item for good; `code` is the partner's own word."""

    def __init__(
        self, message: str, *, code: str | None = None, request_id: str | None = None
    ) -> None:
        super().__init__(message, request_id=request_id)
        self.code = code


class PeriodClosed(Rejected):
    """Say that the accounting period of the write is closed."""


class Conflict(Rejected):
    """Say that something stands under our key, but with other content."""


class ActionNeeded(PartnerError):
    """Say that a person must do something at `url` first."""

    def __init__(self, message: str, *, url: str, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.url = url


class Denied(PartnerError):
    """Say that the grant no longer opens the door (revoked, expired, right withdrawn)."""


class CursorLost(PartnerError):
    """Say that the partner no longer knows the cursor."""


class Drift(PartnerError):
    """Say that an answer does not have the shape the contract gives it; keep it raw."""

    def __init__(self, message: str, *, raw: str = "", request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.raw = raw
