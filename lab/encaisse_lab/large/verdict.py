"""Judge a large year by the partners' own ledgers: what stands there, against what people did.

What should stand is worked out from the deeds alone. Nothing here is read from the host but its
joins and its own books, which are judged too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from encaisse_core.cents import euros
from encaisse_core.store import schema
from encaisse_lab import books_check, checker, tally
from encaisse_lab.large.bills import BOOKS, Bill
from encaisse_lab.large.people import Deed
from encaisse_lab.large.run import Large

UNFINISHED = ("planned", "sending", "uncertain")
"""States of an effect that is still to be carried out."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Name what is wrong, by kind; empty everywhere is right."""

    duplicates: tuple[str, ...]
    missing: tuple[str, ...]
    double_procedures: tuple[str, ...]
    opened_on_paid: tuple[str, ...]
    messages_after_payment: tuple[str, ...]
    wrong_merges: tuple[str, ...]
    missed_merges: tuple[str, ...]
    unbalanced: tuple[str, ...]
    open_amounts: tuple[str, ...]
    unfinished: tuple[str, ...]
    journal_ok: bool

    def wrong(self) -> dict[str, tuple[str, ...]]:
        """Give each kind of fault with what it found."""
        journal = () if self.journal_ok else ("le journal ne se vérifie pas",)
        return {
            "duplicates": self.duplicates,
            "missing": self.missing,
            "double_procedures": self.double_procedures,
            "opened_on_paid": self.opened_on_paid,
            "messages_after_payment": self.messages_after_payment,
            "wrong_merges": self.wrong_merges,
            "missed_merges": self.missed_merges,
            "unbalanced": self.unbalanced,
            "open_amounts": self.open_amounts,
            "unfinished": self.unfinished,
            "journal": journal,
        }


@dataclass(frozen=True, slots=True)
class Silence:
    """Be the time in which nobody may write to a customer about an invoice; None is for ever."""

    number: str
    since: datetime
    until: datetime | None


def judge(year: Large) -> Verdict:
    """Compare everything once the last, calm nights are over."""
    ledger = year.world.ledger()
    known = tally.sightings(year.app, year.company_id)
    wrong, missed = checker.merges(known, _truth(year))
    found, lacking = _entries(year)
    more, less = _stops(year)
    procedures = year.world.gcollect.procedures_ledger()
    return Verdict(
        duplicates=tuple(sorted([*found, *more])),
        missing=tuple(sorted([*lacking, *less])),
        double_procedures=tuple(checker.double_procedures(procedures)),
        opened_on_paid=tuple(opened_on_paid(year)),
        messages_after_payment=tuple(late_messages(year)),
        wrong_merges=tuple(wrong),
        missed_merges=tuple(missed),
        unbalanced=tuple(books_check.unbalanced(year.app, year.company_id, ledger)),
        open_amounts=tuple(_open_amounts(year)),
        unfinished=tuple(_unfinished(year)),
        journal_ok=books_check.journal_holds(year.app, year.company_id, year.anchor),
    )


def _entries(year: Large) -> tuple[list[str], list[str]]:
    """Compare our entries in the books with what the collector received, each payment by itself."""
    wanted: Counter[tuple[str, str, int]] = Counter()
    for deed in year.people.deeds:
        if BOOKS not in deed.bill.kept_in:
            continue
        if deed.kind == "collected":
            wanted[deed.bill.number, "payment", deed.cents] += 1
        elif deed.kind == "went_back":
            wanted[deed.bill.number, "reversal", -deed.cents] += 1
    kinds = ("payment", "reversal")
    standing = Counter(
        (entry.invoice_number, entry.kind, entry.amount_cents)
        for entry in year.world.ledger()
        if entry.via == "api" and entry.partner != "gcollect" and entry.kind in kinds
    )
    return _said(standing - wanted), _said(wanted - standing)


def _stops(year: Large) -> tuple[list[str], list[str]]:
    """Compare what the collector was told with what it had to be, by sum where sums are told.

    Two payments of one invoice that a tool showed between two readings are one fall of its balance.
    """
    paid: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    lowered: Counter[str] = Counter()
    for deed in year.people.deeds:
        if not deed.held or deed.kind not in ("direct", "credited"):
            continue
        if deed.kind == "direct":
            paid[deed.bill.number] += deed.cents
        elif deed.left == 0:
            ended[deed.bill.number] += 1
        else:
            lowered[deed.bill.number] += 1
    told: Counter[str] = Counter()
    closed: Counter[str] = Counter()
    amended: Counter[str] = Counter()
    for entry in year.world.gcollect.ledger():
        if entry.via != "api":
            continue
        if entry.kind == "direct_payment":
            told[entry.invoice_number] += entry.amount_cents
        elif entry.kind == "procedure_withdrawn":
            closed[entry.invoice_number] += 1
        elif entry.kind == "procedure_amended":
            amended[entry.invoice_number] += 1
    more = [*_more("payé directement", told, paid), *_more("retirée", closed, ended, money=False)]
    less = [*_more("payé directement", paid, told), *_more("retirée", ended, closed, money=False)]
    less += [f"{number} : la baisse n'est pas dite" for number in set(lowered) - set(amended)]
    more += [f"{number} : baisse de trop" for number in set(amended) - set(lowered)]
    return more, less


def _more(
    what: str, here: Counter[str], there: Counter[str], *, money: bool = True
) -> Iterator[str]:
    for number, cents in (here - there).items():
        yield f"{number} : {what}, {f'{euros(cents)} €' if money else cents} de différence"


def silences(year: Large) -> list[Silence]:
    """Tell when nobody may write to a customer about an invoice.

    From the end of the first night on which a tool that shows it could be read: what no tool could
    say, nobody could know. A dispute is the collector's own word, and silences until it is settled.
    """
    tools = year.tools
    unread = [{tools[connection] for connection in night.failures} for night in year.nights]
    silent: dict[str, datetime] = {}
    ended: list[Silence] = []
    for deed in year.people.deeds:
        number = deed.bill.number
        if deed.kind == "undisputed":
            ended.append(Silence(number, silent.pop(number, deed.at), deed.at))
            continue
        shown = {"gcollect"} if deed.kind == "disputed" else set(deed.bill.kept_in) - {"folder"}
        over = deed.kind == "disputed" or (deed.kind in ("direct", "credited") and deed.left == 0)
        if not over or not shown:
            continue
        for end, missing in zip(year.ended, unread, strict=True):
            if end > deed.at and shown - missing:
                silent.setdefault(number, end)
                break
    return [*ended, *(Silence(number, since, None) for number, since in silent.items())]


def late_messages(year: Large) -> list[str]:
    """Name invoices a customer was written to about in a silence."""
    told: dict[str, list[Silence]] = {}
    for silence in silences(year):
        told.setdefault(silence.number, []).append(silence)
    return sorted(
        {
            number
            for message in year.world.gcollect.outreach()
            for number in message.invoice_numbers
            for silence in told.get(number, ())
            if message.at > silence.since and (silence.until is None or message.at < silence.until)
        }
    )


def opened_on_paid(year: Large) -> Iterator[str]:
    """Name invoices whose procedure opened though nothing was owed when its night began."""
    told: dict[str, list[Deed]] = {}
    for deed in year.people.deeds:
        told.setdefault(deed.bill.number, []).append(deed)
    for line in year.world.gcollect.procedures_ledger():
        before = [deed for deed in told.get(line.invoice_number, ()) if deed.at < line.opened_at]
        if before and before[-1].left <= 0:
            yield f"{line.invoice_number} : procédure ouverte, plus rien n'était dû"


def _truth(year: Large) -> dict[tuple[str, str], str]:
    folder = f"folder:{year.folder}"
    return {
        (folder if tool == "folder" else tool, ref): bill.number
        for bill in year.people.bills
        for tool, ref in bill.refs.items()
    }


def _open_amounts(year: Large) -> Iterator[str]:
    """Name claims whose open amount is not what their customers still owe.

    Of an invoice that only a folder shows, or that was deleted, nobody says that it is settled.
    """
    c = schema.claim.c
    with year.app.host.store.begin() as tx:
        held = {
            row.number: (row.open, row.state)
            for row in tx.execute(
                select(c.number, c.open, c.state).where(c.company_id == year.company_id)
            )
        }
    for bill in year.people.bills:
        if bill.number not in held:
            if bill.rest > 0:
                yield f"{bill.number} : elle manque"
            continue
        cents, state = held[bill.number]
        if state != "unseen" and cents != bill.rest and not _untold(bill):
            yield f"{bill.number} : {euros(cents)} € ouverts ici, {euros(bill.rest)} € dus"


def _untold(bill: Bill) -> bool:
    return bill.kept_in == ("folder",)


def _unfinished(year: Large) -> list[str]:
    e = schema.effect.c
    query = (
        select(e.kind, e.state, func.count().label("many"))
        .where(e.company_id == year.company_id, e.state.in_(UNFINISHED))
        .group_by(e.kind, e.state)
        .order_by(e.kind, e.state)
    )
    with year.app.host.store.begin() as tx:
        return [f"{row.many} {row.kind} {row.state}" for row in tx.execute(query)]


def _said(found: Counter[tuple[str, str, int]]) -> list[str]:
    return [f"{number} : {kind} {euros(cents)} €" for number, kind, cents in found.elements()]
