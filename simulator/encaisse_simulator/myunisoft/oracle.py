"""What is really owed in a dossier, worked out from its lines and nobody's key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from encaisse_simulator.myunisoft.dossier import Dossier
from encaisse_simulator.myunisoft.entries import Entry, plain
from encaisse_simulator.myunisoft.lettering import Pair, standing


@dataclass(frozen=True, slots=True)
class OpenItem:
    """State one customer line that is not fully lettered, debit less credit in cents."""

    account: str
    invoice_number: str
    cents: int
    on: date
    due: date | None
    state: str
    carried: bool


@dataclass(frozen=True, slots=True)
class Move:
    """State what one entry of a partner moves on a customer, debit less credit in cents.

    `state` is `draft`, else how its line is lettered where it stands today: an entry of a year
    that was closed is as its à-nouveau is.
    """

    name: str
    account: str
    invoice_number: str
    cents: int
    on: date
    state: str


def move(entry: Entry, state: str = "draft") -> Move:
    """Read an entry of one customer line."""
    (line,) = (each for each in entry.lines if each.account.is_customer)
    name = entry.origin.partner_id or str(entry.id)
    return Move(name, line.account.number, line.number, line.signed, entry.day, state)


def moves(dossier: Dossier) -> list[Move]:
    """List the entries partners wrote on customers, posted ones first.

    A line that was carried over is lettered where it stands now; its « Pièce 1 » tells which it is.
    """
    carried = {
        (line.account.id, line.piece, line.signed): line.state
        for entry, line in standing(dossier)
        if entry.is_carried
    }
    posted = [
        move(entry, carried.get((line.account.id, line.piece, line.signed), line.state))
        for entry in dossier.posted.values()
        for line in entry.lines
        if entry.origin.via == "api" and line.account.is_customer
    ]
    drafts = [move(each) for each in dossier.pending.values() if each.origin.via == "api"]
    return [*posted, *drafts]


def customer_lines(dossier: Dossier) -> Sequence[Pair]:
    """Give the customer lines that state today's truth, OD_EXC journals left out."""
    return [
        (entry, line)
        for entry, line in standing(dossier)
        if line.account.is_customer and entry.journal.type != "OD_EXC"
    ]


def open_items(dossier: Dossier) -> list[OpenItem]:
    """List customer lines that are not fully lettered, by account and date."""
    items = [
        OpenItem(
            account=line.account.number,
            invoice_number=line.number,
            cents=line.signed,
            on=entry.day,
            due=line.due,
            state=line.state,
            carried=entry.is_carried,
        )
        for entry, line in customer_lines(dossier)
        if line.state != "complete"
    ]
    return sorted(items, key=lambda each: (each.account, each.on, each.invoice_number, each.cents))


def balance(dossier: Dossier, account: str | None = None) -> int:
    """Add up what customers owe, or one of them, lettered or not."""
    return sum(
        line.signed for _, line in customer_lines(dossier) if account in (None, line.account.number)
    )


def balances(dossier: Dossier) -> dict[str, int]:
    """Add up what each customer owes, lettered or not, in one pass."""
    found: dict[str, int] = {}
    for _, line in customer_lines(dossier):
        found[line.account.number] = found.get(line.account.number, 0) + line.signed
    return found


def awaiting(dossier: Dossier) -> dict[str, int]:
    """Add up what partners' drafts would move on each customer's account, debit less credit."""
    found: dict[str, int] = {}
    for entry in dossier.pending.values():
        for line in entry.lines:
            if line.account.is_customer and entry.origin.via == "api":
                found[line.account.number] = found.get(line.account.number, 0) + line.signed
    return found


def open_cents(dossier: Dossier, account: str, number: str) -> int:
    """Give what is still owed on an invoice.

    A line counts for the invoice it names, or, naming none, for the only invoice it is lettered
    with. Money that says nothing and is not lettered counts for no invoice.
    """
    lines = [line for _, line in customer_lines(dossier) if line.account.number == account]
    wanted, owed = plain(number), 0
    for line in lines:
        named = {plain(line.number)} - {""}
        if not named and line.lettering is not None:
            group = [each for each in lines if each.lettering == line.lettering]
            named = {plain(each.number) for each in group} - {""}
        if named == {wanted}:
            owed += line.signed
    return owed
