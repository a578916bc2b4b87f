"""A connector for a tool nobody has, with every kind of role the exam looks at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import ClassVar, Generic, Literal, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from encaisse_api import (
    Absent,
    BearerAuth,
    CollectedPayment,
    CollectorPayout,
    Conflict,
    Context,
    Cursor,
    Debtor,
    Delivery,
    Denied,
    Drift,
    Frozen,
    Granted,
    Hint,
    Instalment,
    InvoiceState,
    Mandate,
    MandateDraft,
    MandateLink,
    Manifest,
    Missing,
    Money,
    OutcomeUnknown,
    Page,
    PaymentEntry,
    ProcedureState,
    Receipt,
    Rejected,
    Setting,
    SourceInvoice,
    Stream,
    Token,
    Transient,
    Unreadable,
    WebhookScheme,
    Write,
)

MANIFEST = Manifest(
    slug="toy",
    name="Toy",
    summary_fr="Outil d’essai : factures, règlements, mandats, encaissements.",
    contract="documented",
    pages=("https://toy.example.org/doc",),
    test_hosts=("api.toy.example.org",),
    live_hosts=("live.toy.example.org",),
    auth=BearerAuth(),
    settings=(
        Setting(name="token", label_fr="Jeton", label_en="Token", secret=True),
        Setting(name="webhook_secret", label_fr="Secret", label_en="Secret", secret=True),
    ),
    streams={
        "invoices": Stream(mode="snapshot"),
        "progress": Stream(mode="changes"),
        "payments_collected": Stream(mode="changes"),
        "payouts": Stream(mode="changes"),
    },
    writes={
        "record_payment": Write(guarantee="lookup"),
        "record_payment_blind": Write(guarantee="none"),
        "request_mandate": Write(guarantee="key"),
    },
    webhook=WebhookScheme(header="Toy-Signature"),
)


class InvoiceRow(BaseModel):
    id: str
    number: str
    status: str
    issued: date
    due: date | None = None
    total: str
    open: str
    customer: str


class PaymentRow(BaseModel):
    id: str
    reference: str
    amount: str
    status: str


class MandateRow(BaseModel):
    id: str
    reference: str
    status: str
    url: str
    signed_at: datetime | None = None


class ProcedureRow(BaseModel):
    id: str
    status: str
    updated_at: datetime


class CollectedRow(BaseModel):
    id: str
    procedure: str
    number: str
    amount: str
    received_on: date
    status: str
    updated_at: datetime


class PayoutRow(BaseModel):
    id: str
    state: str
    updated_at: datetime


Row = TypeVar("Row", bound=BaseModel)
Item = TypeVar("Item", bound=Frozen)


class ListAnswer(BaseModel):
    items: list[dict[str, object]]
    total: int
    has_more: bool
    next_cursor: str | None


class Rows(Generic[Row]):
    """Keep the rows of one page that could be read, and those that could not."""

    def __init__(self, shape: type[Row], listed: list[object]) -> None:
        self.good: list[Row] = []
        self.bad: list[Unreadable] = []
        for raw in listed:
            try:
                self.good.append(shape.model_validate(raw))
            except ValidationError as error:
                reason = f"ligne illisible : {error.error_count()} champ(s)"
                self.bad.append(Unreadable(raw=json.dumps(raw), reason=reason))


class ToyConnector:
    """Speak to the toy."""

    manifest: ClassVar[Manifest] = MANIFEST

    def __init__(self, context: Context) -> None:
        self.context = context
        self.base = f"https://{context.hosts[0]}/v1"

    # What an answer means.

    def get(self, path: str, params: Mapping[str, str] | None = None) -> object:
        try:
            answer = self.context.http.get(f"{self.base}{path}", params=params)
        except httpx.TransportError as error:
            raise Transient("Toy ne répond pas : nouvel essai plus tard.") from error
        if answer.status_code == 401:
            raise Denied("Toy refuse l’accès : reconnectez le compte.")
        if answer.status_code == 429 or answer.status_code >= 500:
            raise Transient("Toy est indisponible : nouvel essai plus tard.")
        if answer.status_code != 200:
            raise Rejected(f"Toy répond {answer.status_code}.")
        return self.parsed(answer)

    def parsed(self, answer: httpx.Response) -> object:
        try:
            return json.loads(answer.content)
        except ValueError as error:
            raise Drift("Toy répond autre chose que du JSON.", raw=answer.text) from error

    def post(self, path: str, body: Mapping[str, object], key: str | None = None) -> object:
        headers = {"Idempotency-Key": key} if key else {}
        try:
            answer = self.context.http.post(f"{self.base}{path}", json=dict(body), headers=headers)
        except httpx.ConnectError as error:
            raise Transient("Toy est injoignable : rien n’a été envoyé.") from error
        except httpx.TransportError as error:
            raise OutcomeUnknown("La réponse de Toy s’est perdue.") from error
        if answer.status_code == 401:
            raise Denied("Toy refuse l’accès : reconnectez le compte.")
        if answer.status_code == 429:
            raise Transient("Toy demande d’attendre.")
        if 400 <= answer.status_code < 500:
            raise Rejected(f"Toy refuse l’écriture ({answer.status_code}).")
        if answer.status_code != 201:
            raise OutcomeUnknown(f"Toy répond {answer.status_code} : écriture incertaine.")
        try:
            return json.loads(answer.content)
        except ValueError as error:
            raise OutcomeUnknown("La réponse de Toy est illisible.") from error

    def pages(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[ListAnswer]:
        """Yield whole pages; refuse a mark seen before, and fewer rows than the total."""
        query, seen, count = dict(params or {}), set[str](), 0
        while True:
            page = self.list_answer(self.get(path, query))
            count += len(page.items)
            if page.has_more != (page.next_cursor is not None):
                raise Drift("Toy annonce une suite sans dire où.")
            if page.next_cursor is None and count != page.total:
                raise Drift(f"Toy annonce {page.total} lignes et en donne {count}.")
            if page.next_cursor in seen:
                raise Drift("Toy répète la même page.")
            yield page
            if page.next_cursor is None:
                return
            seen.add(page.next_cursor)
            query["cursor"] = page.next_cursor

    def list_answer(self, document: object) -> ListAnswer:
        try:
            listed = document.get("items") if isinstance(document, dict) else None
            if not isinstance(listed, list):
                raise Drift("Toy ne donne pas de liste.")
            rows = [row if isinstance(row, dict) else {"raw": row} for row in listed]
            return ListAnswer.model_validate({**document, "items": rows})  # type: ignore[dict-item]
        except ValidationError as error:
            raise Drift("La liste de Toy n’a pas la forme attendue.") from error

    # Reads.

    def probe(self) -> Granted:
        who = self.get("/me")
        if not isinstance(who, dict) or not isinstance(who.get("account"), str):
            raise Drift("Toy ne dit pas quel compte est ouvert.")
        return Granted(account=who["account"])

    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        for page in self.pages("/invoices"):
            rows = Rows(InvoiceRow, list[object](page.items))
            items: list[SourceInvoice] = []
            for row in rows.good:
                try:
                    items.append(self.invoice(row))
                except (ValidationError, InvalidOperation):
                    rows.bad.append(Unreadable(ref=row.id, raw=str(row), reason="montant faux"))
            yield Page(items=tuple(items), unreadable=tuple(rows.bad), end=not page.has_more)

    def invoice(self, row: InvoiceRow) -> SourceInvoice:
        total, due = Money(amount=Decimal(row.total)), Money(amount=Decimal(row.open))
        return SourceInvoice(
            ref=row.id,
            number=row.number,
            state=self.invoice_state(row.status),
            issue_date=row.issued,
            total=total,
            open=due,
            instalments=(Instalment(ref="1", due_date=row.due, amount=total, open=due),),
            debtor=Debtor(name=row.customer),
        )

    def invoice_state(self, word: str) -> InvoiceState:
        return "open" if word == "unpaid" else "settled" if word == "paid" else "unknown"

    def read_invoices(self, refs: Sequence[str]) -> Sequence[SourceInvoice | Missing]:
        page = next(iter(self.pages("/invoices", {"ids": ",".join(refs)})))
        rows = Rows(InvoiceRow, list[object](page.items))
        if rows.bad:
            raise Drift("Toy donne une facture illisible.")
        found = {row.id: self.invoice(row) for row in rows.good}
        return [found.get(ref) or Missing(ref=ref) for ref in refs]

    def pull_progress(self, since: Cursor | None) -> Iterator[Page[ProcedureState]]:
        states: dict[str, Literal["active", "closed"]] = {"active": "active", "closed": "closed"}
        for page in self.pages("/procedures", self.since(since)):
            rows = Rows(ProcedureRow, list[object](page.items))
            items = tuple(
                ProcedureState(
                    remote_id=row.id,
                    state=states.get(row.status, "unknown"),
                    updated_at=row.updated_at,
                )
                for row in rows.good
            )
            yield self.changed(items, rows.bad, page)

    def pull_payments_collected(self, since: Cursor | None) -> Iterator[Page[CollectedPayment]]:
        for page in self.pages("/collected", self.since(since)):
            rows = Rows(CollectedRow, list[object](page.items))
            items = tuple(self.collected(row) for row in rows.good)
            yield self.changed(items, rows.bad, page)

    def collected(self, row: CollectedRow) -> CollectedPayment:
        amount, none = Money(amount=Decimal(row.amount)), Money(amount=Decimal(0))
        return CollectedPayment(
            remote_id=row.id,
            procedure_ref=row.procedure,
            invoice_number=row.number,
            amount=amount,
            principal=amount,
            interest=none,
            indemnity=none,
            costs=none,
            received_by="collector",
            received_on=row.received_on,
            state="verified" if row.status == "verified" else "pending",
            updated_at=row.updated_at,
        )

    def pull_payouts(self, since: Cursor | None) -> Iterator[Page[CollectorPayout]]:
        for page in self.pages("/payouts", self.since(since)):
            rows = Rows(PayoutRow, list[object](page.items))
            items = tuple(self.payout(row) for row in rows.good)
            yield self.changed(items, rows.bad, page)

    def payout(self, row: PayoutRow) -> CollectorPayout:
        return CollectorPayout(
            remote_id=row.id,
            state="executed" if row.state == "executed" else "scheduled",
            lines=(),
            net=Money(amount=Decimal(0)),
            updated_at=row.updated_at,
        )

    def since(self, cursor: Cursor | None) -> dict[str, str]:
        return {"since": cursor.value} if isinstance(cursor, Token) else {}

    def changed(
        self, items: tuple[Item, ...], bad: list[Unreadable], page: ListAnswer
    ) -> Page[Item]:
        mark = None if page.has_more else Token(value="next-pass")
        return Page(items=items, unreadable=tuple(bad), cursor=mark, end=not page.has_more)

    # Writes and their look-ups.

    def receipt(self, raw: object) -> Receipt:
        row = PaymentRow.model_validate(raw)
        return Receipt(
            remote_id=row.id,
            amount=Money(amount=Decimal(row.amount)),
            state="posted" if row.status == "posted" else "pending",
        )

    def payment_body(self, key: str, payment: PaymentEntry) -> dict[str, object]:
        return {"reference": key, "amount": str(payment.amount.amount), "on": f"{payment.paid_on}"}

    def find_payment(self, key: str, payment: PaymentEntry) -> Receipt | Absent:
        path = f"/invoices/{payment.invoice_ref}/payments"
        listed = [row for page in self.pages(path, {"reference": key}) for row in page.items]
        if not listed:
            return Absent(searched=f"{path}, référence {key}", at=self.context.now)
        try:
            found = self.receipt(self.only(listed, "règlements"))
        except (ValidationError, InvalidOperation) as error:
            raise Drift("Toy donne un règlement illisible.") from error
        if found.amount is not None and found.amount != payment.amount:
            raise Conflict("Toy porte un autre montant sous notre référence.")
        return found

    def only(self, listed: Sequence[object], what: str) -> object:
        if len(listed) > 1:
            raise Conflict(f"Toy porte {len(listed)} {what} sous notre référence.")
        return listed[0]

    def record_payment(self, key: str, payment: PaymentEntry) -> Receipt:
        path = f"/invoices/{payment.invoice_ref}/payments"
        try:
            return self.receipt(self.post(path, self.payment_body(key, payment)))
        except ValidationError as error:
            raise OutcomeUnknown("Toy confirme un règlement illisible.") from error

    def record_payment_blind(self, key: str, payment: PaymentEntry) -> Receipt:
        try:
            return self.receipt(self.post("/cashbook", self.payment_body(key, payment)))
        except ValidationError as error:
            raise OutcomeUnknown("Toy confirme un règlement illisible.") from error

    def find_mandate(self, key: str, draft: MandateDraft) -> MandateLink | Absent:
        listed = [row for page in self.pages("/mandates", {"reference": key}) for row in page.items]
        if not listed:
            return Absent(searched=f"/mandates, référence {key}", at=self.context.now)
        try:
            row = MandateRow.model_validate(self.only(listed, "mandats"))
        except ValidationError as error:
            raise Drift("Toy donne un mandat illisible.") from error
        return MandateLink(remote_id=row.id, signing_url=row.url)

    def request_mandate(self, key: str, draft: MandateDraft) -> MandateLink:
        body = {"reference": key, "quotes": list(draft.quote_ids)}
        try:
            row = MandateRow.model_validate(self.post("/mandates", body, key))
        except ValidationError as error:
            raise OutcomeUnknown("Toy confirme un mandat illisible.") from error
        return MandateLink(remote_id=row.id, signing_url=row.url)

    def read_mandate(self, ref: str) -> Mandate:
        try:
            row = MandateRow.model_validate(self.get(f"/mandates/{ref}"))
        except ValidationError as error:
            raise Drift("Toy donne un mandat illisible.") from error
        state: Literal["signed", "pending", "unknown"] = "unknown"
        if row.status in ("signed", "pending"):
            state = "signed" if row.status == "signed" else "pending"
        return Mandate(remote_id=row.id, state=state, signed_at=row.signed_at)

    def read_webhook(self, delivery: Delivery) -> Sequence[Hint]:
        try:
            event = json.loads(delivery.body)
            return [Hint(stream=event["stream"], ref=event["id"])]
        except (ValueError, KeyError, TypeError) as error:
            raise Drift("Toy envoie une notification illisible.") from error
