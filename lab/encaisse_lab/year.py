"""Run a year of one dossier of MyUnisoft, night after night, over two exercices.

The real host on SQLite, the real connectors, the simulated MyUnisoft and GCollect in process. Each
night what the host holds open is compared with the dossier's own balances.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from random import Random
from typing import Literal

from encaisse_core import connecting, nightly
from encaisse_core.app import App, open_app
from encaisse_core.clock import PARIS, SeededIds, VirtualClock
from encaisse_core.nightly import Night
from encaisse_lab import year_check, year_company
from encaisse_lab.year_calendar import YEARS, Calendar
from encaisse_lab.year_check import Difference
from encaisse_lab.year_people import Town, settle_in
from encaisse_simulator.myunisoft import Bookkeeping
from encaisse_simulator.transport import SimTransport
from encaisse_simulator.world import World

Lettering = Literal["MONO", "MULTI"]
Mode = Literal["pending", "direct"]

SIREN = "987654324"
PARTNER_SECRET = "secret-de-simulation"
CLIENT, SECRET = "annee", "secret-de-l-annee"
FUNDS = "4671000000"
"""Account of the funds the collector holds."""

NIGHTLY_AT, EVENING = time(4, 10), time(18, 30)

Tell = Callable[[str], None]


@dataclass
class Year:
    """Hold one dossier's year: its host, its partners, its people, and what was found."""

    seed: int
    lettering: Lettering
    mode: Mode
    calendar: Calendar
    world: World
    clock: VirtualClock
    app: App
    company_id: str
    books: Bookkeeping
    town: Town
    nights: list[Night] = field(default_factory=list[Night])
    unequal: dict[date, list[Difference]] = field(default_factory=dict[date, list[Difference]])
    """By night, the accounts on which the host and the books did not agree."""


@contextmanager
def run(
    seed: int, lettering: Lettering, mode: Mode, calendar: Calendar, tell: Tell = lambda _: None
) -> Generator[Year]:
    """Live through the calendar; what is yielded can still be asked, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="encaisse-annee-") as place:
        year = _begin(seed, lettering, mode, calendar, Path(place))
        try:
            for number in range(1, calendar.nights + 1):
                _day(year, calendar.day(number - 1))
                _night(year, calendar.day(number))
                if number % 30 == 0:
                    tell(f"{lettering} {mode}, nuit {number} sur {calendar.nights}")
            yield year
        finally:
            year.app.close()


def _begin(seed: int, lettering: Lettering, mode: Mode, calendar: Calendar, home: Path) -> Year:
    start = _paris(calendar.start, time(6, 0))
    world, clock = World(seed, start), VirtualClock(start)
    clock.on_advance.append(world.set_now)
    world.myunisoft.register_partner(PARTNER_SECRET)
    firm = world.myunisoft.add_firm("Cabinet Exemple", "81234567600017")
    books = world.myunisoft.add_dossier(
        firm, "Atelier Exemple SARL", SIREN, YEARS[:1], lettering=lettering
    )
    world.gcollect.register_creditor(SIREN, "Atelier Exemple SARL", CLIENT, SECRET)
    chance = Random(f"year-{seed}-{lettering}-{mode}")
    town = settle_in(chance, books, world.gcollect, calendar)
    app = open_app(
        {},
        folder=home,
        clock=clock,
        ids=SeededIds(seed, clock),
        transport=SimTransport(world),
    )
    company_id = connecting.add_company(
        app.host, siren=SIREN, name="Atelier Exemple", environment="test"
    )
    access = {
        "myunisoft": {
            "token": world.myunisoft.society_key(books.society_id),
            "partner_secret": PARTNER_SECRET,
            "counterpart": FUNDS,
            "mode": mode,
        },
        "gcollect": {"client_id": CLIENT, "client_secret": SECRET},
    }
    for slug, values in access.items():
        connecting.connect(
            app.host, app.vault, company_id=company_id, connector=slug, values=values
        )
    return Year(seed, lettering, mode, calendar, world, clock, app, company_id, books, town)


def _day(year: Year, today: date) -> None:
    """Let people live through the day; the company answers first, and hands over on Mondays."""
    _until(year, _paris(today, EVENING))
    year_company.answer(year.app, year.company_id)
    year.town.day(today)
    if today.weekday() == 0:
        year_company.hand_over(year.app, year.company_id, year.world.gcollect)


def _night(year: Year, today: date) -> None:
    _until(year, _paris(today, NIGHTLY_AT))
    night = nightly.run_night(year.app.host, year.company_id, year.app.signer)
    year.nights.append(night)
    found = year_check.differences(year.app, year.company_id, year.books, year.town.altered)
    if found:
        year.unequal[today] = found


def _until(year: Year, at: datetime) -> None:
    if at > year.clock.now():
        year.clock.set(at)


def _paris(day: date, at: time) -> datetime:
    return datetime.combine(day, at, PARIS).astimezone(UTC)
