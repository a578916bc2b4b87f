"""Record the cassettes of the Libeo connector: `python -m encaisse_lab.record_libeo FOLDER`.

Both directions stand in one list, under each of the ten statuses; among them an avoir, an invoice
paid in part, one without a due date, one in another currency, and a customer without SIREN.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from encaisse_api import Delivery
from encaisse_api.conformance.cassette import write_sidecar
from encaisse_lab.record import Recorder, connector_named
from encaisse_simulator.libeo.account import PAID, STATUSES, TO_PAY
from encaisse_simulator.libeo.webhooks import EVENTS, SIGNATURE_HEADER
from encaisse_simulator.transport import SimTransport
from encaisse_simulator.world import World

SEED = 7
START = datetime(2026, 4, 1, 8, 0, tzinfo=UTC)
NOW = datetime(2026, 4, 14, 2, 0, tzinfo=UTC)
API_KEY = "key-invented-for-the-recording"
WEBHOOK_SECRET = "whsec-invented-for-the-recording"
SIRET = "98765432400019"
PAGE = 20
PDF = b"%PDF-1.4\n% a document in name only, in ASCII so that it can be read\n%%EOF\n"


def main(folder: Path) -> None:
    """Record every file the exam of this connector needs."""
    world = World(SEED, START)
    world.libeo.page_size = PAGE
    ids = _books(world)
    world.set_now(NOW)
    recorder = Recorder(
        folder=folder,
        connector=connector_named("libeo"),
        world=world,
        recorded_against=f"libeo simulator, assumed contract v1, seed {SEED}",
        headers={"X-Api-Key": API_KEY},
        settings={"siret": SIRET},
    )
    recorder.write_context()
    recorder.record("probe")
    recorder.record("pull_invoices", {"since": None})
    refs = [ids["F-PART"], ids["A-Planifié"], ids["F-PAID"]]
    recorder.record("read_invoices", {"refs": refs})
    write_sidecar(folder, "read_invoices", refs=refs)
    recorder.record("fetch_document", {"ref": ids["F-01"]})
    write_sidecar(folder, "fetch_document", ref=ids["F-01"])
    _webhooks(world, recorder)


def _books(world: World) -> dict[str, str]:
    """Fill one company's invoices over some days; give their ids by name."""
    tool = world.libeo
    tool.add_company(API_KEY, SIRET, "Atelier Exemple SARL", webhook_secret=WEBHOOK_SECRET)
    issued, due = date(2026, 2, 2), date(2026, 3, 4)
    ids: dict[str, str] = {}

    def sent(
        name: str,
        cents: int,
        buyer: str = "Client Exemple SAS",
        siren: str = "812345676",
        due: date | None = due,
        status: str = TO_PAY,
        currency: str = "EUR",
        document: bytes | None = None,
    ) -> None:
        ids[name] = tool.add_receivable(
            API_KEY,
            name,
            buyer,
            siren,
            issued,
            due,
            cents,
            status=status,
            currency=currency,
            document=document,
        )

    for place in range(1, 13):
        sent(
            f"F-{place:02}",
            10_000 + place * 1_237,
            due=None if place == 5 else due + timedelta(days=place),
            document=PDF if place == 1 else None,
        )
        world.advance(timedelta(minutes=7))
    for place, status in enumerate(STATUSES):
        if status != PAID:
            sent(f"S-{place:02}", 30_000 + place, status=status)
        ids[f"A-{status}"] = tool.add_payable(
            API_KEY,
            f"A-{place:02}",
            "Fournisseur Exemple SA",
            "999100019",
            issued,
            due,
            20_000 + place * 500,
            status=status if status != PAID else TO_PAY,
        )
        world.advance(timedelta(minutes=7))
    sent("F-PUBLIC", 44_000, "Ville d'Exemple", siren="223456781")
    sent("F-SANS-SIREN", 12_000, "Client sans numéro", siren="")
    sent("F-USD", 50_000, currency="USD")
    sent("AV-01", -9_000)
    sent("F-PART", 80_000)
    sent("F-PAID", 24_000)
    sent("F-CREDITED", 60_000)
    world.advance(timedelta(hours=1))
    tool.schedule_payment(ids["A-Planifié"], date(2026, 4, 20))
    tool.schedule_payment(ids["A-Payé"], date(2026, 4, 3))
    tool.schedule_payment(ids["A-En cours"], date(2026, 4, 13))
    tool.customer_pays(ids["F-PART"], 30_000, date(2026, 4, 1))
    tool.customer_pays(ids["F-PAID"], 24_000, date(2026, 4, 1))
    tool.credit_note(ids["F-CREDITED"], 15_000, date(2026, 4, 1), "AV-02")
    return ids


def _webhooks(world: World, recorder: Recorder) -> None:
    """Write one delivery of each kind, signed on the way, with the hints it must give."""
    waiting = world.libeo.deliveries()
    chosen = [
        next(each for each in waiting if json.loads(each.body)["type"] == kind) for kind in EVENTS
    ]
    written: list[Mapping[str, object]] = []
    with recorder.instance(SimTransport(world)) as connector:
        for each in chosen:
            headers = dict(each.headers)
            stamp = headers[SIGNATURE_HEADER].partition(",")[0].removeprefix("t=")
            received_at = datetime.fromtimestamp(int(stamp), UTC)
            delivery = Delivery(
                headers=tuple(headers.items()), body=each.body, received_at=received_at
            )
            written.append(
                {
                    "headers": headers,
                    "body": each.body.decode(),
                    "received_at": received_at.isoformat().replace("+00:00", "Z"),
                    "hints": [
                        hint.model_dump(mode="json") for hint in connector.read_webhook(delivery)
                    ],
                }
            )
    said = {"secrets": [WEBHOOK_SECRET], "deliveries": written}
    text = json.dumps(said, ensure_ascii=False, indent=2)
    (recorder.folder / "webhook.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
