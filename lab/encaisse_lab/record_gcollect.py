"""Record the cassettes of the GCollect connector: `python -m encaisse_lab.record_gcollect FOLDER`.

A creditor has lived some weeks in the simulator before the recording: one file was paid, paid out
and partly taken back, one was given up and attested, one waits for more transfers than a page
holds. Names, keys and secrets are invented.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from encaisse_api import (
    Amendment,
    AnnexLine,
    Attestation,
    ClaimFile,
    Contact,
    Creditor,
    Debtor,
    Delivery,
    DirectPayment,
    Dispute,
    Document,
    FiledClaim,
    Mandate,
    MandateDraft,
    MandateLink,
    Money,
    Pause,
    PostalAddress,
    Quote,
    QuotedClaim,
    QuoteRequest,
    Receipt,
    SignedMandate,
    Withdrawal,
)
from encaisse_api.conformance.cassette import write_sidecar
from encaisse_lab.record import Recorder, connector_named
from encaisse_simulator.transport import SimTransport
from encaisse_simulator.world import World

SEED = 7
START = datetime(2026, 9, 1, 7, 0, tzinfo=UTC)
NOW = datetime(2026, 10, 2, 1, 0, tzinfo=UTC)
SIREN = "123456782"
CLIENT = ("app-invented", "secret-invented")
WEBHOOK_SECRET = "whsec_invented_for_the_recording"
MORE_THAN_A_PAGE = 101
PDF = b"%PDF-1.4\n% a document in name only, in ASCII so that it can be read\n%%EOF\n"


def key(letter: str) -> str:
    """Make one key per effect."""
    return f"enc-{letter:0>26}"


def annex_line(number: int, cents: int) -> AnnexLine:
    """Make one claim of the recording."""
    return AnnexLine(
        claim_id=f"clm_01K5RECXRD{number:016}",
        invoice_number=f"G-2026-{number:03}",
        issue_date=date(2026, 6, 1) + timedelta(days=number),
        due_date=date(2026, 7, 1) + timedelta(days=number),
        principal=Money.of_minor(cents),
        interest=Money.of_minor(cents // 100),
        indemnity=Money.of_minor(4_000),
    )


@dataclass
class Account:
    """Act for one creditor at the simulator, up to what is recorded."""

    world: World
    connector: type
    creditor_id: str

    def headers(self) -> dict[str, str]:
        """Get a token as the host does."""
        with httpx.Client(transport=SimTransport(self.world)) as http:
            answer = http.post(
                "https://api.gcollect.example/v1/oauth/token",
                data={"grant_type": "client_credentials"},
                auth=CLIENT,
            )
        return {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}

    def call(self, method: str, *arguments: object) -> Any:
        """Call the connector without recording it."""
        recorder = self.recorder(Path())
        with recorder.instance(SimTransport(self.world)) as connector:
            return getattr(connector, method)(*arguments)

    def recorder(self, folder: Path) -> Recorder:
        """Make a recorder at this instant."""
        return Recorder(
            folder=folder,
            connector=self.connector,
            world=self.world,
            recorded_against=f"gcollect simulator, assumed contract v1, seed {SEED}",
            headers=self.headers(),
            account=self.creditor_id,
        )

    def request(self, *lines: AnnexLine) -> QuoteRequest:
        """Ask for a price on these claims."""
        return QuoteRequest(
            creditor_siren=SIREN,
            debtor_siren="987654324",
            debtor_kind="company",
            department="35",
            claims=tuple(
                QuotedClaim(
                    claim_id=line.claim_id,
                    issue_date=line.issue_date,
                    due_date=line.due_date,
                    amount=line.principal,
                )
                for line in lines
            ),
        )

    def draft(self, *lines: AnnexLine) -> MandateDraft:
        """Draft a mandate on a fresh quote."""
        quote: Quote = self.call("quote", self.request(*lines))
        return MandateDraft(creditor_siren=SIREN, quote_ids=(quote.remote_id,), annex=lines)

    def sign(self, name: str, *lines: AnnexLine) -> SignedMandate:
        """Get a mandate signed by an invented person."""
        link: MandateLink = self.call("request_mandate", key(f"m{name}"), self.draft(*lines))
        self.world.gcollect.sign_mandate(
            link.remote_id, name="Alix Exemple", email="alix@example.org"
        )
        mandate: Mandate = self.call("read_mandate", link.remote_id)
        return SignedMandate(mandate=mandate)

    def open(self, name: str, *lines: AnnexLine) -> str:
        """Open a procedure and give its id."""
        receipt: Receipt = self.call(
            "open_procedure", key(f"p{name}"), claim_file(*lines), self.sign(name, *lines)
        )
        return receipt.remote_id


def claim_file(*lines: AnnexLine) -> ClaimFile:
    """Hand over these claims of one invented debtor."""
    return ClaimFile(
        reference="prp_01K5RECXRD0000000000000001",
        creditor=Creditor(siren=SIREN, name="Atelier Exemple SARL"),
        debtor=Debtor(
            kind="company",
            name="Client Exemple SAS",
            siren="987654324",
            address=PostalAddress(lines=("4 rue des Essais",), postcode="35000", city="Rennes"),
            contacts=(Contact(name="Comptabilité", email="compta@client.example.org"),),
        ),
        claims=tuple(
            FiledClaim(
                line=line,
                documents=(
                    Document(
                        ref=f"doc-{line.invoice_number}",
                        filename=f"{line.invoice_number}.pdf",
                        media_type="application/pdf",
                        content=PDF,
                    ),
                ),
            )
            for line in lines
        ),
    )


def main(folder: Path) -> None:
    """Record every file the exam of this connector needs."""
    world = World(SEED, START)
    creditor_id = world.gcollect.register_creditor(
        SIREN, "Atelier Exemple SARL", *CLIENT, webhook_secret=WEBHOOK_SECRET
    )
    account = Account(world, connector_named("gcollect"), creditor_id)
    given_up = _weeks_before(account)
    _webhooks(account, folder)
    recorder = account.recorder(folder)
    recorder.write_context()
    recorder.record("probe")
    recorder.record("accounts")
    for pull in ("pull_progress", "pull_payments_collected", "pull_payouts"):
        recorder.record(pull, {"since": None})
    _given_up(recorder, given_up)
    _mandate(account, recorder)
    _effects(account, recorder)


def _weeks_before(account: Account) -> str:
    """Let a month pass; give the id of the procedure that was given up."""
    world, gcollect = account.world, account.world.gcollect
    paid, given_up = annex_line(1, 120_000), annex_line(2, 45_000)
    slow = annex_line(3, 900_000)
    paid_ref = account.open("paid", paid)
    gcollect.debtor_pays(paid_ref, paid.invoice_number, 60_000)
    world.advance(timedelta(days=4))
    second = gcollect.debtor_pays(
        paid_ref, paid.invoice_number, 65_200, interest_cents=1_200, indemnity_cents=4_000
    )
    world.advance(timedelta(days=4))
    gcollect.reverse_payment(second)
    given_up_ref = account.open("givenup", given_up)
    world.advance(timedelta(days=10))
    gcollect.close_irrecoverable(given_up_ref)
    slow_ref = account.open("slow", slow)
    world.set_now(NOW)
    for n in range(MORE_THAN_A_PAGE):
        gcollect.debtor_pays(slow_ref, slow.invoice_number, 1_000 + n, method="bank_transfer")
    return given_up_ref


def _webhooks(account: Account, folder: Path) -> None:
    """Write three of the deliveries signed on the way, with the hints they must give."""
    waiting = account.world.gcollect.deliveries()
    kinds = ("payment.verified", "payout.executed", "procedure.closed")
    chosen = [
        next(each for each in waiting if json.loads(each.body)["type"] == kind) for kind in kinds
    ]
    written: list[Mapping[str, object]] = []
    for each in chosen:
        headers = dict(each.headers)
        stamp = headers["GCollect-Signature"].partition(",")[0].removeprefix("t=")
        received_at = datetime.fromtimestamp(int(stamp), UTC)
        delivery = Delivery(headers=tuple(headers.items()), body=each.body, received_at=received_at)
        hints = account.call("read_webhook", delivery)
        written.append(
            {
                "headers": headers,
                "body": each.body.decode(),
                "received_at": received_at.isoformat().replace("+00:00", "Z"),
                "hints": [hint.model_dump(mode="json") for hint in hints],
            }
        )
    said = {"secrets": [WEBHOOK_SECRET], "deliveries": written}
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(said, ensure_ascii=False, indent=2)
    (folder / "webhook.json").write_text(text + "\n", "utf-8")


def _given_up(recorder: Recorder, procedure_ref: str) -> None:
    """Record the attestation and its document."""
    attested: Attestation = recorder.record("attestation", {"procedure_ref": procedure_ref})
    write_sidecar(recorder.folder, "attestation", procedure_ref=procedure_ref)
    recorder.record("fetch_document", {"ref": attested.document_ref})
    write_sidecar(recorder.folder, "fetch_document", ref=attested.document_ref)


def _mandate(account: Account, recorder: Recorder) -> None:
    """Record a quote and a mandate, from the request to the signature."""
    lines = (annex_line(11, 150_000), annex_line(12, 50_000))
    request = account.request(*lines)
    quote: Quote = recorder.record("quote", {"request": request})
    write_sidecar(recorder.folder, "quote", request=request)
    draft = MandateDraft(creditor_siren=SIREN, quote_ids=(quote.remote_id,), annex=lines)
    link: MandateLink = recorder.record_write(
        "request_mandate", "find_mandate", key("a"), {"draft": draft}
    )
    account.world.gcollect.sign_mandate(
        link.remote_id, name="Alix Exemple", email="alix@example.org"
    )
    mandate: Mandate = recorder.record("read_mandate", {"ref": link.remote_id})
    write_sidecar(recorder.folder, "read_mandate", ref=link.remote_id)
    _opening(recorder, claim_file(*lines), SignedMandate(mandate=mandate))


def _opening(recorder: Recorder, file: ClaimFile, mandate: SignedMandate) -> None:
    """Record an opening between its look-ups, which ask for the file alone."""
    sought = {"key": key("b"), "file": file}
    write_sidecar(recorder.folder, "open_procedure", key("b"), file=file, mandate=mandate)
    recorder.record("find_procedure_absent", sought, method="find_procedure")
    recorder.record("open_procedure", {**sought, "mandate": mandate})
    recorder.record("find_procedure_present", sought, method="find_procedure")


def _effects(account: Account, recorder: Recorder) -> None:
    """Record each further effect on a procedure of its own."""
    kept, gone = annex_line(21, 80_000), annex_line(22, 30_000)
    recorder.record_write(
        "withdraw",
        "find_withdrawal",
        key("c"),
        {
            "withdrawal": Withdrawal(
                procedure_ref=account.open("withdraw", kept, gone),
                claim_ids=(gone.claim_id,),
                reason="credit_note",
            )
        },
    )
    paused = account.open("pause", annex_line(23, 70_000))
    recorder.record_write(
        "pause",
        "find_pause",
        key("d"),
        {"pause": Pause(procedure_ref=paused, reason="payment_check")},
    )
    lowered = annex_line(24, 99_900)
    recorder.record_write(
        "amend",
        "find_amendment",
        key("e"),
        {
            "amendment": Amendment(
                procedure_ref=account.open("amend", lowered),
                claim_id=lowered.claim_id,
                invoice_number=lowered.invoice_number,
                principal=Money.of_minor(49_900),
            )
        },
    )
    direct = annex_line(25, 88_000)
    recorder.record_write(
        "declare_direct_payment",
        "find_direct_payment",
        key("f"),
        {
            "payment": DirectPayment(
                procedure_ref=account.open("direct", direct),
                claim_id=direct.claim_id,
                invoice_number=direct.invoice_number,
                amount=Money.of_minor(88_000),
                paid_on=date(2026, 9, 29),
                settles=True,
            )
        },
    )
    contested = annex_line(26, 61_000)
    recorder.record_write(
        "open_dispute",
        "find_dispute",
        key("g"),
        {
            "dispute": Dispute(
                procedure_ref=account.open("dispute", contested),
                claim_id=contested.claim_id,
                reason="not_delivered",
            )
        },
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
