"""A tool and a collector on paper: real connectors whose partner is a list in memory.

They let the host be tested at every point where the simulator would need many requests: a list cut
short, a reply lost after the entry was made, an access refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

from encaisse_api import (
    Absent,
    Amendment,
    AnnexLine,
    ClaimFile,
    CollectedPayment,
    CollectorPayout,
    Connector,
    Context,
    Cursor,
    Debtor,
    DirectPayment,
    Document,
    Granted,
    Instalment,
    Mandate,
    MandateDraft,
    MandateLink,
    Manifest,
    Missing,
    Money,
    OutcomeUnknown,
    Page,
    PartnerError,
    Pause,
    PaymentEntry,
    PayoutLine,
    ProcedureState,
    Quote,
    QuoteRequest,
    Receipt,
    Rejected,
    ReversalEntry,
    Seller,
    SignedMandate,
    SourceInvoice,
    Stream,
    Transient,
    Unreadable,
    Withdrawal,
    Write,
)

SIREN = "123456782"
LOOKUP = Write(guarantee="lookup")
KEY = Write(guarantee="key")


def invoice(
    number: str,
    cents: int,
    *,
    paid: int = 0,
    due: date = date(2026, 1, 5),
    siren: str = "987654324",
) -> SourceInvoice:
    """Write one invoice as a tool would show it."""
    return SourceInvoice(
        ref=f"r-{number}",
        number=number,
        issue_date=due - timedelta(days=30),
        state="settled" if paid >= cents else "open",
        total=Money.of_minor(cents),
        open=Money.of_minor(cents - paid),
        instalments=(
            Instalment(
                ref="1",
                due_date=due,
                amount=Money.of_minor(cents),
                open=Money.of_minor(cents - paid),
            ),
        ),
        debtor=Debtor(ref=f"c-{siren}", kind="company", name="Client", siren=siren),
        seller=Seller(siren=SIREN),
    )


@dataclass
class Paper:
    """Be the partners: what they hold, what was written, and what goes wrong next."""

    invoices: dict[str, SourceInvoice] = field(default_factory=dict[str, SourceInvoice])
    written: list[tuple[str, str, int]] = field(default_factory=list[tuple[str, str, int]])
    unreadable: list[Unreadable] = field(default_factory=list[Unreadable])
    lose_replies: int = 0
    fail_pull: PartnerError | None = None
    bug: Exception | None = None
    silent_collector: PartnerError | None = None
    cut_short: bool = False
    mandates: dict[str, tuple[MandateDraft, str]] = field(
        default_factory=dict[str, tuple[MandateDraft, str]]
    )
    procedures: dict[str, ClaimFile] = field(default_factory=dict[str, ClaimFile])
    states: dict[str, ProcedureState] = field(default_factory=dict[str, ProcedureState])
    stops: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    collected: dict[str, CollectedPayment] = field(default_factory=dict[str, CollectedPayment])
    payouts: dict[str, CollectorPayout] = field(default_factory=dict[str, CollectorPayout])
    receipts: Callable[[Receipt], Receipt | None] = field(default=lambda receipt: receipt)
    """What the tool says of an entry, which may not be what it holds."""

    def add(self, item: SourceInvoice) -> None:
        """Put an invoice in the tool, or a new state of it."""
        self.invoices[item.ref] = item

    def pay(self, number: str, cents: int, *, ref: str | None = None) -> None:
        """Let the customer pay the company directly: the tool shows less open."""
        known = self.invoices[ref or f"r-{number}"]
        total = known.total.minor
        paid = total - known.open.minor + cents
        due = known.instalments[0].due_date
        assert due is not None and known.debtor.siren is not None
        shown = invoice(number, total, paid=paid, due=due, siren=known.debtor.siren)
        self.add(shown.model_copy(update={"ref": known.ref, "credited": known.credited}))

    def collect(self, payment: str, procedure: str, line: AnnexLine, cents: int, on: date) -> None:
        """Let the debtor pay through the collector, which keeps 10 % and VAT on it."""
        money = Money.of_minor(cents)
        zero = Money.of_minor(0)
        self.collected[payment] = CollectedPayment(
            remote_id=payment,
            procedure_ref=procedure,
            claim_ref=line.claim_id,
            invoice_number=line.invoice_number,
            amount=money,
            principal=money,
            interest=zero,
            indemnity=zero,
            costs=zero,
            received_by="collector",
            received_on=on,
            state="verified",
            fee=Money.of_minor(cents // 10),
            fee_vat=Money.of_minor(cents // 50),
            updated_at=datetime(on.year, on.month, on.day, 12, tzinfo=UTC),
        )

    def reverse(self, payment: str, on: date) -> None:
        """Let the debtor's bank take a payment back."""
        self.collected[payment] = self.collected[payment].model_copy(
            update={"state": "reversed", "reversed_on": on}
        )

    def pay_out(self, payout: str, payments: Sequence[str], on: date) -> None:
        """Transfer what was collected, less the fee."""
        lines = tuple(
            PayoutLine(
                payment_ref=paid.remote_id,
                procedure_ref=paid.procedure_ref,
                invoice_number=paid.invoice_number,
                gross=paid.amount,
                fee=paid.fee or Money.of_minor(0),
                fee_vat=paid.fee_vat or Money.of_minor(0),
                net=paid.amount
                - (paid.fee or Money.of_minor(0))
                - (paid.fee_vat or Money.of_minor(0)),
            )
            for paid in (self.collected[name] for name in payments)
        )
        self.payouts[payout] = CollectorPayout(
            remote_id=payout,
            state="executed",
            lines=lines,
            net=Money.of_minor(sum(line.net.minor for line in lines)),
            executed_on=on,
            updated_at=datetime(on.year, on.month, on.day, 12, tzinfo=UTC),
        )

    def lost(self) -> None:
        """Lose the reply of a write that was made, while there are replies to lose."""
        if self.lose_replies:
            self.lose_replies -= 1
            raise OutcomeUnknown("réponse perdue")


def paper_connectors(paper: Paper) -> dict[str, type[Connector]]:
    """Make the tool's and the collector's connector classes over one paper."""

    class PaperTool:
        manifest: ClassVar[Manifest] = Manifest(
            slug="papertool",
            name="Outil de papier",
            summary_fr="Pour les essais.",
            contract="documented",
            streams={"invoices": Stream(mode="snapshot")},
            writes={"record_payment": LOOKUP, "reverse_payment": LOOKUP},
        )

        def __init__(self, context: Context) -> None:
            self.context = context

        def probe(self) -> Granted:
            return Granted(siren=SIREN)

        def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
            if paper.fail_pull is not None:
                raise paper.fail_pull
            items = [i for i in paper.invoices.values() if i.open.minor != 0]
            half = len(items) // 2
            yield Page[SourceInvoice](items=tuple(items[:half]), unreadable=tuple(paper.unreadable))
            if paper.cut_short:
                raise Transient("liste coupée")
            yield Page[SourceInvoice](items=tuple(items[half:]), end=True)

        def read_invoices(self, refs: Sequence[str]) -> Sequence[SourceInvoice | Missing]:
            if paper.fail_pull is not None:
                raise paper.fail_pull
            return [paper.invoices.get(ref) or Missing(ref=ref) for ref in refs]

        def fetch_document(self, ref: str) -> Document:
            return Document(ref=ref, filename="f.pdf", media_type="application/pdf", content=b"%")

        def _find(self, key: str) -> Receipt | Absent:
            for number, (reference, ref, cents) in enumerate(paper.written):
                if reference == key:
                    receipt = Receipt(remote_id=f"{ref}/{number}", amount=Money.of_minor(cents))
                    return paper.receipts(receipt)  # type: ignore[return-value]
            return Absent(searched="le papier", at=self.context.now)

        def find_payment(self, key: str, payment: PaymentEntry) -> Receipt | Absent:
            return self._find(key)

        def find_reversal(self, key: str, reversal: ReversalEntry) -> Receipt | Absent:
            return self._find(key)

        def _write(self, key: str, ref: str, cents: int) -> Receipt:
            if paper.bug is not None:
                raise paper.bug
            if ref not in paper.invoices:
                raise Rejected("facture inconnue")
            paper.written.append((key, ref, cents))
            paper.pay(paper.invoices[ref].number, cents, ref=ref)
            paper.lost()
            receipt = Receipt(
                remote_id=f"{ref}/{len(paper.written) - 1}", amount=Money.of_minor(cents)
            )
            return paper.receipts(receipt)  # type: ignore[return-value]

        def record_payment(self, key: str, payment: PaymentEntry) -> Receipt:
            return self._write(key, payment.invoice_ref, payment.amount.minor)

        def reverse_payment(self, key: str, reversal: ReversalEntry) -> Receipt:
            return self._write(key, reversal.invoice_ref, -reversal.amount.minor)

    class PaperCollector:
        manifest: ClassVar[Manifest] = Manifest(
            slug="papercollector",
            name="Recouvreur de papier",
            summary_fr="Pour les essais.",
            contract="assumed",
            streams={
                "progress": Stream(mode="changes"),
                "payments_collected": Stream(mode="changes"),
                "payouts": Stream(mode="changes"),
            },
            writes={
                "request_mandate": KEY,
                "open_procedure": KEY,
                "withdraw": KEY,
                "pause": KEY,
                "amend": KEY,
                "declare_direct_payment": KEY,
            },
        )

        def __init__(self, context: Context) -> None:
            self.context = context

        def quote(self, request: QuoteRequest) -> Quote:
            total = sum(claim.amount.minor for claim in request.claims)
            return Quote(
                remote_id=f"q-{request.claims[0].claim_id}",
                eligible=True,
                fee_rate="10",  # type: ignore[arg-type]
                fee=Money.of_minor(total // 10),
            )

        def find_mandate(self, key: str, draft: MandateDraft) -> MandateLink | Absent:
            if key in paper.mandates:
                return self._link(key)
            return Absent(searched="le papier", at=self.context.now)

        def request_mandate(self, key: str, draft: MandateDraft) -> MandateLink:
            paper.mandates.setdefault(key, (draft, "pending"))
            paper.lost()
            return self._link(key)

        def _link(self, key: str) -> MandateLink:
            return MandateLink(remote_id=key, signing_url=f"https://sign.example/{key}")

        def read_mandate(self, ref: str) -> Mandate:
            draft, state = paper.mandates[ref]
            signed = datetime(2026, 2, 2, 20, tzinfo=UTC) if state == "signed" else None
            return Mandate.model_validate(
                {"remote_id": ref, "state": state, "annex": draft.annex, "signed_at": signed}
            )

        def find_procedure(self, key: str, file: ClaimFile) -> Receipt | Absent:
            if key in paper.procedures:
                return Receipt(remote_id=key)
            return Absent(searched="le papier", at=self.context.now)

        def open_procedure(self, key: str, file: ClaimFile, mandate: SignedMandate) -> Receipt:
            paper.procedures.setdefault(key, file)
            paper.lost()
            return Receipt(remote_id=key)

        def _stop(self, kind: str, key: str, ref: str) -> Receipt:
            if paper.silent_collector is not None:
                raise paper.silent_collector
            if not any(known == key for _, known, _ in paper.stops):
                paper.stops.append((kind, key, ref))
            paper.lost()
            return Receipt(remote_id=key)

        def _find_stop(self, key: str) -> Receipt | Absent:
            if any(known == key for _, known, _ in paper.stops):
                return Receipt(remote_id=key)
            return Absent(searched="le papier", at=self.context.now)

        def find_withdrawal(self, key: str, withdrawal: Withdrawal) -> Receipt | Absent:
            return self._find_stop(key)

        def withdraw(self, key: str, withdrawal: Withdrawal) -> Receipt:
            return self._stop("withdraw", key, withdrawal.procedure_ref)

        def find_pause(self, key: str, pause: Pause) -> Receipt | Absent:
            return self._find_stop(key)

        def pause(self, key: str, pause: Pause) -> Receipt:
            return self._stop("pause", key, pause.procedure_ref)

        def find_amendment(self, key: str, amendment: Amendment) -> Receipt | Absent:
            return self._find_stop(key)

        def amend(self, key: str, amendment: Amendment) -> Receipt:
            return self._stop("amend", key, amendment.procedure_ref)

        def find_direct_payment(self, key: str, payment: DirectPayment) -> Receipt | Absent:
            return self._find_stop(key)

        def declare_direct_payment(self, key: str, payment: DirectPayment) -> Receipt:
            return self._stop("direct_payment", key, payment.procedure_ref)

        def pull_progress(self, since: Cursor | None) -> Iterator[Page[ProcedureState]]:
            yield Page[ProcedureState](items=tuple(paper.states.values()), end=True)

        def pull_payments_collected(self, since: Cursor | None) -> Iterator[Page[CollectedPayment]]:
            yield Page[CollectedPayment](items=tuple(paper.collected.values()), end=True)

        def pull_payouts(self, since: Cursor | None) -> Iterator[Page[CollectorPayout]]:
            yield Page[CollectorPayout](items=tuple(paper.payouts.values()), end=True)

    return {"papertool": PaperTool, "papercollector": PaperCollector}
