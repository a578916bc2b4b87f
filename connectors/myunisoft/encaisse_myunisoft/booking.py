"""Write an entry, and tell whether one that stands there is the one we wrote. Pure.

`POST /entry` and `POST /entry/temp` (accounting/folder/import/json.html). Our key travels as
`entry_origin_partner_id`, which outlives the validation of a draft where the entry's own id does
not; what the entry is for travels as `json`, so that it can be compared with what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from encaisse_api import wire
from encaisse_api.errors import Conflict, Rejected
from encaisse_api.money import Money, in_french
from encaisse_api.writing import PaymentEntry, Receipt, ReversalEntry
from encaisse_myunisoft import spelling
from encaisse_myunisoft.rows import EntryRow

PREFIX = "GCO-"
"""Begins every partner id of ours, as the vendor asks partners to prefix theirs."""

LABEL = 50
PIECE = 15
PIECE2 = 25
"""Longest label, `piece` and `piece2`. The vendor's pages say 25, 15 and 10 for the pieces."""

UNKNOWN_PAYMENT = -1
"""`payment_type_id` of a payment whose means we do not know."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Describe one movement of money on a customer account; `signed` is debit minus credit."""

    key: str
    subject: str
    invoice_ref: str
    number: str
    asked: Money
    signed: Decimal
    on: date
    label: str

    @property
    def partner_id(self) -> str:
        """Give what the entry is looked up by."""
        return PREFIX + self.key


@dataclass(frozen=True, slots=True)
class Place:
    """Say where an entry goes: dossier, journal, the two accounts by the vendor's ids."""

    society: int
    journal: int
    customer: int
    customer_number: str
    counterpart: int


def payment(key: str, entry: PaymentEntry) -> Wanted:
    """Describe a payment received: it credits the customer."""
    subject = f"Facture {entry.invoice_number}, règlement de {in_french(entry.amount.amount)} €"
    euros = _euros(entry.amount, subject)
    return Wanted(
        key,
        subject,
        entry.invoice_ref,
        entry.invoice_number,
        entry.amount,
        -euros,
        entry.paid_on,
        entry.label,
    )


def reversal(key: str, entry: ReversalEntry) -> Wanted:
    """Describe a payment undone: a counter-entry that debits the customer again."""
    amount = in_french(entry.amount.amount)
    subject = f"Facture {entry.invoice_number}, annulation d'un règlement de {amount} €"
    euros = _euros(entry.amount, subject)
    return Wanted(
        key,
        subject,
        entry.invoice_ref,
        entry.invoice_number,
        entry.amount,
        euros,
        entry.reversed_on,
        entry.label,
    )


def new_entry(wanted: Wanted, place: Place) -> dict[str, object]:
    """Write the entry: the customer's line and its counterpart, no VAT, no fee."""
    note = {
        "v": 1,
        "invoice": wanted.invoice_ref,
        "account": place.customer_number,
        "signed": f"{wanted.signed:f}",
        "on": wanted.on.isoformat(),
    }
    return {
        "diary_id": place.journal,
        "etablissement_id": place.society,
        "date_piece": wanted.on.isoformat(),
        "entry_origin_partner_id": wanted.partner_id,
        "json": wire.write(note),
        "entry_list": [
            _line(wanted, place.counterpart, -wanted.signed),
            _line(wanted, place.customer, wanted.signed),
        ],
    }


def _line(wanted: Wanted, account: int, signed: Decimal) -> dict[str, object]:
    nothing = Decimal("0.00")
    return {
        "account_id": account,
        "label": wanted.label[:LABEL].strip(),
        "debit": max(signed, nothing),
        "credit": max(-signed, nothing),
        "deadline": wanted.on.isoformat(),
        "piece": spelling.folded(wanted.key)[-PIECE:],
        "piece2": spelling.folded(wanted.number)[:PIECE2],
        "payment_type_id": UNKNOWN_PAYMENT,
    }


def target(json_text: str | None) -> str:
    """Read which invoice an entry of ours was written for; empty where it does not say."""
    invoice = _note(json_text).get("invoice")
    return invoice if isinstance(invoice, str) else ""


def receipt(wanted: Wanted, entry: EntryRow, *, draft: bool) -> Receipt:
    """Prove the write by the entry that stands there; raises `Conflict` when it says otherwise."""
    said = differences(entry, wanted.signed, _account_of(entry, wanted))
    if said:
        raise Conflict(
            f"{wanted.subject} : l'écriture {entry.producer_id} de MyUnisoft porte notre référence "
            f"{wanted.partner_id} mais {said}. Corrigez-la dans MyUnisoft.",
            code="differs",
        )
    return Receipt(
        remote_id=wanted.partner_id,
        amount=wanted.asked,
        state="pending" if draft else "posted",
        aliases=(entry.producer_id,),
    )


def _account_of(entry: EntryRow, wanted: Wanted) -> str:
    """Name the customer account the entry was written on: the invoice's, else as noted there."""
    account = wanted.invoice_ref.partition("/")[0].partition("#")[0]
    return account or noted(entry)[0]


def noted(entry: EntryRow) -> tuple[str, Decimal | None]:
    """Read what we noted with an entry: the customer account, and what was to be moved on it."""
    extra = entry.additional_producer_properties
    note = _note(extra.partner_metadata.json_text if extra and extra.partner_metadata else None)
    account, signed = note.get("account"), note.get("signed")
    try:
        moved = spelling.amount(signed) if isinstance(signed, str) else None
    except ValueError:
        moved = None
    return account if isinstance(account, str) else "", moved


def differences(entry: EntryRow, signed: Decimal, account: str) -> str:
    """Say in French how an entry differs from what we wrote; empty where it does not."""
    moved = sum(
        (m.value.debit - m.value.credit for m in entry.movements if m.account.number == account),
        Decimal("0.00"),
    )
    if moved == signed:
        return ""
    sense = "au crédit" if moved < 0 else "au débit"
    wanted = "au crédit" if signed < 0 else "au débit"
    return (
        f"{in_french(abs(moved))} € {sense} du compte {account} au lieu de "
        f"{in_french(abs(signed))} € {wanted}"
    )


def partner_id(entry: EntryRow) -> str:
    """Read whose entry it is, by the partner id it carries."""
    extra = entry.additional_producer_properties
    if extra is None or extra.partner_metadata is None:
        return ""
    return extra.partner_metadata.partner_id


def _note(json_text: str | None) -> Mapping[str, object]:
    try:
        content = wire.read(json_text or "")
    except ValueError:
        return {}
    return wire.members(content)


def _euros(money: Money, subject: str) -> Decimal:
    if money.currency != "EUR":
        raise Rejected(f"{subject} : MyUnisoft ne tient que des euros.", code="currency")
    return money.amount
