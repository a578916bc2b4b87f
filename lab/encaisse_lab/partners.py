"""Set the partners up for one company: their accounts, their books, their bad nights."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from encaisse_core.clock import PARIS, VirtualClock
from encaisse_core.numbers import annex_number
from encaisse_lab.firm import Firm, enter_autumn, take_on
from encaisse_lab.invented import Party
from encaisse_lab.papers import factur_x, fill_folder
from encaisse_lab.samples import FIRST_EVENING, Sample, Samples
from encaisse_simulator.factomos.account import InvoiceKind
from encaisse_simulator.factomos.tool import HOST as FACTOMOS_HOST
from encaisse_simulator.faults import FaultKind
from encaisse_simulator.gcollect.collector import HOST as GCOLLECT_HOST
from encaisse_simulator.libeo.tool import HOST as LIBEO_HOST
from encaisse_simulator.myunisoft import GED_HOST, plain
from encaisse_simulator.myunisoft import HOST as MYUNISOFT_HOST
from encaisse_simulator.server import serve
from encaisse_simulator.world import World

TOKEN = "jeton-de-demonstration"
LIBEO_KEY = "cle-de-demonstration"
CLIENT, SECRET = "atelier", "secret-de-demonstration"
SIGNER, SIGNER_MAIL = "Dominique Exemple", "direction@example.org"

EVENING = datetime(
    FIRST_EVENING.year, FIRST_EVENING.month, FIRST_EVENING.day, 18, 30, tzinfo=PARIS
).astimezone(UTC)
"""When the company connects its tools."""

HOSTS = (FACTOMOS_HOST, MYUNISOFT_HOST, GED_HOST, LIBEO_HOST, GCOLLECT_HOST)
WRITES_BACK = {
    "factomos": (FACTOMOS_HOST, r"/payments$"),
    "myunisoft": (MYUNISOFT_HOST, r"/entry/temp$"),
}
"""Host and path a payment is posted to, by the tool it is entered in."""
STOPS = r"/procedures/.+/.+"
KINDS: dict[str, InvoiceKind] = {
    "invoice": "invoice",
    "down_payment": "down-payment",
    "credit_note": "credit",
}


@dataclass
class Partners:
    """Hold the running world, where its real HTTP answers, and which record is which invoice."""

    world: World
    clock: VirtualClock
    base_url: str
    known: Samples
    folder: Path
    firm: Firm
    pids: dict[str, str] = field(default_factory=dict[str, str])  # true id -> Factomos pid
    libeo: dict[str, str] = field(default_factory=dict[str, str])  # true id -> Libeo id
    truth: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    payments: dict[tuple[str, int], str] = field(default_factory=dict[tuple[str, int], str])

    @property
    def books(self) -> str:
        """Name the tool payments are entered in: the one that feeds the other, if one does."""
        return "myunisoft" if self.firm.bridge is None else "factomos"

    @property
    def routes(self) -> dict[str, str]:
        """Give where each vendor's host really is."""
        return dict.fromkeys(HOSTS, self.base_url)

    def procedure_of(self, sample: Sample) -> tuple[str, str] | None:
        """Find the latest procedure an invoice is in, and the number it stands under there.

        The host names a claim as the first tool that showed it did, the books or the folder.
        """
        for number in dict.fromkeys((annex_number(sample.number), annex_number(sample.written))):
            found = self.world.gcollect.procedure_ids(number, sample.issued.year)
            if found:
                return found[-1], number
        return None

    def true_numbers(self) -> dict[str, str]:
        """Give the number in the books of each invoice by every way it is written elsewhere."""
        return {
            spelt: sample.number
            for sample in self.known.invoices
            for spelt in (
                annex_number(sample.number),
                annex_number(sample.written),
                plain(sample.number),
            )
        }

    def sign(self, url: str) -> str:
        """Let a person open the signing page, read it, and send its form; give the page after."""
        with httpx.Client(timeout=10, trust_env=False) as browser:
            shown = browser.get(url)
            shown.raise_for_status()
            answer = browser.post(
                url,
                data={
                    "signer_name": SIGNER,
                    "signer_email": SIGNER_MAIL,
                    "accept": "yes",
                    "decision": "sign",
                },
            )
            answer.raise_for_status()
            return answer.text

    def fault_counts(self) -> dict[str, int]:
        """Count what went wrong on the wire, by the words of the summary."""
        counts = self.world.faults.counts
        return {
            "lost_reply": counts["lost_reply"],
            "5xx": counts["5xx"] + counts["5xx_after"],
            "429": counts["429"],
            "malformed": counts["malformed"],
        }


def has_bridge(seed: int) -> bool:
    """Tell whether the company of a seed lets Factomos feed MyUnisoft: one in two does."""
    return seed % 2 == 0


@contextmanager
def partners(seed: int, known: Samples, folder: Path) -> Generator[Partners]:
    """Fill the books and the folder, and answer over HTTP on the loopback until the block ends."""
    clock = VirtualClock(EVENING)
    world = World(seed, EVENING)
    clock.on_advance.append(world.set_now)
    company = known.company
    world.factomos.add_company(TOKEN, company.siren or "", company.name)
    world.gcollect.register_creditor(company.siren or "", company.name, CLIENT, SECRET)
    with serve(world) as server:
        firm = take_on(world, known)
        set_up = Partners(world, clock, server.base_url, known, folder, firm)
        cards = _fill_factomos(set_up)
        if has_bridge(seed):
            _bridge(set_up, cards)
        enter_autumn(firm, known)
        _fill_libeo(set_up)
        for sample in known.in_books:
            if firm.holds(sample):
                set_up.truth["myunisoft", firm.ref(sample)] = sample.true_id
        for name, true_id in fill_folder(known, folder).items():
            set_up.truth[f"folder:{folder}", name] = true_id
        yield set_up


def _fill_libeo(set_up: Partners) -> None:
    """Keep some invoices in Libeo too, and bills the company received, which are none of ours."""
    tool, company = set_up.world.libeo, set_up.known.company
    tool.add_company(LIBEO_KEY, company.siret or "", company.name)
    for sample in set_up.known.in_libeo:
        debtor = sample.debtor
        made = tool.add_receivable(
            LIBEO_KEY,
            sample.number,
            debtor.name,
            debtor.siren or "",
            sample.issued,
            sample.due,
            sample.cents,
        )
        if sample.paid:
            tool.customer_pays(made, sample.paid, FIRST_EVENING - timedelta(days=12))
        set_up.libeo[sample.true_id] = made
        set_up.truth["libeo", made] = sample.true_id
    for place, (supplier, number, cents) in enumerate(set_up.known.bills):
        due = FIRST_EVENING + timedelta(days=7 * place - 14)
        issued = due - timedelta(days=30)
        tool.add_payable(LIBEO_KEY, number, supplier.name, supplier.siren or "", issued, due, cents)


def _bridge(set_up: Partners, cards: dict[str, str]) -> None:
    """Let Factomos send what it holds to the books, today and every night."""
    firm = set_up.firm
    firm.bridge = set_up.world.connect_bridge(TOKEN, firm.books, letter=firm.letter)
    firm.bridge.copy()
    accounts = firm.bridge.customers
    firm.customers.update({name: accounts[pid] for name, pid in cards.items() if pid in accounts})


def _fill_factomos(set_up: Partners) -> dict[str, str]:
    """Enter the invoices as the company's people did over the autumn; give each customer's card."""
    tool = set_up.world.factomos
    cards: dict[str, str] = {}
    for sample in set_up.known.in_books:
        debtor = sample.debtor
        if debtor.name not in cards:
            cards[debtor.name] = _card(set_up.world, debtor)
        pid = tool.add_invoice(
            sample.number,
            cards[debtor.name],
            sample.issued,
            sample.due,
            sample.cents,
            kind=KINDS[sample.kind],
            document=factur_x(sample) if sample.has_document and sample.cents > 0 else None,
        )
        if sample.paid:
            tool.customer_pays(pid, sample.paid, FIRST_EVENING - timedelta(days=12), "VIR CLIENT")
        if sample.credited:
            tool.credit_note(pid, sample.credited, FIRST_EVENING - timedelta(days=9))
        set_up.pids[sample.true_id] = pid
        set_up.truth["factomos", pid] = sample.true_id
    return cards


def _card(world: World, debtor: Party) -> str:
    """Add a customer's card; give its pid."""
    first, _, last = debtor.name.partition(" ") if debtor.kind == "individual" else ("", "", "")
    return world.factomos.add_contact(
        TOKEN,
        debtor.name,
        siret=debtor.siret or "",
        vat_number=debtor.vat_id or "",
        address=debtor.street,
        postcode=debtor.postcode,
        city=debtor.city,
        email=debtor.email,
        first_name=first,
        last_name=last,
    )


def bad_evening(world: World) -> None:
    """Let the first evening's reads stumble: a gateway page, then a request to slow down."""
    faults = world.faults
    faults.schedule("5xx", method="GET", host=FACTOMOS_HOST, path="/invoices", nth=2)
    faults.schedule("429", method="GET", host=FACTOMOS_HOST, path="/invoices", nth=5)


def bad_first_night(world: World) -> None:
    """Let openings stumble: one lands without its answer, one meets a broken gateway."""
    faults, path = world.faults, r"/procedures$"
    faults.schedule("lost_reply", method="POST", host=GCOLLECT_HOST, path=path, nth=2)
    faults.schedule("5xx", method="POST", host=GCOLLECT_HOST, path=path, nth=5)
    faults.schedule("5xx_after", method="POST", host=GCOLLECT_HOST, path=path, nth=8)
    faults.schedule("429", method="POST", host=GCOLLECT_HOST, path=path, nth=11)


def bad_nights(there: Partners) -> None:
    """From the second night on let every kind of fault strike reads, write-backs and stops."""
    faults = there.world.faults
    back: tuple[FaultKind, ...] = ("lost_reply", "malformed", "5xx", "429")
    host, path = WRITES_BACK[there.books]
    for place, kind in enumerate(back):
        nth = 2 * place + 1
        faults.schedule(kind, method="POST", host=host, path=path, nth=nth)
    stops: tuple[FaultKind, ...] = ("lost_reply", "malformed")
    for place, kind in enumerate(stops):
        nth = 2 * place + 1
        faults.schedule(kind, method="POST", host=GCOLLECT_HOST, path=STOPS, nth=nth)
    faults.schedule("malformed", method="GET", host=GCOLLECT_HOST, path="/payments", nth=3)
    reads: dict[FaultKind, float] = {"5xx": 0.01, "429": 0.01, "malformed": 0.004}
    writes: dict[FaultKind, float] = {"lost_reply": 0.06, "5xx_after": 0.03, "429": 0.03}
    faults.draw(reads, method="GET", path="^/(invoices|v1|api/v1/mad)")
    faults.draw(writes, method="POST", path="^/(v1/procedures|api/v1/entry|invoices)")


def lose_write_backs(there: Partners) -> None:
    """Lose the answer of the next write-backs, for the planted bug that does not look up."""
    host, path = WRITES_BACK[there.books]
    there.world.faults.schedule("lost_reply", method="POST", host=host, path=path, count=3)


def calm(world: World) -> None:
    """End the faults: by the last night everything must have settled."""
    world.faults.clear()
