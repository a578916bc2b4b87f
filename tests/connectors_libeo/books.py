"""Companies in the simulated Libeo, for the tests beside this file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from encaisse_api import Cursor, Page, PartnerError, SourceInvoice
from encaisse_libeo.connector import LibeoConnector
from encaisse_simulator.transport import SimTransport
from encaisse_simulator.world import World

NOW = datetime(2026, 4, 14, 2, 0, tzinfo=UTC)
KEY = "cle-essai"
SIRET, SIREN = "98765432400019", "987654324"
BUYER = "812345676"
ISSUED, DUE = date(2026, 3, 1), date(2026, 3, 31)


@dataclass
class Books:
    """Hold one company's invoices, and the transport that reaches them."""

    world: World
    transport: SimTransport

    def sale(self, number: str, cents: int = 120_000, **said: str) -> str:
        """Enter an invoice the company sent."""
        return self.world.libeo.add_receivable(
            KEY, number, "Fournil Exemple SAS", BUYER, ISSUED, DUE, cents, **said
        )

    def purchase(self, number: str, cents: int = 50_000, **said: str) -> str:
        """Enter an invoice the company received."""
        return self.world.libeo.add_payable(
            KEY, number, "Scierie Exemple SA", "999100019", ISSUED, DUE, cents, **said
        )


def open_books() -> Books:
    """Open the account of one company."""
    world = World(11, NOW)
    world.libeo.add_company(KEY, SIRET, "Atelier Exemple SARL", webhook_secret="whsec")
    return Books(world, SimTransport(world))


def drawn(
    connector: LibeoConnector, since: Cursor | None = None
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


def last_cursor(pages: list[Page[SourceInvoice]]) -> Cursor | None:
    """Give where the next pass goes on, as the host keeps it."""
    kept: Cursor | None = None
    for page in pages:
        kept = page.cursor or kept
    return kept
