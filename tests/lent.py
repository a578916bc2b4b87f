"""Lend a connector its world in a test, as the host does for one unit of work, and draw a pull."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import httpx

from encaisse_api import Context, Cursor, Page, PartnerError, PullsInvoices, SourceInvoice


def lent(
    http: httpx.Client,
    now: datetime,
    settings: Mapping[str, str],
    *,
    account: str | None = None,
) -> Context:
    """Lend a client, settings and an instant, with ten minutes to do something."""
    return Context(
        http=http,
        settings=settings,
        account=account,
        today=now.astimezone(ZoneInfo("Europe/Paris")).date(),
        now=now,
        log=logging.getLogger("tests.connectors"),
        deadline=now + timedelta(minutes=10),
    )


def drawn(
    connector: PullsInvoices, since: Cursor | None = None
) -> tuple[list[Page[SourceInvoice]], PartnerError | None]:
    """Draw a pull as far as it goes."""
    pages: list[Page[SourceInvoice]] = []
    try:
        for page in connector.pull_invoices(since):
            pages.append(page)
    except PartnerError as error:
        return pages, error
    return pages, None


def items(pages: list[Page[SourceInvoice]]) -> dict[str, SourceInvoice]:
    """List what was read, by number; the last word on each counts."""
    return {item.number: item for page in pages for item in page.items}
