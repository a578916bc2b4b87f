"""Companies in the simulated Libeo, for the tests beside this file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from encaisse_api import Cursor, Page, SourceInvoice
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


def open_books(daily_calls: int = 1000) -> Books:
    """Open the account of one company."""
    world = World(11, NOW)
    world.libeo.add_company(
        KEY, SIRET, "Atelier Exemple SARL", daily_calls=daily_calls, webhook_secret="whsec"
    )
    return Books(world, SimTransport(world))


def last_cursor(pages: list[Page[SourceInvoice]]) -> Cursor | None:
    """Give where the next pass goes on, as the host keeps it."""
    kept: Cursor | None = None
    for page in pages:
        kept = page.cursor or kept
    return kept
