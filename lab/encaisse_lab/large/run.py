"""Live through the year of a company with thousands of invoices in five tools, and a collector.

The real host on SQLite and the real connectors; the simulated partners in process, or for one more
night over HTTP on the loopback.
"""

from __future__ import annotations

import tempfile
import time as machine
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random

import httpx
from sqlalchemy import select

from encaisse_api import PartnerError, RecordsPayments
from encaisse_core import connecting, journal, nightly, referrers, routing
from encaisse_core.app import App, open_app
from encaisse_core.clock import PARIS, SeededIds, VirtualClock
from encaisse_core.nightly import Night
from encaisse_core.store import schema
from encaisse_lab import year_company
from encaisse_lab.invented import Party, with_key
from encaisse_lab.large import trouble
from encaisse_lab.large.bills import BOOKS, Tool
from encaisse_lab.large.people import ANSWERED_AFTER, QUIET, People
from encaisse_lab.large.tools import Desk, Desks, FactomosDesk, FolderDesk, LibeoDesk, MyUnisoftDesk
from encaisse_lab.large.trouble import SlowWorld
from encaisse_lab.partners import HOSTS
from encaisse_simulator.factomos.legacy import HOST as LEGACY_HOST
from encaisse_simulator.myunisoft import Bookkeeping
from encaisse_simulator.server import serve
from encaisse_simulator.transport import SimTransport

SIREN = "987654324"
SELLER = Party(
    "Atelier Exemple SARL", "company", SIREN, "4 rue des Tilleuls", "69003", "Lyon", "FR",
    "compta@atelier.example.org",
)  # fmt: skip

TOKEN, OLD_TOKEN, OLD_SECRET = "jeton-de-l-annee", "ancien-jeton", "secret-seize-oct"
LIBEO_KEY, CLIENT, SECRET = "cle-de-l-annee", "annee", "secret-de-l-annee"
PARTNER_SECRET = "secret-partenaire"
FUNDS = "4671000000"
RATE_PPM = 200_000
"""The editor's share of the fee, in parts per million."""

START = date(2026, 7, 1)
"""The first evening: a year from here has both changes of the hour, and two exercices."""

FIRST_YEAR, SECOND_YEAR = ((date(y, 1, 1), date(y, 12, 31)) for y in (2026, 2027))
OPENS, CARRIES, CLOSES = date(2026, 12, 7), date(2027, 1, 11), date(2027, 3, 31)
"""When the accountant opens the second exercice, carries the first forward, and closes it."""

MORNING, EVENING, NIGHTLY_AT = time(6, 0), time(18, 30), time(4, 10)

Tell = Callable[[str], None]


@dataclass
class Large:
    """Hold the company's year: host, partners, people, and what each night did."""

    seed: int
    invoices: int
    planned: int
    home: Path
    world: SlowWorld
    clock: VirtualClock
    app: App
    company_id: str
    books: Bookkeeping
    people: People
    folder: Path
    nights: list[Night] = field(default_factory=list[Night])
    begun: list[datetime] = field(default_factory=list[datetime])
    ended: list[datetime] = field(default_factory=list[datetime])
    seconds: list[float] = field(default_factory=list[float])
    """What each night cost in processor time, days included."""
    stock: list[int] = field(default_factory=list[int])
    anchor: str | None = None
    hands_over: bool = False
    """Whether what is late waits to be handed over: from Monday on, until the collector quoted."""
    answered: Counter[str] = field(default_factory=Counter[str])
    """How many questions of each kind the company answered."""

    @property
    def tools(self) -> dict[str, Tool | str]:
        """Give the tool of each connection."""
        c = schema.connection.c
        with self.app.host.store.begin() as tx:
            rows = tx.execute(select(c.id, c.connector).where(c.company_id == self.company_id))
            return {row.id: row.connector for row in rows}


@contextmanager
def run(seed: int, invoices: int, nights: int, tell: Tell = lambda _: None) -> Generator[Large]:
    """Live through the nights; what is yielded can be lived on with, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="encaisse-grande-annee-") as place:
        year = begin(seed, invoices, nights, Path(place))
        try:
            trouble.begin(year.world)
            for number in range(1, nights + 1):
                started = machine.process_time()
                live(year, number)
                year.seconds.append(machine.process_time() - started)
                if number % 30 == 0 or number == nights:
                    tell(f"Nuit {number} sur {nights} ({sum(year.seconds[-30:]):.0f} s)")
            yield year
        finally:
            year.app.close()


def live(year: Large, number: int) -> None:
    """Live through one day and the night after it; the last nights are calm."""
    _day(year, number - 1)
    if number > year.planned - QUIET + 1:
        year.world.faults.clear()
    until(year.clock, START + timedelta(days=number), NIGHTLY_AT)
    year.begun.append(year.clock.now())
    night(year)
    if number == 1:
        year.anchor = head(year)


def night(year: Large) -> None:
    """Run one night of the host."""
    year.nights.append(nightly.run_night(year.app.host, year.company_id, year.app.signer))
    year.ended.append(year.clock.now())
    year.stock.append(sum(bill.rest > 0 for bill in year.people.bills))


def once_more_over_http(year: Large) -> None:
    """Run one more day and night, speaking real HTTP on the loopback to the same partners."""
    year.app.close()
    year.clock.on_advance.remove(year.app.host.store.set_virtual_now)
    with serve(year.world, slow_seconds=0) as server:
        routes: dict[str, str] = dict.fromkeys((*HOSTS, LEGACY_HOST), server.base_url)
        year.app = opened(year.home, year.clock, year.seed + 1, routes=routes)
        once_more(year)


def once_more_in_process(year: Large) -> None:
    """Run the same day and night in process, by a process of the host that starts anew as well."""
    year.app.close()
    year.clock.on_advance.remove(year.app.host.store.set_virtual_now)
    year.app = opened(year.home, year.clock, year.seed + 1, SimTransport(year.world))
    once_more(year)


def once_more(year: Large) -> None:
    """Let everything happen on one more day, faults and all, and run its night."""
    trouble.begin(year.world)
    year.people.nights = year.people.nights + QUIET + 1
    number = len(year.nights) + 1
    _day(year, number - 1)
    until(year.clock, START + timedelta(days=number), NIGHTLY_AT)
    year.begun.append(year.clock.now())
    night(year)


def begin(seed: int, invoices: int, nights: int, home: Path) -> Large:
    """Open the accounts, enter what was issued before, and connect everything."""
    start = paris(START, MORNING)
    world, clock = SlowWorld(seed, start), VirtualClock(start)
    clock.on_advance.append(world.set_now)
    world.wait = clock.sleep
    folder = home / "factures"
    folder.mkdir(parents=True)
    desks, books = open_accounts(world, folder)
    chance = Random(f"large-{seed}-{invoices}")
    people = People(chance, desks, world.gcollect, START, nights, invoices)
    people.settle_in(start)
    app = opened(home, clock, seed, SimTransport(world))
    company_id = connect(app, world, books, folder)
    return Large(seed, invoices, nights, home, world, clock, app, company_id, books, people, folder)


def opened(
    home: Path,
    clock: VirtualClock,
    seed: int,
    transport: httpx.BaseTransport | None = None,
    routes: Mapping[str, str] | None = None,
) -> App:
    return open_app(
        {},
        folder=home / "donnees",
        clock=clock,
        ids=SeededIds(seed, clock),
        transport=transport,
        routes=routes or {},
    )


def open_accounts(world: SlowWorld, folder: Path) -> tuple[Desks, Bookkeeping]:
    """Open the company's account at each partner."""
    factomos, tool = world.factomos, world.myunisoft
    factomos.add_company(TOKEN, SIREN, SELLER.name)
    factomos.add_company(OLD_TOKEN, SIREN, SELLER.name, apart=True)
    factomos.add_legacy_access(OLD_TOKEN, OLD_TOKEN, OLD_SECRET)
    world.libeo.add_company(LIBEO_KEY, SELLER.siret or "", SELLER.name)
    world.gcollect.register_creditor(SIREN, SELLER.name, CLIENT, SECRET)
    tool.register_partner(PARTNER_SECRET)
    cabinet = tool.add_firm("Cabinet Exemple", with_key("8123456760001"))
    books = tool.add_dossier(cabinet, SELLER.name, SIREN, (FIRST_YEAR,), lettering="MULTI")
    by_tool: dict[Tool, Desk] = {
        "factomos": FactomosDesk(factomos, TOKEN, legacy=False),
        "factomos_legacy": FactomosDesk(factomos, OLD_TOKEN, legacy=True),
        "myunisoft": MyUnisoftDesk(books),
        "libeo": LibeoDesk(world.libeo, LIBEO_KEY),
        "folder": FolderDesk(folder, SELLER),
    }
    return Desks(by_tool), books


def connect(app: App, world: SlowWorld, books: Bookkeeping, folder: Path) -> str:
    """Register the company and who refers it, connect the six, and say where money is entered."""
    host = app.host
    company_id = connecting.add_company(host, siren=SIREN, name=SELLER.name, environment="test")
    with host.store.begin() as tx:
        referrer_id = referrers.add(host, tx, company_id, "Éditeur de l'année", "editor")
        agreed = referrers.Agreed(RATE_PPM, host.clock.today())
        referrers.agree(host, tx, company_id, referrer_id, agreed)
    access = {
        "factomos": {"token": TOKEN, "siren": SIREN},
        "factomos_legacy": {"token": OLD_TOKEN, "secret": OLD_SECRET, "siren": SIREN},
        "myunisoft": {
            "token": world.myunisoft.society_key(books.society_id),
            "partner_secret": PARTNER_SECRET,
            "counterpart": FUNDS,
        },
        "libeo": {"api_key": LIBEO_KEY, "siret": SELLER.siret or ""},
        "folder": {"path": str(folder)},
        "gcollect": {"client_id": CLIENT, "client_secret": SECRET},
    }
    for slug, values in access.items():
        connecting.connect(
            host,
            app.vault,
            company_id=company_id,
            connector=slug,
            values=values,
            referrer_id=referrer_id if slug == BOOKS else None,
        )
    with host.store.begin() as tx:
        tools = routing.candidates(host, tx, company_id, RecordsPayments)
        chosen = next(each.id for each in tools if each.connector == BOOKS)
        routing.answer(
            host, tx, company_id, "record_payment", chosen, decided_by=year_company.SIGNER
        )
    return company_id


def _day(year: Large, number: int) -> None:
    """Let people live through a day; on Mondays the company begins to hand over what is late."""
    today = START + timedelta(days=number)
    until(year.clock, today, EVENING)
    keep_books(year.books, today)
    answer(year)
    year.people.day(number, year.clock.now())
    year_company.sign(year.world.gcollect)
    if today.weekday() == 0:
        year.hands_over = True
    if year.hands_over and number < year.people.nights - QUIET:
        hand_over(year)


def answer(year: Large) -> None:
    """Answer last night's questions, and those about contested invoices once that is settled."""
    talked: Mapping[str, year_company.Given] = {"disputed": "lift"}
    answers = ((year_company.ANSWERS, timedelta()), (talked, ANSWERED_AFTER))
    for given, after in answers:
        for kind, many in year_company.answer(year.app, year.company_id, given, after).items():
            year.answered[kind] += many


def hand_over(year: Large) -> None:
    """Approve and sign what is proposed; a collector that does not answer is asked tomorrow."""
    try:
        year_company.hand_over(year.app, year.company_id, year.world.gcollect)
        year.hands_over = False
    except PartnerError as error:
        year.people.done[f"handing_over_put_off:{type(error).__name__}"] += 1


def keep_books(books: Bookkeeping, today: date) -> None:
    """Open, carry forward and close exercices on their days."""
    if today == OPENS:
        books.open_exercice(*SECOND_YEAR)
    elif today == CARRIES:
        books.carry_forward(FIRST_YEAR[0], close=False)
    elif today == CLOSES:
        books.carry_forward(FIRST_YEAR[0])


def head(year: Large) -> str | None:
    """Note the journal's head, as the person who keeps the digest does."""
    with year.app.host.store.begin() as tx:
        return journal.verify(journal.export(tx, year.company_id)).head


def until(clock: VirtualClock, day: date, at: time) -> None:
    """Move to an hour of Paris, unless it is over already."""
    wanted = paris(day, at)
    if wanted > clock.now():
        clock.set(wanted)


def paris(day: date, at: time) -> datetime:
    """Give an instant by the hour of Paris."""
    return datetime.combine(day, at, PARIS).astimezone(UTC)
