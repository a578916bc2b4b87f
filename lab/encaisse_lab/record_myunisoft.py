"""Record MyUnisoft's cassettes: `python -m encaisse_lab.record_myunisoft FOLDER`.

One dossier of a firm, lettered year by year, whose year 2025 was closed: among its open lines stand
one carried over, one in three échéances with the first paid, one partly lettered, an avoir and a
receipt nobody allocated, one without a due date. The vendor shuffles its lines, so do they here.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import cast

from encaisse_api import Connector, LetteringEntry, Money, PaymentEntry, ReversalEntry
from encaisse_api.conformance import signed_headers
from encaisse_api.conformance.cassette import write_sidecar
from encaisse_lab.record import Recorder, connector_named
from encaisse_simulator.myunisoft import Bookkeeping
from encaisse_simulator.world import World

SEED = 7
NOW = datetime(2026, 4, 14, 2, 0, tzinfo=UTC)
SECRET = "encaisse-secret-invented-for-the-recording"
TOKEN = "tok-invented-for-the-recording"
SIREN = "987654324"
PAID = "enc-0000000000000000000000000a"
UNDONE = "enc-0000000000000000000000000b"
LETTERED = "enc-0000000000000000000000000c"
FOLLOWED = "enc-0000000000000000000000000d"
CUSTOMER, TOWN, PERSON, ABROAD = "411CLIENT0", "411VILLE00", "411PARTIC0", "411ETRANG0"
OPEN = f"{CUSTOMER}/2026/FA2026010"
PDF = b"%PDF-1.4\n% a document in name only, in ASCII so that it can be read\n%%EOF\n"


def main(folder: Path) -> None:
    """Record every file the exam of this connector needs."""
    world = World(SEED, NOW)
    books = _open(world)
    _fill(books)
    recorder = Recorder(
        folder=folder,
        connector=connector_named("myunisoft"),
        world=world,
        recorded_against=f"myunisoft simulator, documented contract, seed {SEED}",
        headers={"Authorization": f"Bearer {TOKEN}", "X-Third-Party-Secret": SECRET},
        settings={"mode": "pending", "scheme": "od", "counterpart": "4671000000"},
        account=str(books.society_id),
    )
    recorder.write_context()
    recorder.record("probe")
    recorder.record("accounts")
    recorder.record("pull_invoices", {"since": None})
    refs = [OPEN, f"{TOWN}/2025/FA2025031", f"{CUSTOMER}/2026/FA2026012"]
    recorder.record("read_invoices", {"refs": refs})
    write_sidecar(folder, "read_invoices", refs=refs)
    document = _document(recorder, OPEN)
    recorder.record("fetch_document", {"ref": document})
    write_sidecar(folder, "fetch_document", ref=document)
    _record_writes(recorder, books)
    _write_webhook(recorder, world, books)


def _record_writes(recorder: Recorder, books: Bookkeeping) -> None:
    """Write a payment and undo it, letter another one, follow a third."""
    receipt = recorder.record_write(
        "record_payment", "find_payment", PAID, {"payment": _payment(PAID, OPEN, 50_000)}
    )
    reversal = ReversalEntry(
        invoice_ref=OPEN,
        invoice_number="FA2026010",
        payment_remote_id=receipt.remote_id,
        amount=Money.of_minor(50_000),
        reversed_on=date(2026, 4, 13),
        reference=UNDONE,
        label="Rejet de paiement facture FA2026010",
    )
    recorder.record_write("reverse_payment", "find_reversal", UNDONE, {"reversal": reversal})
    whole = f"{TOWN}/2026/FA2026020"
    with recorder.instance(recorder.transport) as connector:
        paid = connector.record_payment(FOLLOWED, _payment(FOLLOWED, whole, 33_300))
    books.validate(paid.remote_id)
    ids = [paid.remote_id, receipt.remote_id]
    recorder.record("follow_up", {"remote_ids": ids})
    write_sidecar(recorder.folder, "follow_up", remote_ids=ids)
    lettering = LetteringEntry(account=TOWN, line_refs=(whole, paid.remote_id), reference=LETTERED)
    recorder.record_write("letter", "find_lettering", LETTERED, {"lettering": lettering})


def _payment(key: str, ref: str, cents: int) -> PaymentEntry:
    number = ref.rpartition("/")[2]
    return PaymentEntry(
        invoice_ref=ref,
        invoice_number=number,
        amount=Money.of_minor(cents),
        paid_on=date(2026, 4, 10),
        reference=key,
        label=f"Recouvrement facture {number}",
    )


def _document(recorder: Recorder, ref: str) -> str:
    """Find what an invoice calls its document."""
    with recorder.instance(recorder.transport) as connector:
        (found,) = connector.read_invoices([ref])
    return str(found.document_ref)


def _write_webhook(recorder: Recorder, world: World, books: Bookkeeping) -> None:
    """Sign the vendor's documented event as the vendor does."""
    event = {
        "name": "accountingEntryLettering",
        "operation": "CREATE",
        "scope": {"schemaId": 7, "firmId": 3, "accountingFolderId": books.society_id},
        "data": {"id": "880031", "paymentType": "VIRT", "piece1": "VIR20260413"},
        "webhookId": "5d1c7f0e-0f1e-4c2b-8a3d-6e5f4a3b2c1d",
        "createdAt": int(world.now.timestamp()) * 1000,
    }
    body = json.dumps([event], separators=(",", ":")).encode()
    scheme = cast("type[Connector]", recorder.connector).manifest.webhook
    if scheme is None:
        raise ValueError("the manifest says how deliveries are signed")
    delivery = {
        "headers": signed_headers(scheme, SECRET, body, world.now),
        "body": body.decode(),
        "received_at": world.now.isoformat().replace("+00:00", "Z"),
        "hints": [{"stream": "invoices", "ref": None}],
    }
    said = {"secrets": [SECRET], "deliveries": [delivery]}
    text = json.dumps(said, ensure_ascii=False, indent=2)
    (recorder.folder / "webhook.json").write_text(text + "\n", "utf-8")


def _open(world: World) -> Bookkeeping:
    """Open the firm, its two dossiers and the key that opens both."""
    tool = world.myunisoft
    tool.register_partner(SECRET)
    firm = tool.add_firm("Cabinet Exemple", "81234567600017")
    years = [(date(2025, 1, 1), date(2025, 12, 31)), (date(2026, 1, 1), date(2026, 12, 31))]
    books = tool.add_dossier(firm, "Atelier Exemple SARL", SIREN, years)
    tool.add_dossier(firm, "Menuiserie Exemple SAS", "812345676", years[1:])
    tool.firm_key(firm, token=TOKEN)
    return books


def _fill(books: Bookkeeping) -> None:
    """Book the lines of four customers over two years, the first of which is closed."""
    books.add_customer(
        "Client Exemple SAS",
        number=CUSTOMER,
        siren="812345676",
        address_number="4",
        street_type="Rue",
        street="DES ESSAIS",
        postcode="35000",
        city="RENNES",
        term=books.term(30, end_of_month=True),
    )
    books.add_customer("Ville d'Exemple", number=TOWN, siren="223456781", city="RENNES")
    books.add_customer("Particulier Exemple", number=PERSON, city="LYON")
    books.add_customer("Example GmbH", number=ABROAD, city="BERLIN", country="ALLEMAGNE")
    old = date(2025, 11, 3)
    books.issue("FA2025030", CUSTOMER, old, (date(2025, 12, 3), 80_000))
    books.receive(CUSTOMER, date(2025, 12, 9), 80_000, number="FA2025030", lettered=True)
    books.issue("FA2025031", TOWN, old, (date(2025, 12, 3), 145_050))
    books.issue("FA2025033", ABROAD, old, (date(2025, 12, 3), 9_900))
    books.issue("FA2025032", PERSON, old, (date(2025, 12, 3), 21_000))
    books.receive(PERSON, date(2025, 12, 20), 6_000, number="FA2025032", lettered=True)
    books.carry_forward(date(2025, 6, 1))
    issued = date(2026, 2, 2)
    books.issue("FA2026010", CUSTOMER, issued, (date(2026, 3, 4), 120_000), document=PDF)
    books.issue("FA2026011", CUSTOMER, issued, (None, 64_000))
    books.issue("FA2026012", CUSTOMER, issued, (date(2026, 3, 4), 24_000))
    books.receive(CUSTOMER, date(2026, 3, 9), 24_000, number="FA2026012", lettered=True)
    books.issue("FA2026020", TOWN, issued, (date(2026, 3, 4), 33_300))
    third = 20_000
    books.issue(
        "FA2026030",
        ABROAD,
        issued,
        (date(2026, 3, 1), third),
        (date(2026, 4, 1), third),
        (date(2026, 5, 1), third),
    )
    books.receive(ABROAD, date(2026, 3, 3), third, number="FA2026030")
    lines = books.line_ids(ABROAD, "FA2026030")
    books.letter(lines[0], lines[-1])
    books.credit("AV2026001", TOWN, date(2026, 3, 2), 5_000)
    books.receive(ABROAD, date(2026, 3, 5), 1_250)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
