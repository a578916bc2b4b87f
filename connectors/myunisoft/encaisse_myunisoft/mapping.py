"""Turn what stands on customer accounts into the contract's invoices. Pure: no HTTP, no clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from pydantic import ValidationError

from encaisse_api import wire
from encaisse_api.money import Money
from encaisse_api.source import (
    Debtor,
    Instalment,
    InvoiceKind,
    InvoiceState,
    Lineage,
    Seller,
    SourceInvoice,
    Unreadable,
)
from encaisse_myunisoft import claims, documents
from encaisse_myunisoft.claims import Claim
from encaisse_myunisoft.debtors import AccountRow, debtor
from encaisse_myunisoft.lines import Line, Spoilt
from encaisse_myunisoft.residuals import ZERO, Rest
from encaisse_myunisoft.terms import NO_TERMS, Terms

EURO = "EUR"


@dataclass(frozen=True, slots=True)
class Books:
    """Hold what was read of customer accounts.

    `doubts` says of an account why its lines cannot be trusted to be all of them: an amount may
    then be too high, so nothing of it is told.
    """

    lines: tuple[Line, ...]
    settled_before: tuple[Line, ...] = ()
    spoilt: tuple[Spoilt, ...] = ()
    doubts: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Facts:
    """Hold what else is known of the dossier: its customers, their terms, who it is."""

    cards: Mapping[str, AccountRow] = field(default_factory=dict[str, AccountRow])
    terms: Terms = NO_TERMS
    seller: Seller = field(default_factory=Seller)
    customers: dict[tuple[str, str], Debtor] = field(default_factory=dict[tuple[str, str], Debtor])
    """Customers read so far, by account and name: each has many items."""

    def customer(self, line: Line) -> Debtor:
        """Identify whose account a line is on."""
        named = (line.account, line.account_name)
        if named not in self.customers:
            self.customers[named] = debtor(*named, self.cards.get(line.account))
        return self.customers[named]


def invoices(
    books: Books, facts: Facts, *, settled_too: bool = False
) -> Iterator[SourceInvoice | Unreadable]:
    """Give every open item of the accounts, or every item, in the order of their names."""
    for spoilt in books.spoilt:
        yield set_aside(spoilt)
    doubts = dict(books.doubts)
    for spoilt in books.spoilt:
        if spoilt.account:
            doubts.setdefault(spoilt.account, "une ligne de ce compte est illisible")
    for account in sorted(set(doubts) - {line.account for line in books.lines}):
        yield _doubtful(account, None, doubts[account])
    for claim in every_claim(books):
        if not claim.live and not settled_too:
            continue
        if claim.account in doubts:
            yield _doubtful(claim.account, claim, doubts[claim.account])
        else:
            yield item(claim, facts)


def every_claim(books: Books) -> Iterator[Claim]:
    """Bring the lines together, account by account."""
    lines: dict[str, list[Line]] = defaultdict(list)
    before: dict[str, list[Line]] = defaultdict(list)
    for line in books.lines:
        lines[line.account].append(line)
    for line in books.settled_before:
        before[line.account].append(line)
    for account in sorted(lines):
        yield from claims.of_account(lines[account], before[account])


def item(claim: Claim, facts: Facts) -> SourceInvoice | Unreadable:
    """Map one item, or set it aside with the reason."""
    foreign = sorted({b.line.currency for b in claim.bills} - {EURO})
    if foreign:
        return _doubtful(
            claim.account,
            claim,
            f"elle est en {', '.join(foreign)} et MyUnisoft n'en donne que la contre-valeur en €",
        )
    try:
        return _mapped(claim, facts)
    except ValidationError as error:
        return _doubtful(claim.account, claim, f"valeur inutilisable ({error.errors()[0]['msg']})")


def _mapped(claim: Claim, facts: Facts) -> SourceInvoice:
    first = claim.first
    bills = sorted(claim.bills, key=lambda bill: int(bill.line.origin))
    parts = [_instalment(str(n), bill, facts.terms) for n, bill in enumerate(bills, 1)]
    if claim.beyond:
        more = Money(amount=claim.beyond)
        parts.append(Instalment(ref="+", amount=more, open=more))
    kind = kind_of(claim)
    open_ = sum((part.open.amount for part in parts), ZERO)
    credit = kind in ("credit_note", "unallocated_credit")
    credited = sum((bill.credited for bill in bills), ZERO)
    return SourceInvoice(
        ref=str(claim.ref),
        number=number(claim),
        kind=kind,
        state=state(claim, open_),
        issue_date=min(bill.line.issued for bill in bills),
        total=Money(amount=sum((part.amount.amount for part in parts), ZERO)),
        open=Money(amount=open_),
        credited=None if credit else Money(amount=credited),
        instalments=tuple(parts),
        debtor=facts.customer(first),
        seller=facts.seller,
        document_ref=documents.ref_of(first),
        lineage=Lineage(tool=first.tool) if first.tool else None,
    )


def kind_of(claim: Claim) -> InvoiceKind:
    """Tell an invoice from an avoir and from money nobody allocated."""
    line = claim.first
    if line.signed > 0:
        return "invoice"
    return "credit_note" if claims.is_avoir(line) else "unallocated_credit"


def number(claim: Claim) -> str:
    """Give the invoice's number; a line without one gets a name no other item has."""
    line = claim.first
    if claim.ref.number:
        return line.number
    if line.bills:
        return f"SANS-NUMERO-{line.origin}"
    return f"REGLEMENT-{line.origin}" if line.signed < 0 else f"DEBIT-{line.origin}"


def state(claim: Claim, open_: Decimal) -> InvoiceState:
    """Tell whether anything is owed.

    A debit that is no sale (a refund, a returned payment that names no invoice) and a sale without
    a number claim nothing that could be shown to a debtor: `unknown` starts nothing.
    """
    if open_ == 0:
        return "settled"
    claims_money = claim.first.signed < 0 or bool(claim.ref.number)
    return "open" if claims_money else "unknown"


def _instalment(ref: str, bill: Rest, terms: Terms) -> Instalment:
    line = bill.line
    due, estimated = line.due, False
    if due is None and line.bills and line.journal == "sale":
        term = terms.of(line.account)
        due, estimated = (term.due(line.issued), True) if term is not None else (None, False)
    return Instalment(
        ref=ref,
        due_date=due if line.signed > 0 else None,
        due_estimated=estimated,
        amount=Money(amount=line.face),
        open=Money(amount=bill.open),
    )


def needs_terms(books: Books) -> bool:
    """Tell whether any live sale has no due date of its own."""
    return any(line.live and line.bills and line.due is None for line in books.lines)


def set_aside(spoilt: Spoilt) -> Unreadable:
    """Keep a row that could not be read."""
    named = f"Compte {spoilt.account}" if spoilt.account else "Ligne sans compte"
    piece = f", pièce {spoilt.number}" if spoilt.number else ""
    return Unreadable(raw=spoilt.raw, reason=f"{named}{piece} (MyUnisoft) : {spoilt.reason}."[:512])


def _doubtful(account: str, claim: Claim | None, why: str) -> Unreadable:
    what = f"Facture {number(claim)}" if claim is not None else f"Compte {account}"
    ref = str(claim.ref) if claim is not None else None
    lines = [bill.line.id for bill in claim.bills] if claim is not None else []
    return Unreadable(
        ref=ref,
        raw=wire.write({"account": account, "ref": ref, "lines": lines, "why": why}),
        reason=f"{what} (MyUnisoft, compte {account}) : {why}."[:512],
    )
