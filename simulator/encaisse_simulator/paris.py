"""French business dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


def paris_date(at: datetime) -> date:
    """Give the calendar day in Paris at an instant."""
    return at.astimezone(PARIS).date()


def paris_midnight(day: date) -> datetime:
    """Give the instant a day begins in Paris, in UTC."""
    return datetime.combine(day, time(), PARIS).astimezone(UTC)


def instant(at: datetime) -> str:
    """Write an instant: UTC, six decimals, `Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
