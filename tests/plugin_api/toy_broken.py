"""Connectors that break one rule each, as connectors in the wild do."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from datetime import date as day
from time import time as clock
from typing import Any, ClassVar

import httpx
from tests.plugin_api.toy import (
    MANIFEST,
    CollectedRow,
    InvoiceRow,
    ListAnswer,
    PayoutRow,
    ToyConnector,
)

from encaisse_api import (
    Absent,
    CollectedPayment,
    Context,
    Cursor,
    Delivery,
    Drift,
    Granted,
    Hint,
    InvoiceState,
    Mandate,
    MandateDraft,
    MandateLink,
    Manifest,
    Missing,
    Money,
    OutcomeUnknown,
    Page,
    PartnerError,
    PaymentEntry,
    Receipt,
    Rejected,
    SourceInvoice,
    Stream,
    Transient,
)


def declaring(**changes: object) -> type:
    """Make the toy with another manifest."""
    manifest = MANIFEST.model_copy(update=changes)
    return type("ToyConnector", (ToyConnector,), {"manifest": manifest})


class HalfRole:
    manifest: ClassVar[Manifest] = MANIFEST

    def record_payment(self, key: str, payment: PaymentEntry) -> Receipt:
        raise NotImplementedError


class SwappedParameters(ToyConnector):
    def read_invoices(self, references: Sequence[str]) -> Sequence[SourceInvoice | Missing]:
        return super().read_invoices(references)


class WithoutContext(ToyConnector):
    def __init__(self) -> None:
        pass


class KnowsOneHost(ToyConnector):
    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.base = "https://api.toy.example.org/v1"


class AsksForItsSecret(ToyConnector):
    def probe(self) -> Granted:
        self.context.settings.get("token")
        return super().probe()


class EndsEveryPage(ToyConnector):
    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        for page in super().pull_invoices(since):
            yield page.model_copy(update={"end": True})


class FirstPageOnly(ToyConnector):
    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        yield next(super().pull_invoices(since)).model_copy(update={"end": True})


class SnapshotWithCursor(ToyConnector):
    manifest: ClassVar[Manifest] = MANIFEST.model_copy(
        update={"streams": {**MANIFEST.streams, "progress": Stream(mode="snapshot")}}
    )


class RemembersRows(ToyConnector):
    seen: ClassVar[set[str]] = set()

    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        for page in super().pull_invoices(since):
            fresh = tuple(item for item in page.items if item.ref not in self.seen)
            self.seen.update(item.ref for item in page.items)
            yield page.model_copy(update={"items": fresh})


class PatchesItsItems(ToyConnector):
    def invoice(self, row: InvoiceRow) -> SourceInvoice:
        return super().invoice(row).model_copy(update={"open": Money(amount="500.00")})


class SaysItTwice(ToyConnector):
    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        for page in super().pull_invoices(since):
            yield page.model_copy(update={"items": (*page.items, page.items[0])})


class IgnoresItsCursor(ToyConnector):
    def since(self, cursor: Cursor | None) -> dict[str, str]:
        return {}


class LosesItsCursorOnAQuietNight(ToyConnector):
    def pull_progress(self, since: Cursor | None) -> Iterator[Page[Any]]:
        for page in super().pull_progress(since):
            yield page if page.items else page.model_copy(update={"cursor": None})


class DislikesQuietNights(ToyConnector):
    def pull_payouts(self, since: Cursor | None) -> Iterator[Page[Any]]:
        for page in super().pull_payouts(since):
            if not page.items:
                raise Drift("Toy ne donne rien.")
            yield page


class ReceiptWithoutAmount(ToyConnector):
    def receipt(self, raw: object) -> Receipt:
        return super().receipt(raw).model_copy(update={"amount": None})


class TrustsTheNextMark(ToyConnector):
    """Follows `next_cursor` wherever it leads, and counts nothing."""

    def pages(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[ListAnswer]:
        query = dict(params or {})
        while True:
            page = self.list_answer(self.get(path, query))
            yield page
            if page.next_cursor is None:
                return
            query["cursor"] = page.next_cursor


class SwallowsAndAsksAgain(TrustsTheNextMark):
    def get(self, path: str, params: Mapping[str, str] | None = None) -> object:
        while True:
            try:
                return super().get(path, params)
            except Exception:
                continue


class StopsAtARepeatedPage(ToyConnector):
    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        try:
            yield from super().pull_invoices(since)
        except Drift:
            yield Page(end=True)


class Sleeps(ToyConnector):
    def get(self, path: str, params: Mapping[str, str] | None = None) -> object:
        time.sleep(0.001)
        return super().get(path, params)


class OpensItsOwnClient(ToyConnector):
    def get(self, path: str, params: Mapping[str, str] | None = None) -> object:
        with contextlib.suppress(Exception):
            httpx.get("http://127.0.0.1:9/")
        return super().get(path, params)


class AsksForTheDay(ToyConnector):
    def invoice(self, row: InvoiceRow) -> SourceInvoice:
        return super().invoice(row).model_copy(update={"issue_date": day.today()})  # noqa: DTZ011


class AsksForTheTime(ToyConnector):
    def get(self, path: str, params: Mapping[str, str] | None = None) -> object:
        self.context.log.info("asked at %s", clock())
        return super().get(path, params)


class IsBuiltOnTheClock(ToyConnector):
    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.now = datetime.now(UTC)


class OneBadRowKillsThePage(ToyConnector):
    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        for page in super().pull_invoices(since):
            if page.unreadable:
                raise Drift("Toy donne une ligne illisible.")
            yield page


class DropsBadRows(ToyConnector):
    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        for page in super().pull_invoices(since):
            yield page.model_copy(update={"unreadable": ()})


class BadRowTakesItsPage(ToyConnector):
    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        for page in super().pull_invoices(since):
            yield page.model_copy(update={"items": ()}) if page.unreadable else page


class InventsWhatIsMissing(ToyConnector):
    """Accepts a payout row without any of its fields."""

    def pages(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[ListAnswer]:
        default = {"id": "o-0", "state": "scheduled", "updated_at": "2026-03-01T10:00:00Z"}
        for page in super().pages(path, params):
            texts = [{k: v for k, v in row.items() if isinstance(v, str)} for row in page.items]
            items = [{**default, **row} for row in texts]
            yield page.model_copy(update={"items": items})


class EmptyMeansEnd(ToyConnector):
    def get(self, path: str, params: Mapping[str, str] | None = None) -> object:
        try:
            return super().get(path, params)
        except PartnerError:
            return {}

    def list_answer(self, document: object) -> ListAnswer:
        if not isinstance(document, dict) or "items" not in document:
            return ListAnswer(items=[], total=0, has_more=False, next_cursor=None)
        return super().list_answer(document)

    pages = TrustsTheNextMark.pages


class LeaksTransportErrors(ToyConnector):
    def get(self, path: str, params: Mapping[str, str] | None = None) -> object:
        try:
            return super().get(path, params)
        except Transient as error:
            raise RuntimeError("oups") from error


class UnknownIsSettled(ToyConnector):
    def invoice_state(self, word: str) -> InvoiceState:
        return "open" if word == "unpaid" else "settled"


class UnknownIsOpen(ToyConnector):
    def invoice_state(self, word: str) -> InvoiceState:
        return "settled" if word == "paid" else "open"


class UnknownIsCancelled(ToyConnector):
    def invoice_state(self, word: str) -> InvoiceState:
        known = super().invoice_state(word)
        return "cancelled" if known == "unknown" else known


class UnknownOwesNothing(ToyConnector):
    def invoice(self, row: InvoiceRow) -> SourceInvoice:
        known = row.status in ("paid", "unpaid")
        return super().invoice(row if known else row.model_copy(update={"open": "0.00"}))


class UnknownIsReversed(ToyConnector):
    def collected(self, row: CollectedRow) -> CollectedPayment:
        state = row.status if row.status in ("pending", "verified") else "reversed"
        return super().collected(row).model_copy(update={"state": state})


class UnknownIsVerified(ToyConnector):
    def collected(self, row: CollectedRow) -> CollectedPayment:
        state = "pending" if row.status == "pending" else "verified"
        return super().collected(row).model_copy(update={"state": state})


class UnknownIsExecuted(ToyConnector):
    def payout(self, row: PayoutRow) -> Any:
        state = "scheduled" if row.state == "scheduled" else "executed"
        return super().payout(row).model_copy(update={"state": state})


class UnknownIsClosed(ToyConnector):
    def pull_progress(self, since: Cursor | None) -> Iterator[Page[Any]]:
        for page in super().pull_progress(since):
            items = tuple(
                item.model_copy(update={"state": "closed"}) if item.state == "unknown" else item
                for item in page.items
            )
            yield page.model_copy(update={"items": items})


class ReadsInItsOwnOrder(ToyConnector):
    def read_invoices(self, refs: Sequence[str]) -> Sequence[SourceInvoice | Missing]:
        return list(reversed(super().read_invoices(refs)))


class AnswersMissingToAnything(ToyConnector):
    def read_invoices(self, refs: Sequence[str]) -> Sequence[SourceInvoice | Missing]:
        try:
            return super().read_invoices(refs)
        except PartnerError:
            return [Missing(ref=ref) for ref in refs]


class UnknownIsSigned(ToyConnector):
    def read_mandate(self, ref: str) -> Mandate:
        mandate = super().read_mandate(ref)
        return (
            mandate
            if mandate.state == "pending"
            else mandate.model_copy(update={"state": "signed"})
        )


class SendsAnotherAmount(ToyConnector):
    def payment_body(self, key: str, payment: PaymentEntry) -> dict[str, object]:
        return {**super().payment_body(key, payment), "amount": "1.00"}


class TakesDoubtForDone(ToyConnector):
    def record_payment(self, key: str, payment: PaymentEntry) -> Receipt:
        try:
            return super().record_payment(key, payment)
        except OutcomeUnknown:
            return Receipt(remote_id="?", amount=payment.amount)


class TakesDoubtForNothingDone(ToyConnector):
    def record_payment(self, key: str, payment: PaymentEntry) -> Receipt:
        try:
            return super().record_payment(key, payment)
        except OutcomeUnknown as error:
            raise Transient("Toy n’a rien fait.") from error


class SendsNoKey(ToyConnector):
    def post(self, path: str, body: Mapping[str, object], key: str | None = None) -> object:
        return super().post(path, body)


class NewKeyEachTime(ToyConnector):
    attempts: ClassVar[Iterator[int]] = itertools.count()

    def post(self, path: str, body: Mapping[str, object], key: str | None = None) -> object:
        return super().post(path, body, f"{key}-{next(self.attempts)}")


class OneKeyForAll(ToyConnector):
    def post(self, path: str, body: Mapping[str, object], key: str | None = None) -> object:
        return super().post(path, body, "toy")


class NewBodyEachTime(ToyConnector):
    attempts: ClassVar[Iterator[int]] = itertools.count()

    def post(self, path: str, body: Mapping[str, object], key: str | None = None) -> object:
        return super().post(path, {**body, "attempt": next(self.attempts)}, key)


class FindsAnotherAmount(ToyConnector):
    def find_payment(self, key: str, payment: PaymentEntry) -> Receipt | Absent:
        found = super().find_payment(key, payment)
        if isinstance(found, Absent):
            return found
        return found.model_copy(update={"amount": Money(amount="1.00")})


class SkipsRowsItCannotRead(ToyConnector):
    def find_payment(self, key: str, payment: PaymentEntry) -> Receipt | Absent:
        try:
            return super().find_payment(key, payment)
        except Drift as error:
            if "règlement" not in error.message:
                raise
            return Absent(searched="règlements lisibles", at=self.context.now)


class ChokesOnARow(ToyConnector):
    def find_payment(self, key: str, payment: PaymentEntry) -> Receipt | Absent:
        try:
            return super().find_payment(key, payment)
        except Drift as error:
            raise KeyError("reference") from error


class TakesTheFirstRow(ToyConnector):
    def find_payment(self, key: str, payment: PaymentEntry) -> Receipt | Absent:
        path = f"/invoices/{payment.invoice_ref}/payments"
        for page in self.pages(path, {"reference": key}):
            for row in page.items:
                return self.receipt(row)
        return Absent(searched=path, at=self.context.now)


class EchoesTheAmount(TakesTheFirstRow):
    def find_payment(self, key: str, payment: PaymentEntry) -> Receipt | Absent:
        found = super().find_payment(key, payment)
        if isinstance(found, Absent):
            return found
        return found.model_copy(update={"amount": payment.amount})


class TakesTheFirstMandate(ToyConnector):
    def only(self, listed: Sequence[object], what: str) -> object:
        return listed[0]


class SendsAgain(ToyConnector):
    def post(self, path: str, body: Mapping[str, object], key: str | None = None) -> object:
        try:
            return super().post(path, body, key)
        except OutcomeUnknown:
            return super().post(path, body, key)


class UnknownIsPosted(ToyConnector):
    def receipt(self, raw: object) -> Receipt:
        return super().receipt(raw).model_copy(update={"state": "posted"})


class NeverAbsent(ToyConnector):
    def find_payment(self, key: str, payment: PaymentEntry) -> Receipt | Absent:
        found = super().find_payment(key, payment)
        return found if isinstance(found, Receipt) else Receipt(remote_id="?")


class AlwaysAbsent(ToyConnector):
    def find_payment(self, key: str, payment: PaymentEntry) -> Receipt | Absent:
        super().find_payment(key, payment)
        return Absent(searched="partout", at=self.context.now)


class NotFoundIsAbsent(ToyConnector):
    def find_payment(self, key: str, payment: PaymentEntry) -> Receipt | Absent:
        try:
            return super().find_payment(key, payment)
        except Rejected:
            return Absent(searched="partout", at=self.context.now)


class NoAnswerIsAbsent(EmptyMeansEnd):
    """Takes any answer without rows for an empty list."""


class DeniedIsTransient(ToyConnector):
    def get(self, path: str, params: Mapping[str, str] | None = None) -> object:
        try:
            return super().get(path, params)
        except PartnerError as error:
            raise Transient("Toy ne répond pas.") from error


class FirstPageOfTheSearch(ToyConnector):
    def pages(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[ListAnswer]:
        yield self.list_answer(self.get(path, params))


class KnowsOnlyPosted(ToyConnector):
    def find_payment(self, key: str, payment: PaymentEntry) -> Receipt | Absent:
        found = super().find_payment(key, payment)
        if isinstance(found, Receipt) and found.state != "posted":
            return Absent(searched="règlements validés", at=self.context.now)
        return found


class HintsAtNothing(ToyConnector):
    def read_webhook(self, delivery: Delivery) -> Sequence[Hint]:
        return [Hint(stream="weather")]


class HintsAnyway(ToyConnector):
    def read_webhook(self, delivery: Delivery) -> Sequence[Hint]:
        return [Hint(stream="invoices", ref="i-1")]


class PullsWhileReading(ToyConnector):
    def read_webhook(self, delivery: Delivery) -> Sequence[Hint]:
        try:
            self.context.http.get("https://api.toy.example.org/v1/invoices")
        except httpx.TransportError:
            return super().read_webhook(delivery)
        return super().read_webhook(delivery)


class MandateWithoutId(ToyConnector):
    def find_mandate(self, key: str, draft: MandateDraft) -> MandateLink | Absent:
        found = super().find_mandate(key, draft)
        if isinstance(found, Absent):
            return found
        return found.model_copy(update={"remote_id": "m-2"})


class DropsRowsItCannotName(ToyConnector):
    """Skips a row without a customer, as `if row.get(...)` does."""

    def pages(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[ListAnswer]:
        for page in super().pages(path, params):
            kept = [row for row in page.items if isinstance(row.get("customer"), str)]
            yield page.model_copy(update={"items": kept})


class DropsUnknownStatuses(ToyConnector):
    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        for page in super().pull_invoices(since):
            known = tuple(item for item in page.items if item.state != "unknown")
            yield page.model_copy(update={"items": known})
