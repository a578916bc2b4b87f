"""One dossier in the simulated MyUnisoft, for the tests beside this file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import httpx
from tests.lent import drawn, lent

from encaisse_api import (
    Absent,
    Money,
    PaymentEntry,
    Receipt,
    ReversalEntry,
    SourceInvoice,
)
from encaisse_myunisoft.connector import MyUnisoftConnector
from encaisse_simulator.myunisoft import Bookkeeping
from encaisse_simulator.transport import SimTransport
from encaisse_simulator.world import World

NOW = datetime(2026, 4, 14, 2, 0, tzinfo=UTC)
SECRET = "encaisse-essai"
SIREN = "987654324"
CUSTOMER = "812345676"
F1 = "411CLIENT0/2026/F1"
"""Name of the one invoice of the tests that write."""
DIRECT = {"mode": "direct"}
KEY = "enc-0000000000000000000000000a"
OURS = f"GCO-{KEY}"
UNDO = "enc-0000000000000000000000000b"
SETTINGS = {"counterpart": "4671000000"}
Y2025 = (date(2025, 1, 1), date(2025, 12, 31))
Y2026 = (date(2026, 1, 1), date(2026, 12, 31))


@dataclass
class Office:
    """Hold one dossier, and whoever speaks for it."""

    world: World
    books: Bookkeeping
    token: str
    customer: str
    settings: dict[str, str] = field(default_factory=lambda: dict(SETTINGS))
    account: str | None = None
    opened: list[httpx.Client] = field(default_factory=list[httpx.Client])

    def connector(
        self, transport: httpx.BaseTransport | None = None, **settings: str
    ) -> MyUnisoftConnector:
        """Build the connector at this instant, as the host does for one unit of work."""
        client = httpx.Client(
            transport=transport or SimTransport(self.world),
            headers={"Authorization": f"Bearer {self.token}", "X-Third-Party-Secret": SECRET},
        )
        self.opened.append(client)
        now = self.world.now
        return MyUnisoftConnector(
            lent(client, now, {**self.settings, **settings}, account=self.account)
        )

    def invoice(self, number: str, cents: int = 120_000, **said: object) -> str:
        """Book an invoice of one échéance; give the name the connector calls it by."""
        issued = said.pop("issued", date(2026, 2, 2))
        due = said.pop("due", date(2026, 3, 4))
        customer = str(said.pop("customer", self.customer))
        assert isinstance(issued, date)
        self.books.issue(number, customer, issued, (due, cents), **said)  # type: ignore[arg-type]
        return f"{customer}/{issued.year}/{number}"

    def pulled(self, **settings: str) -> dict[str, SourceInvoice]:
        """Pull everything; give the items by name."""
        pages, error = drawn(self.connector(**settings))
        if error is not None:
            raise error
        assert [page.end for page in pages] == [False] * (len(pages) - 1) + [True]
        assert [row for page in pages for row in page.unreadable] == []
        return {item.ref: item for page in pages for item in page.items}

    def told(self) -> dict[str, tuple[str, str, int]]:
        """Give kind, state and open cents of everything that is pulled."""
        return {
            ref: (item.kind, item.state, item.open.minor) for ref, item in self.pulled().items()
        }

    def read(self, ref: str) -> SourceInvoice:
        """Read one item again."""
        (answer,) = self.connector().read_invoices([ref])
        assert isinstance(answer, SourceInvoice), answer
        return answer


@contextmanager
def opened(
    *,
    lettering: str = "MONO",
    years: tuple[tuple[date, date], ...] = (Y2025, Y2026),
    now: datetime = NOW,
    key: str = "society",
) -> Iterator[Office]:
    """Open a dossier with one customer."""
    world = World(11, now)
    tool = world.myunisoft
    tool.register_partner(SECRET)
    firm = tool.add_firm("Cabinet Exemple", "81234567600017")
    books = tool.add_dossier(
        firm,
        "Atelier Exemple SARL",
        SIREN,
        years,
        lettering=lettering,  # type: ignore[arg-type]
    )
    token = tool.firm_key(firm) if key == "firm" else tool.society_key(books.society_id)
    customer = books.add_customer("Client Exemple SAS", number="411CLIENT0", siren=CUSTOMER)
    made = Office(world, books, token, customer)
    if key == "firm":
        made.account = str(books.society_id)
    yield made
    for client in made.opened:
        client.close()


def payment(
    ref: str, cents: int = 50_000, *, key: str = KEY, on: date = date(2026, 4, 10)
) -> PaymentEntry:
    return PaymentEntry(
        invoice_ref=ref,
        invoice_number=ref.split("/", 2)[2],
        amount=Money.of_minor(cents),
        paid_on=on,
        reference=key,
        label=f"Recouvrement facture {ref.split('/', 2)[2]}",
    )


def reversal(ref: str, remote_id: str, cents: int = 50_000, *, key: str = UNDO) -> ReversalEntry:
    return ReversalEntry(
        invoice_ref=ref,
        invoice_number=ref.split("/", 2)[2],
        payment_remote_id=remote_id,
        amount=Money.of_minor(cents),
        reversed_on=date(2026, 4, 13),
        reference=key,
        label="Rejet de paiement",
    )


def named(rows: Mapping[str, object]) -> list[str]:
    return sorted(rows)


def paid(office: Office, cents: int = 50_000, **settings: str) -> Receipt:
    return office.connector(**settings).record_payment(KEY, payment(F1, cents))


def found(office: Office, cents: int = 50_000) -> Receipt | Absent:
    return office.connector().find_payment(KEY, payment(F1, cents))


def landed(office: Office) -> int:
    """Count the entries that stand under our id, validated or not."""
    return len(office.books._dossier.by_partner_id(OURS))
