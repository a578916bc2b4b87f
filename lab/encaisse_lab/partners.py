"""Set the partners up for one company: their accounts, their books, their bad nights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from encaisse_core.clock import PARIS, VirtualClock
from encaisse_lab.invented import Party
from encaisse_lab.papers import factur_x, fill_folder
from encaisse_lab.samples import FIRST_EVENING, Sample, Samples
from encaisse_simulator.factomos.account import InvoiceKind
from encaisse_simulator.factomos.tool import HOST as FACTOMOS_HOST
from encaisse_simulator.faults import FaultKind
from encaisse_simulator.gcollect.collector import HOST as GCOLLECT_HOST
from encaisse_simulator.server import serve
from encaisse_simulator.world import World

TOKEN = "jeton-de-demonstration"
CLIENT, SECRET = "atelier", "secret-de-demonstration"
SIGNER, SIGNER_MAIL = "Dominique Exemple", "direction@example.org"

EVENING = datetime(
    FIRST_EVENING.year, FIRST_EVENING.month, FIRST_EVENING.day, 18, 30, tzinfo=PARIS
).astimezone(UTC)
"""When the company connects its tools."""

WRITES_BACK = r"/payments$"
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
    pids: dict[str, str] = field(default_factory=dict[str, str])  # true id -> Factomos pid
    truth: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    payments: dict[tuple[str, int], str] = field(default_factory=dict[tuple[str, int], str])

    @property
    def routes(self) -> dict[str, str]:
        """Give where each vendor's host really is."""
        return {FACTOMOS_HOST: self.base_url, GCOLLECT_HOST: self.base_url}

    def procedure_of(self, sample: Sample) -> str | None:
        """Find the latest procedure an invoice is in."""
        found = self.world.gcollect.procedure_ids(sample.number, sample.issued.year)
        return found[-1] if found else None

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


@contextmanager
def partners(seed: int, known: Samples, folder: Path) -> Iterator[Partners]:
    """Fill the books and the folder, and answer over HTTP on the loopback until the block ends."""
    clock = VirtualClock(EVENING)
    world = World(seed, EVENING)
    clock.on_advance.append(world.set_now)
    company = known.company
    world.factomos.add_company(TOKEN, company.siren or "", company.name)
    world.gcollect.register_creditor(company.siren or "", company.name, CLIENT, SECRET)
    with serve(world) as server:
        set_up = Partners(world, clock, server.base_url, known, folder)
        _fill_books(set_up)
        for name, true_id in fill_folder(known, folder).items():
            set_up.truth[f"folder:{folder}", name] = true_id
        yield set_up


def _fill_books(set_up: Partners) -> None:
    """Enter the invoices as the company's people did over the autumn."""
    tool = set_up.world.factomos
    cards: dict[str, str] = {}
    for sample in set_up.known.in_books:
        debtor = sample.debtor
        if debtor.name not in cards:
            cards[debtor.name] = tool.add_contact(TOKEN, debtor.name, **_card(debtor))
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


def _card(debtor: Party) -> dict[str, str]:
    card = {
        "siret": debtor.siret or "",
        "address": debtor.street,
        "postcode": debtor.postcode,
        "city": debtor.city,
        "email": debtor.email,
        "vat_number": debtor.vat_id or "",
    }
    if debtor.kind == "individual":
        first, _, last = debtor.name.partition(" ")
        card |= {"first_name": first, "last_name": last}
    return card


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


def bad_nights(world: World) -> None:
    """From the second night on let every kind of fault strike reads, write-backs and stops."""
    faults = world.faults
    back = {"method": "POST", "host": FACTOMOS_HOST, "path": WRITES_BACK}
    faults.schedule("lost_reply", **back, nth=1)
    faults.schedule("malformed", **back, nth=3)
    faults.schedule("5xx", **back, nth=5)
    faults.schedule("429", **back, nth=7)
    there = {"method": "POST", "host": GCOLLECT_HOST, "path": r"/procedures/.+/.+"}
    faults.schedule("lost_reply", **there, nth=1)
    faults.schedule("malformed", **there, nth=3)
    faults.schedule("malformed", method="GET", host=GCOLLECT_HOST, path="/payments", nth=3)
    reads: dict[FaultKind, float] = {"5xx": 0.01, "429": 0.01, "malformed": 0.004}
    writes: dict[FaultKind, float] = {"lost_reply": 0.06, "5xx_after": 0.03, "429": 0.03}
    faults.draw(reads, method="GET", path="^/(invoices|v1)")
    faults.draw(writes, method="POST", path="^/(invoices|v1/procedures)")


def lose_write_backs(world: World) -> None:
    """Lose the answer of the next write-backs, for the planted bug that does not look up."""
    world.faults.schedule(
        "lost_reply", method="POST", host=FACTOMOS_HOST, path=WRITES_BACK, count=3
    )


def calm(world: World) -> None:
    """End the faults: by the last night everything must have settled."""
    world.faults.clear()
