"""Record the cassettes of both Factomos dialects: `python -m encaisse_lab.record_factomos FOLDER`.

The older dialect goes into the folder beside, `FOLDER_legacy`: the same books, and the forms as
they are before the host seals them. Fifty-five open invoices make a second page; among them stand
the traps of the vendor's own examples: a negative overdue row, a down payment, no due date, no
document.
"""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

import httpx
from pydantic import SecretStr

from encaisse_api import Connector, Money, PaymentEntry, ReversalEntry, SealedFormAuth
from encaisse_api.conformance.cassette import write_sidecar
from encaisse_core.http.sealed_form import SealedForms
from encaisse_lab.record import Recorder, connector_named
from encaisse_simulator.transport import SimTransport
from encaisse_simulator.world import World

SEED = 7
NOW = datetime(2026, 4, 14, 2, 0, tzinfo=UTC)
TOKEN = "tok-invented-for-the-recording"
SIREN = "987654324"
KEY = "enc-0000000000000000000000000a"
LEGACY_TOKEN = "key-invented-for-the-recording"
LEGACY_SECRET = "invented-secret!"
UNDO = "enc-0000000000000000000000000b"
PDF = b"%PDF-1.4\n% a document in name only, in ASCII so that it can be read\n%%EOF\n"


def main(folder: Path) -> None:
    """Record every file the exam of both connectors needs."""
    rest_v1(folder)
    legacy(folder.with_name(f"{folder.name}_legacy"))


def sealed(world: World) -> httpx.BaseTransport:
    """Reach a world's older interface as the host does: plain forms above, sealed ones below."""
    kind = cast("type[Connector]", connector_named("factomos_legacy"))
    auth = cast("SealedFormAuth", kind.manifest.auth)
    return SealedForms(
        "Factomos",
        auth,
        SimTransport(world),
        token=SecretStr(LEGACY_TOKEN),
        secret=SecretStr(LEGACY_SECRET),
    )


def legacy(folder: Path) -> None:
    """Record the older dialect."""
    world = World(SEED, NOW)
    pids = _books(world)
    world.factomos.add_legacy_access(TOKEN, LEGACY_TOKEN, LEGACY_SECRET)
    for days, model in ((-60, "invoice"), (-20, "reminder1"), (-5, "reminder2")):
        world.factomos.send_mail(pids["F-001"], model, NOW + timedelta(days=days))
    ids = {number: world.factomos.serial(pid) for number, pid in pids.items()}
    recorder = Recorder(
        folder=folder,
        connector=connector_named("factomos_legacy"),
        world=world,
        recorded_against=f"factomos simulator, older interface, before the seal, seed {SEED}",
        settings={"siren": SIREN},
        transport=sealed(world),
    )
    recorder.write_context()
    recorder.record("probe")
    recorder.record("pull_invoices", {"since": None})
    refs = [ids["F-001"], ids["AC-001"], ids["F-PAID"]]
    recorder.record("read_invoices", {"refs": refs})
    write_sidecar(folder, "read_invoices", refs=refs)
    recorder.record("reminders", {"ref": ids["F-001"]})
    write_sidecar(folder, "reminders", ref=ids["F-001"])
    payment = _payment(ids["F-002"])
    write_sidecar(folder, "record_payment_blind", KEY, payment=payment)
    recorder.record("record_payment_blind", {"key": KEY, "payment": payment})


def rest_v1(folder: Path) -> None:
    """Record the dialect of the vendor's own client."""
    world = World(SEED, NOW)
    pids = _books(world)
    recorder = Recorder(
        folder=folder,
        connector=connector_named("factomos"),
        world=world,
        recorded_against=f"factomos simulator, assumed contract REST v1, seed {SEED}",
        headers={"Authorization": f"Bearer {TOKEN}"},
        settings={"siren": SIREN},
    )
    recorder.write_context()
    recorder.record("probe")
    recorder.record("pull_invoices", {"since": None})
    refs = [pids["F-001"], pids["AC-001"], pids["F-PAID"]]
    recorder.record("read_invoices", {"refs": refs})
    write_sidecar(folder, "read_invoices", refs=refs)
    recorder.record("fetch_document", {"ref": pids["F-001"]})
    write_sidecar(folder, "fetch_document", ref=pids["F-001"])
    payment = _payment(pids["F-002"])
    receipt = recorder.record_write("record_payment", "find_payment", KEY, {"payment": payment})
    reversal = ReversalEntry(
        invoice_ref=pids["F-002"],
        invoice_number="F-002",
        payment_remote_id=receipt.remote_id,
        amount=payment.amount,
        reversed_on=date(2026, 4, 13),
        reference=UNDO,
        label="Rejet facture F-002",
    )
    recorder.record_write("reverse_payment", "find_reversal", UNDO, {"reversal": reversal})


def _payment(ref: str) -> PaymentEntry:
    return PaymentEntry(
        invoice_ref=ref,
        invoice_number="F-002",
        amount=Money.of_minor(12_050),
        paid_on=date(2026, 4, 10),
        reference=KEY,
        label="Recouvrement facture F-002",
    )


def _books(world: World) -> dict[str, str]:
    """Fill one company's books; give the pids by invoice number."""
    tool = world.factomos
    tool.add_company(TOKEN, SIREN, "Atelier Exemple SARL")
    customers = [
        tool.add_contact(
            TOKEN,
            "Client Exemple SAS",
            siret="81234567600017",
            vat_number="FR19812345676",
            address="4 rue des Essais",
            postcode="35000",
            city="Rennes",
            email="compta@client.example.org",
            first_name="Camille",
            last_name="Exemple",
            phone="02 99 00 00 00",
        ),
        tool.add_contact(TOKEN, "Ville d'Exemple", siret="223456781", city="Rennes"),
        tool.add_contact(TOKEN, "Particulier Exemple", email="particulier@example.org"),
    ]
    issued, due = date(2026, 2, 2), date(2026, 3, 4)
    pids: dict[str, str] = {}
    for place in range(1, 53):
        number = f"F-{place:03}"
        pids[number] = tool.add_invoice(
            number,
            customers[place % len(customers)],
            issued + timedelta(days=place // 10),
            None if place == 5 else due + timedelta(days=place // 10),
            10_000 + place * 1_237,
            document=PDF if place == 1 else None,
        )
    pids["C-001"] = tool.add_invoice("C-001", customers[0], issued, due, -18_000, kind="credit")
    pids["AC-001"] = tool.add_invoice(
        "AC-001", customers[1], issued, due, 50_000, kind="down-payment"
    )
    pids["F-PAID"] = tool.add_invoice("F-PAID", customers[0], issued, due, 24_000)
    tool.customer_pays(pids["F-PAID"], 24_000, date(2026, 3, 30), "VIR CLIENT")
    tool.customer_pays(pids["F-002"], 5_000, date(2026, 3, 20), "VIR ACOMPTE")
    tool.credit_note(pids["F-003"], 3_000, date(2026, 3, 15), "AV-001")
    for number in ("F-060", "F-061"):
        pids[number] = tool.add_invoice(
            number, customers[0], date(2026, 4, 1), date(2026, 5, 1), 33_300
        )
    return pids


if __name__ == "__main__":
    main(Path(sys.argv[1]))
