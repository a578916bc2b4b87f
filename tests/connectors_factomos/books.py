"""One company's books in the simulated Factomos, for the tests beside this file."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from encaisse_api import (
    Money,
    PaymentEntry,
    Receipt,
    ReversalEntry,
)
from encaisse_simulator.transport import SimTransport
from encaisse_simulator.world import World

NOW = datetime(2026, 4, 14, 2, 0, tzinfo=UTC)
TOKEN = "tok-essai"
SIREN = "987654324"
KEY = "enc-0000000000000000000000000a"
UNDO = "enc-0000000000000000000000000b"


@dataclass
class Books:
    """Hold one company's books, and the transport that reaches them."""

    world: World
    contact: str
    transport: SimTransport
    pids: dict[str, str] = field(default_factory=dict[str, str])

    def invoice(self, number: str, cents: int = 120_000, **said: object) -> str:
        known: dict[str, object] = {"issued": date(2026, 3, 1), "due": date(2026, 3, 31), **said}
        self.pids[number] = self.world.factomos.add_invoice(
            number,
            self.contact,
            known.pop("issued"),  # type: ignore[arg-type]
            known.pop("due"),  # type: ignore[arg-type]
            cents,
            **known,  # type: ignore[arg-type]
        )
        return self.pids[number]


def open_books(daily_calls: int = 500) -> Books:
    """Open the books of a company with one customer."""
    world = World(11, NOW)
    world.factomos.add_company(TOKEN, SIREN, "Atelier Exemple SARL", daily_calls=daily_calls)
    contact = world.factomos.add_contact(TOKEN, "Client Exemple SAS", siret="81234567600017")
    return Books(world, contact, SimTransport(world))


def payment(pid: str, cents: int = 50_000, number: str = "F-1") -> PaymentEntry:
    return PaymentEntry(
        invoice_ref=pid,
        invoice_number=number,
        amount=Money.of_minor(cents),
        paid_on=date(2026, 4, 10),
        reference=KEY,
        label="Recouvrement",
    )


def reversal(pid: str, receipt: Receipt, cents: int = 50_000) -> ReversalEntry:
    return ReversalEntry(
        invoice_ref=pid,
        invoice_number="F-1",
        payment_remote_id=receipt.remote_id,
        amount=Money.of_minor(cents),
        reversed_on=date(2026, 4, 13),
        reference=UNDO,
        label="Rejet",
    )
