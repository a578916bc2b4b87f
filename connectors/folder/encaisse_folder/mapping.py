"""Turn an EN 16931 invoice into the little a source says. Pure: no file, no clock.

The total is all that was asked for: BT-112 and its rounding (BT-114).

What the invoice does not say stays empty. What it says twice and differently is refused whole,
because each reading would claim another sum. By what is payable (BT-115):

- an invoice with something to pay is open; with nothing to pay, settled; with less than nothing,
  settled too, and its `open` below zero says how much of the customer's money was too much;
- an invoice whose total is below zero is a `credit_note` when it names what it credits (BG-3), an
  `unallocated_credit` when it names nothing;
- a credit note is negative, whichever sign it was written with; settled when nothing of it is left.

What is open and owed must also be meant to be paid, on days that can be. Nothing of this turns away
a credit or what is settled: those only ever stop a collection.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pydantic import ValidationError

from encaisse_api.money import Money
from encaisse_api.source import Flag, Instalment, InvoiceKind, SourceInvoice
from encaisse_einvoicing import Invoice, Issue
from encaisse_folder.dates import believable
from encaisse_folder.doctypes import DOCUMENT_TYPES, PAID_AT_ISSUE, DocumentType
from encaisse_folder.figures import contradiction
from encaisse_folder.parties import debtor, paid_to_another, seller
from encaisse_folder.schedule import instalments
from encaisse_folder.treatment import archive_only, customer_kind

MONEY_TERMS = frozenset({"BT-5", "BT-112", "BT-113", "BT-114", "BT-115"})
"""Terms a sum stands on: the least doubt the reader had about one refuses the document."""
READ_ALL_THE_SAME = frozenset(
    {"date_with_zone", "date_with_time", "date_written_otherwise", "several_due_dates"}
)
"""What the reader says of a day it did read. Any other doubt about BT-9 refuses the document: told
without that date it would pass for one that has none, or for one due on another of its dates."""


class Unusable(Exception):
    """Say in French why a readable invoice cannot become a claim."""


@dataclass(frozen=True, slots=True)
class _Figures:
    kind: InvoiceKind
    total: Money
    left: Money

    @property
    def is_open(self) -> bool:
        return self.left.minor > 0 or (self.total.minor < 0 and self.left.minor < 0)


def to_source(
    invoice: Invoice, *, ref: str, sha256: str, today: date, issues: tuple[Issue, ...] = ()
) -> SourceInvoice:
    """Map one invoice; `sha256` is the digest of its file and serves as its version.

    Always a receivable: whether the company is the seller at all is the host's rule. Raises
    `Unusable` with the reason when a decisive term is absent, doubtful or contradicted.
    """
    for issue in issues:
        unread = issue.term == "BT-9" and issue.code not in READ_ALL_THE_SAME
        if unread or issue.term in MONEY_TERMS or issue.code == "currency_mismatch":
            raise Unusable(issue.message.rstrip("."))
    if not invoice.number or invoice.issue_date is None or not invoice.currency:
        doubts = [i.message for i in issues if i.term in {"BT-1", "BT-2"}]
        told = " ".join(doubts) or "il manque le numéro (BT-1), la date (BT-2) ou la devise (BT-5)"
        raise Unusable(told.rstrip("."))
    doctype = _doctype(invoice.type_code)
    try:
        figures = _figures(invoice, doctype, invoice.currency)
        return SourceInvoice(
            ref=ref,
            version=sha256,
            number=invoice.number,
            kind=figures.kind,
            direction="receivable",
            state="open" if figures.is_open else "settled",
            issue_date=invoice.issue_date,
            currency=invoice.currency,
            total=figures.total,
            open=figures.left,
            instalments=_instalments(invoice, doctype, figures, invoice.issue_date, today),
            debtor=debtor(invoice.buyer, customer_kind(invoice)),
            seller=seller(invoice.seller),
            flags=_flags(invoice, doctype),
            credits=_credited(invoice, doctype, figures.kind),
            document_ref=ref,
            document_sha256=sha256,
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "montants"
        raise Unusable(f"valeur inutilisable ({place}) : {first['msg']}") from None
    except ValueError as error:
        raise Unusable(str(error)) from None


def _doctype(code: str | None) -> DocumentType:
    known = DOCUMENT_TYPES.get(code or "")
    if known is None:
        raise Unusable(
            f"type de document {code or 'absent'} (BT-3) hors de la liste française (BR-FR-04)"
        )
    return known


def _figures(invoice: Invoice, doctype: DocumentType, currency: str) -> _Figures:
    sums = invoice.totals
    if sums.tax_inclusive is None or sums.payable is None:
        raise ValueError("il manque le total TTC (BT-112) ou le montant à payer (BT-115)")
    told = contradiction(invoice)
    if told is not None:
        raise ValueError(told)
    asked = sums.tax_inclusive + (sums.rounding or Decimal(0))
    total = Money(amount=asked, currency=currency)
    left = Money(amount=sums.payable, currency=currency)
    if doctype.kind == "credit_note":
        if total.minor > 0:
            total, left = -total, -left
        return _Figures("credit_note", total, _owed_to_customer(left))
    if total.minor < 0:
        names_one = any(preceding.number for preceding in invoice.preceding)
        kind: InvoiceKind = "credit_note" if names_one else "unallocated_credit"
        return _Figures(kind, total, _owed_to_customer(left))
    return _Figures(doctype.kind, total, left)


def _owed_to_customer(left: Money) -> Money:
    if left.minor > 0:
        raise ValueError(f"un avoir ne laisse pas {left.amount} {left.currency} à payer (BT-115)")
    return left


def _instalments(
    invoice: Invoice, doctype: DocumentType, figures: _Figures, issued: date, today: date
) -> tuple[Instalment, ...]:
    if figures.total.minor <= 0:
        # A credit is due to nobody on a date: it stands whole.
        return (Instalment(ref="1", amount=figures.total, open=figures.left),)
    parts = instalments(invoice, figures.total, figures.left)
    if not figures.is_open:
        return parts
    if archive_only(invoice):
        raise ValueError(
            "elle n'est déposée que pour archivage (note BAR), elle ne se recouvre pas"
        )
    early = doctype.kind == "down_payment" or invoice.process in PAID_AT_ISSUE
    return believable(parts, issued=issued, today=today, may_fall_due_before=early)


def _flags(invoice: Invoice, doctype: DocumentType) -> frozenset[Flag]:
    found: set[Flag] = set()
    if invoice.process in PAID_AT_ISSUE:
        found.add("paid_at_issue")
    if doctype.factored or paid_to_another(invoice.seller, invoice.payee):
        found.add("factored")
    return frozenset(found)


def _credited(invoice: Invoice, doctype: DocumentType, kind: InvoiceKind) -> tuple[str, ...]:
    if not (doctype.replaces or kind == "credit_note"):
        return ()  # on a final invoice BG-3 lists the deposits, which it does not undo
    return tuple(dict.fromkeys(p.number for p in invoice.preceding if p.number))
