"""Run the main job night after night: the company's evening, the cast's days, the host's nights."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from sqlalchemy import select

from encaisse_api import RecordsPayments
from encaisse_core import connecting, journal, nightly, proposals, referrers, routing, runner
from encaisse_core.app import DATABASE, App, open_app
from encaisse_core.bridges import Evidence
from encaisse_core.cli.ending import unit
from encaisse_core.clock import PARIS, SeededIds
from encaisse_core.errors import CheckFailed
from encaisse_core.host import Connectors
from encaisse_core.loader import load
from encaisse_core.nightly import Night, Phase
from encaisse_core.store import schema
from encaisse_lab import broken_on_purpose as planted
from encaisse_lab import partners as sides
from encaisse_lab import tally
from encaisse_lab.broken_on_purpose import Break
from encaisse_lab.cast import Act, Cast, cast
from encaisse_lab.partners import Partners
from encaisse_lab.samples import FIRST_EVENING, Sample, Samples, samples

NIGHTLY_AT = time(4, 10)
"""When the daemon runs, in Paris."""

AFTERNOON = time(19, 0)
"""When the accountant looks at what is proposed, once the day's deeds are done."""

REFERRER_PPM = 200_000
"""The editor's share of the fee: 20 %, in parts per million."""

Tell = Callable[[str], None]
Phases = tuple[tuple[str, Phase], ...]


@dataclass(frozen=True, slots=True)
class Played:
    """Be an act that really happened, when, and at which procedure."""

    act: Act
    sample: Sample
    at: datetime
    procedure_id: str


@dataclass
class Evening:
    """Keep what the first evening showed."""

    portfolio: tally.Portfolio = field(default_factory=tally.Portfolio)
    pulled: dict[str, int] = field(default_factory=dict[str, int])
    proposals: list[tally.Proposed] = field(default_factory=list[tally.Proposed])
    signed: int = 0
    bridge: Evidence | None = None


@dataclass
class Run:
    """Hold everything one run of the demo brought, for the story and the checks."""

    seed: int
    nights: int
    known: Samples
    cast: Cast
    partners: Partners
    app: App
    company_id: str
    evening: Evening
    played: list[Played] = field(default_factory=list[Played])
    kept: list[Night] = field(default_factory=list[Night])
    ends: list[datetime] = field(default_factory=list[datetime])
    anchor: str | None = None


@contextmanager
def run(
    seed: int,
    nights: int,
    *,
    folder: Path | None = None,
    broken: Break | None = None,
    phases: Phases | None = None,
    connectors: Connectors | None = None,
    database: str | None = None,
    tell: Tell = lambda _: None,
) -> Generator[Run]:
    """Run the whole of it; what is yielded can still be asked, until the block ends.

    `phases` and `connectors` stand in for the night's own and the installed ones. `database` is the
    address of an empty one; without it the store is SQLite in the run's own folder.
    """
    known = samples(seed)
    if connectors is None and broken == "lookup":
        connectors = planted.NeverLooking(load())
    phases = planted.phases(broken) if phases is None else phases
    with tempfile.TemporaryDirectory(prefix="encaisse-demo-") as place:
        home = Path(place)
        with (
            sides.partners(seed, known, home / "factures") as partners,
            _app(seed, home, partners, connectors, database) as opened,
        ):
            company_id = _connect(opened, partners, folder)
            app = opened.of(company_id)
            told = Run(
                seed,
                nights,
                known,
                cast(seed, known),
                partners,
                app,
                company_id,
                Evening(),
            )
            with unit():
                _evening(told, tell)
            for night in range(1, nights + 1):
                with unit():
                    _night(told, night, phases, broken, tell)
            if broken == "journal":
                planted.alter_one_byte(app, told.company_id, partners.clock.now())
            yield told


@contextmanager
def _app(
    seed: int,
    home: Path,
    partners: Partners,
    connectors: Connectors | None,
    database: str | None,
) -> Generator[App]:
    clock = partners.clock
    app = open_app(
        {} if database is None else {DATABASE: database},
        folder=home / "donnees",
        clock=clock,
        ids=SeededIds(seed, clock),
        routes=partners.routes,
        connectors=connectors,
    )
    try:
        yield app
    finally:
        app.close()


def _connect(app: App, partners: Partners, folder: Path | None) -> str:
    """Register the company, the editor who refers it, and its tools; all but the first as it."""
    company = partners.known.company
    company_id = connecting.add_company(
        app.host, siren=company.siren or "", name=company.name, environment="test"
    )
    host = app.of(company_id).host
    with host.store.begin() as tx:
        referrer_id = referrers.add(host, tx, company_id, "Éditeur de démonstration", "editor")
        agreed = referrers.Agreed(REFERRER_PPM, host.clock.today())
        referrers.agree(host, tx, company_id, referrer_id, agreed)
    wanted: list[tuple[str, dict[str, str], str | None]] = [
        ("factomos", {"token": sides.TOKEN}, referrer_id),
        ("myunisoft", dict(partners.firm.access), None),
        ("libeo", {"api_key": sides.LIBEO_KEY, "siret": company.siret or ""}, None),
        ("folder", {"path": str(partners.folder)}, None),
    ]
    if folder is not None:
        wanted.append(("folder", {"path": str(folder.resolve())}, None))
    wanted.append(("gcollect", {"client_id": sides.CLIENT, "client_secret": sides.SECRET}, None))
    for slug, values, referrer in wanted:
        connecting.connect(
            host,
            app.vault,
            company_id=company_id,
            connector=slug,
            values=values,
            referrer_id=referrer,
        )
    return company_id


def _route(told: Run) -> Evidence | None:
    """Answer for the person where payments are entered; give what the records said of it.

    They tell of a bridge where there is one, and the person confirms it. Where there is none the
    person chooses the books.
    """
    host, company_id, kind = told.app.host, told.company_id, "record_payment"
    with host.store.begin() as tx:
        found = routing.proposed(host, tx, company_id, RecordsPayments)
        if found is None:
            tools = routing.candidates(host, tx, company_id, RecordsPayments)
            chosen, fed = next(each.id for each in tools if each.connector == "myunisoft"), []
        else:
            chosen, fed = found.source.id, [found.target.id]
        routing.answer(host, tx, company_id, kind, chosen, decided_by=sides.SIGNER, feeds=fed)
    return found


def _evening(told: Run, tell: Tell) -> None:
    """Pull, look at what is collectible, propose, approve, and let a person sign."""
    host, company_id = told.app.host, told.company_id
    tell("Lundi 2 février au soir : lecture des outils")
    sides.bad_evening(told.partners.world)
    first = Night(company_id, host.clock.today())
    for phase in (nightly.pull, nightly.join, nightly.reconcile_money):
        phase(host, first)
    told.evening.pulled = {
        name.partition(":")[2]: count
        for name, count in sorted(first.counts.items())
        if name.startswith("pulled:")
    }
    told.evening.bridge = _route(told)
    told.evening.portfolio = tally.portfolio(told.app, company_id)
    proposed = proposals.propose(host, company_id)
    told.evening.proposals = tally.proposed(told.app, company_id)
    if not proposed:
        return
    mandate_id = proposals.approve(host, company_id, proposed, by=sides.SIGNER)
    runner.drain(host, company_id, nightly.OPENINGS)
    m = schema.mandate.c
    with host.store.begin() as tx:
        url = tx.execute(
            select(m.signing_url).where(m.company_id == company_id, m.id == mandate_id)
        ).scalar_one()
    if not url:
        raise CheckFailed("Le mandat n'a pas reçu de page de signature.")
    tell("Une personne lit le mandat et le signe")
    told.partners.sign(url)
    told.evening.signed = len(proposed)


def _night(told: Run, number: int, phases: Phases, broken: Break | None, tell: Tell) -> None:
    """Move to 04:10 in Paris, run the night, then let the cast live through the day."""
    clock, world = told.partners.clock, told.partners.world
    at = _paris(number, NIGHTLY_AT)
    if at > clock.now():
        clock.set(at)
    tell(f"Nuit {number} sur {told.nights} ({at.astimezone(PARIS):%d/%m à %H:%M})")
    if number == told.nights and number > 1:
        sides.calm(world)
    elif number == 1:
        sides.bad_first_night(world)
    elif number == 2:
        sides.bad_nights(told.partners)
        if broken == "lookup":
            sides.lose_write_backs(told.partners)
    night = nightly.run_night(told.app.host, told.company_id, told.app.signer, phases=phases)
    told.kept.append(night)
    told.ends.append(clock.now())
    if number == 1:
        told.anchor = _head(told)
    if number < told.nights:
        _day(told, number)


def _head(told: Run) -> str | None:
    """Note the first night's signed head, as the person who keeps the digest does."""
    with told.app.host.store.begin() as tx:
        return journal.verify(journal.export(tx, told.company_id)).head


def _day(told: Run, day: int) -> None:
    """Let each act of the day happen at its hour, and what waited for a procedure to open."""
    done = {(p.act.true_id, p.act.deed, p.act.payment) for p in told.played}
    due = [
        act
        for act in told.cast.acts
        if act.day <= day and (act.true_id, act.deed, act.payment) not in done
    ]
    by_id = {sample.true_id: sample for sample in told.known.invoices}
    for act in sorted(due, key=lambda each: (each.hour, each.day, each.true_id, each.payment)):
        at = _paris(day, time(act.hour))
        if at > told.partners.clock.now():
            told.partners.clock.set(at)
        sample = by_id[act.true_id]
        there = told.partners.procedure_of(sample)
        if there is not None:
            _do(told, act, sample, *there)
            told.played.append(Played(act, sample, told.partners.clock.now(), there[0]))
    close = _paris(day, AFTERNOON)
    if close > told.partners.clock.now():
        told.partners.clock.set(close)
    told.partners.firm.afternoon(day)


def _do(told: Run, act: Act, sample: Sample, procedure_id: str, number: str) -> None:
    world, today = told.partners.world, told.partners.clock.today()
    firm, in_libeo = told.partners.firm, told.partners.libeo.get(act.true_id)
    match act.deed:
        case "pays_collector":
            paid = world.gcollect.debtor_pays(
                procedure_id,
                number,
                act.cents + act.interest + act.indemnity,
                method=act.method,
                interest_cents=act.interest,
                indemnity_cents=act.indemnity,
                mode=f"instalment({act.instalment})" if act.instalment else None,
            )
            told.partners.payments[act.true_id, act.payment] = paid
        case "goes_back":
            world.gcollect.reverse_payment(told.partners.payments[act.true_id, act.payment])
        case "pays_directly":
            pid = told.partners.pids[act.true_id]
            world.factomos.customer_pays(pid, act.cents, today, "VIR CLIENT")
            firm.receive(sample, act.cents, today)
            if in_libeo is not None:
                world.libeo.customer_pays(in_libeo, act.cents, today)
        case "disputes":
            world.gcollect.debtor_disputes(procedure_id, act.reason, number)
        case "is_credited":
            world.factomos.credit_note(told.partners.pids[act.true_id], act.cents, today)
            firm.credit(sample, act.cents, today)
            if in_libeo is not None:
                world.libeo.credit_note(in_libeo, act.cents, today)


def _paris(day: int, at: time) -> datetime:
    """Give an instant of the nth day after the first evening."""
    on = FIRST_EVENING + timedelta(days=day)
    return datetime.combine(on, at, PARIS).astimezone(UTC)
