"""A counter that answers as the test says, and the values of the trade the tests beside share."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
from tests.lent import lent

from encaisse_api import (
    Amendment,
    AnnexLine,
    ClaimFile,
    Contact,
    Creditor,
    Debtor,
    DirectPayment,
    Dispute,
    Document,
    FiledClaim,
    Mandate,
    MandateDraft,
    Money,
    Page,
    Pause,
    PostalAddress,
    QuotedClaim,
    QuoteRequest,
    SignedMandate,
    Withdrawal,
)
from encaisse_gcollect import GCollectConnector

PAYLOADS = Path(__file__).parent / "payloads"
NOW = datetime(2026, 10, 2, 1, 0, tzinfo=UTC)
KEY = "enc-" + "7k" * 13
OTHER_KEY = "enc-" + "3v" * 13
FIRST = "clm_01JZ8QW3ERTY5MPASDFGHJK0M1"
SECOND = "clm_01JZ8QW3ERTY5MPASDFGHJK0M2"
ACCOUNT = "cre_lanterne"


def euros(text: str) -> Money:
    return Money.model_validate({"amount": text, "currency": "EUR"})


def payload(name: str, **changed: object) -> dict[str, Any]:
    """Read a hand-written payload, with some fields changed."""
    read: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text("utf-8"))
    return copy.deepcopy(read) | changed


def listing(
    *rows: object, cursor: str | None = None, total: int | None = None
) -> dict[str, object]:
    """Make one page of a list."""
    return {
        "items": list(rows),
        "has_more": cursor is not None,
        "next_cursor": cursor,
        "total": len(rows) if total is None else total,
    }


def answer(body: object, status: int = 200, **headers: str) -> httpx.Response:
    media = "application/json" if status < 400 else "application/problem+json"
    return httpx.Response(
        status, content=json.dumps(body).encode(), headers={"content-type": media, **headers}
    )


def html(status: int = 200) -> httpx.Response:
    return httpx.Response(status, html="<html><body>Maintenance</body></html>")


Scripted = httpx.Response | Exception


@dataclass
class Counter(httpx.BaseTransport):
    """Give prepared answers in order, and keep what was asked."""

    answers: list[Scripted]
    sent: list[httpx.Request] = field(default_factory=list[httpx.Request])

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.sent.append(request)
        given = self.answers.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.sent if request.content]


def connector_on(
    transport: httpx.BaseTransport,
    *,
    account: str | None = ACCOUNT,
    settings: Mapping[str, str] | None = None,
    now: datetime = NOW,
    headers: Mapping[str, str] | None = None,
) -> GCollectConnector:
    return GCollectConnector(
        lent(
            httpx.Client(transport=transport, headers=dict(headers or {})),
            now,
            settings or {},
            account=account,
        )
    )


def at_counter(
    *answers: Scripted, account: str | None = ACCOUNT
) -> tuple[GCollectConnector, Counter]:
    counter = Counter(list(answers))
    return connector_on(counter, account=account), counter


def items_of(pages: Iterator[Page[Any]]) -> list[Any]:
    return [item for page in pages for item in page.items]


def annex_line(claim: str, number: str, principal: str, interest: str) -> AnnexLine:
    return AnnexLine(
        claim_id=claim,
        invoice_number=number,
        issue_date=date(2026, 5, 4),
        due_date=date(2026, 6, 3),
        principal=euros(principal),
        interest=euros(interest),
        indemnity=euros("40.00"),
    )


LINES = (
    annex_line(FIRST, "L-2026-118", "1500.00", "12.31"),
    annex_line(SECOND, "L-2026-131", "500.00", "1.05"),
)

REQUEST = QuoteRequest(
    creditor_siren="123456782",
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
        for line in LINES
    ),
)

DRAFT = MandateDraft(creditor_siren="123456782", quote_ids=("quo_51",), annex=LINES)

SIGNED = SignedMandate(
    mandate=Mandate(
        remote_id="mdt_8",
        state="signed",
        annex=LINES,
        signed_at=datetime(2026, 9, 15, 9, 2, 11, tzinfo=UTC),
    )
)

FILE = ClaimFile(
    reference="prp_01JZ8QW3ERTY5MPASDFGHJK0M9",
    creditor=Creditor(siren="123456782", name="Lanterne & Fils SARL"),
    debtor=Debtor(
        kind="company",
        name="Client Exemple SAS",
        siren="987654324",
        vat_id="FR44987654324",
        address=PostalAddress(lines=("4 rue des Essais",), postcode="35000", city="Rennes"),
        contacts=(Contact(name="Compta", email="compta@client.example.org"),),
    ),
    claims=(
        FiledClaim(
            line=LINES[0],
            documents=(
                Document(
                    ref="d-1",
                    filename="L-2026-118.pdf",
                    media_type="application/pdf",
                    content=b"%PDF-1.4 exemple",
                ),
            ),
        ),
        FiledClaim(line=LINES[1]),
    ),
)

WITHDRAWAL = Withdrawal(procedure_ref="prc_401", claim_ids=(SECOND, FIRST), reason="credit_note")
PAUSE = Pause(procedure_ref="prc_401", reason="payment_check")
AMENDMENT = Amendment(
    procedure_ref="prc_401",
    claim_id=FIRST,
    invoice_number="L-2026-118",
    principal=euros("900.00"),
)
PAID = DirectPayment(
    procedure_ref="prc_401",
    claim_id=FIRST,
    invoice_number="L-2026-118",
    amount=euros("600.00"),
    paid_on=date(2026, 9, 19),
    settles=False,
)
CONTESTED = Dispute(procedure_ref="prc_401", claim_id=SECOND, reason="price")


def lowered_procedure(**changed: object) -> dict[str, Any]:
    """Give the procedure after its first invoice was lowered to 900.00."""
    row = payload("procedure", etag='"prc_401-2"', **changed)
    row["invoices"][0]["principal"] = {"amount": "900.00", "currency": "EUR"}
    return row
