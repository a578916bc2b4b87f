"""Compare what really stands at the partners with what should: pure, by business effect.

What should stand is worked out from the cast, from the truth of each invoice and from what a person
signed, never from the host's store. What stands is read in the partners' own ledgers, which hold no
key of ours.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from encaisse_lab.cast import Act
from encaisse_lab.samples import Sample
from encaisse_simulator.gcollect.collector import ProcedureLine
from encaisse_simulator.gcollect.entities import Message
from encaisse_simulator.ledger import LedgerEntry

BANK_DELAY = timedelta(hours=24)
"""A bank transfer counts once verified, a day later [simulated]."""

Effect = tuple[str, str, str, int]
"""(partner, invoice number, kind, cents)."""


@dataclass(frozen=True, slots=True)
class Done:
    """Be one act that happened, with the invoice it is about."""

    act: Act
    sample: Sample
    at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """Say how far the partners' ledgers are from what should stand there; all zeros is right."""

    duplicates: tuple[Effect, ...]
    missing: tuple[Effect, ...]
    unstopped: tuple[str, ...]
    double_procedures: tuple[str, ...]
    messages_after_payment: tuple[str, ...]


def compare(
    done: Sequence[Done],
    ledger: Sequence[LedgerEntry],
    procedures: Sequence[ProcedureLine],
    outreach: Sequence[Message],
    night_ends: Sequence[datetime],
    books: str = "myunisoft",
) -> Verdict:
    """Judge one company's partners as they stand after the last night; `books` take our entries."""
    last = night_ends[-1]
    expected = expected_effects(done, last, books) + signed_effects(ledger)
    standing = standing_effects(ledger)
    duplicates = tuple(sorted((standing - expected).elements()))
    missing = tuple(sorted((expected - standing).elements()))
    silent = silent_from(done, night_ends)
    return Verdict(
        duplicates=duplicates,
        missing=missing,
        unstopped=tuple(sorted({e[1] for e in missing if e[2] in STOPS})),
        double_procedures=tuple(double_procedures(procedures)),
        messages_after_payment=tuple(late_messages(silent, outreach)),
    )


def expected_effects(done: Sequence[Done], last: datetime, books: str) -> Counter[Effect]:
    """Work out what the host should have written by the last night, and nothing more.

    In the books: each verified collected principal, up to what was still owed, and its reversal. At
    the collector: each direct payment, each withdrawal or reduction that a credit note asks for.
    """
    wanted: Counter[Effect] = Counter()
    received, undone = ENTRIES[books]
    by_invoice: dict[str, list[Done]] = defaultdict(list)
    for each in done:
        if each.at < last:
            by_invoice[each.sample.true_id].append(each)
    for acts in by_invoice.values():
        owed = acts[0].sample.owed
        written: dict[int, int] = {}
        for each in sorted(acts, key=lambda one: one.at):
            act, number = each.act, each.sample.number
            match act.deed:
                case "pays_collector" if each.at + _delay(act) <= last:
                    cents = min(act.cents, owed)
                    owed -= cents
                    written[act.payment] = cents
                    _add(wanted, (books, number, received, cents))
                case "goes_back" if written.get(act.payment):
                    cents = written.pop(act.payment)
                    owed += cents
                    _add(wanted, (books, number, undone, -cents))
                case "pays_directly":
                    owed -= act.cents
                    _add(wanted, ("gcollect", number, "direct_payment", act.cents))
                case "is_credited":
                    owed -= act.cents
                    ended = owed == 0
                    kind = "procedure_withdrawn" if ended else "procedure_amended"
                    _add(wanted, ("gcollect", number, kind, 0))
                case _:
                    pass
    return wanted


def signed_effects(ledger: Iterable[LedgerEntry]) -> Counter[Effect]:
    """Work out what a person's signature asks for: one mandate and one opening an invoice.

    Nobody pays between the signature of the first evening and the opening of the first night, so
    each is opened for the very sum that was signed for.
    """
    signed = {(e.invoice_number, e.amount_cents) for e in ledger if e.kind == "mandate_signed"}
    return Counter(
        ("gcollect", number, kind, cents)
        for number, cents in signed
        for kind in ("mandate_requested", "procedure_opened")
    )


def _add(wanted: Counter[Effect], effect: Effect) -> None:
    if effect[3] or effect[0] == "gcollect":
        wanted[effect] += 1


def _delay(act: Act) -> timedelta:
    return BANK_DELAY if act.method == "bank_transfer" else timedelta(0)


ENTRIES: Mapping[str, tuple[str, str]] = {
    "factomos": ("payment", "reversal"),
    "myunisoft": ("payment_draft", "reversal_draft"),
}
"""What our entry and its undoing are called in the books that take them."""

STOPS = frozenset({"direct_payment", "procedure_withdrawn", "procedure_amended"})
"""Kinds of effect that end or lower what is asked of a customer."""

WRITTEN_BY_US: Mapping[str, frozenset[str]] = {
    "factomos": frozenset({"payment", "reversal"}),
    "libeo": frozenset(),
    "myunisoft": frozenset({"payment", "reversal", "payment_draft", "reversal_draft"}),
    "gcollect": STOPS | {"mandate_requested", "procedure_opened"},
}
"""Kinds of effect the host writes at each partner, each of which must be expected.

Pauses stand apart: the host may pause whenever a person must look first.
"""

AMOUNT_IS_THEIRS = frozenset({"procedure_withdrawn", "procedure_amended"})
"""Kinds whose amount is what the partner still held, which nothing of ours says."""


def standing_effects(ledger: Iterable[LedgerEntry]) -> Counter[Effect]:
    """Count what calls of ours wrote, and each pause of a procedure that was paused already."""
    found: Counter[Effect] = Counter()
    paused: set[str] = set()
    for entry in ledger:
        number, kind = entry.invoice_number, entry.kind
        if kind == "procedure_resumed":
            paused.discard(number)
        elif kind == "procedure_paused" and number not in paused:
            paused.add(number)
        elif entry.via == "api" and kind in WRITTEN_BY_US[entry.partner] | {"procedure_paused"}:
            cents = 0 if kind in AMOUNT_IS_THEIRS else entry.amount_cents
            found[entry.partner, number, kind, cents] += 1
    return found


def double_procedures(procedures: Sequence[ProcedureLine]) -> list[str]:
    """Name invoices that were in two procedures at one time."""
    spans: dict[tuple[str, int], list[tuple[datetime, datetime]]] = defaultdict(list)
    for line in procedures:
        ended = line.closed_at or datetime.max.replace(tzinfo=line.opened_at.tzinfo)
        spans[line.invoice_number, line.issue_year].append((line.opened_at, ended))
    doubles: list[str] = []
    for (number, year), held in sorted(spans.items()):
        held.sort()
        if any(later[0] < earlier[1] for earlier, later in pairwise(held)):
            doubles.append(f"{number} ({year})")
    return doubles


def silent_from(done: Sequence[Done], night_ends: Sequence[datetime]) -> dict[str, datetime]:
    """Tell from when nobody may write to a customer about an invoice.

    Once the night after it was settled at the creditor, credited in full or contested is over.
    """
    silent: dict[str, datetime] = {}
    left: dict[str, int] = {}
    for each in sorted(done, key=lambda one: one.at):
        number, act = each.sample.number, each.act
        owed = left.get(number, each.sample.owed)
        if act.deed in ("pays_directly", "is_credited"):
            owed -= act.cents
        left[number] = owed
        if owed == 0 or act.deed == "disputes":
            ends = [end for end in night_ends if end > each.at]
            if ends:
                silent.setdefault(number, ends[0])
    return silent


def late_messages(silent: Mapping[str, datetime], outreach: Iterable[Message]) -> list[str]:
    """Name invoices a customer was still written to about."""
    return sorted(
        {
            number
            for message in outreach
            for number in message.invoice_numbers
            if number in silent and message.at > silent[number]
        }
    )


def merges(
    sightings: Iterable[tuple[str, str, str]], truth: Mapping[tuple[str, str], str]
) -> tuple[list[str], list[str]]:
    """Compare joins with the truth: claims that mix two invoices, invoices split over two claims.

    Records the lab did not write (a folder of one's own) have no known truth and are not judged.
    """
    claims: dict[str, set[str]] = defaultdict(set)
    invoices: dict[str, set[str]] = defaultdict(set)
    for connector, ref, claim_id in sightings:
        true_id = truth.get((connector, ref))
        if true_id is not None:
            claims[claim_id].add(true_id)
            invoices[true_id].add(claim_id)
    wrong = sorted(claim for claim, ids in claims.items() if len(ids) > 1)
    missed = sorted(true_id for true_id, found in invoices.items() if len(found) > 1)
    return wrong, missed
