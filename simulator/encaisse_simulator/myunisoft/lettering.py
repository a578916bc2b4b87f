"""Lettering: which lines may stand under one code, and what that code is [D AP/…/lettering]."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from encaisse_simulator.ledger import Via
from encaisse_simulator.myunisoft.books import Books
from encaisse_simulator.myunisoft.dossier import Dossier
from encaisse_simulator.myunisoft.entries import Entry, Line, plain, total
from encaisse_simulator.myunisoft.plan import Account
from encaisse_simulator.myunisoft.refusals import Refused

Pair = tuple[Entry, Line]

LETTERS = 26
CODES = LETTERS**3


def next_code(dossier: Dossier, account: Account) -> str:
    """Give the next free code of an account: AAA, AAB and so on; asking takes nothing."""
    rest = dossier.codes.get(account.id, 0) % CODES
    text = ""
    for _ in range(3):
        rest, letter = divmod(rest, LETTERS)
        text = chr(ord("A") + letter) + text
    return text


def letter(books: Books, dossier: Dossier, code: str, line_ids: Sequence[int], via: Via) -> str:
    """Put lines under a code, or refuse as documented; give the code as stored.

    A code is partial by its `*`, or because it was given out for a partial lettering. A partial
    group may be taken up again: whole under any code, or with more lines under its own.
    """
    if not re.fullmatch(r"\*?[A-Z]{3}", code):
        raise Refused("GBL10", "lettering")
    found = [dossier.line(each) for each in dict.fromkeys(line_ids)]
    pairs = [each for each in found if each is not None]
    if len(pairs) != len(line_ids) or len(pairs) < 2:
        raise Refused("GBL10", "line_entry_list")
    account = pairs[0][1].account
    _check(dossier, account, pairs)
    letters = code.removeprefix("*")
    partial = code.startswith("*") or (account.id, letters) in dossier.partial_codes
    stored = f"*{letters}" if partial else letters
    reach = [
        pair
        for pair in dossier.lines()
        if pair[1].account is account and near(dossier, pair, pairs[0])
    ]
    chosen = {line.id: (entry, line) for entry, line in pairs}
    for entry, line in reach:
        if partial and line.lettering == stored:
            chosen.setdefault(line.id, (entry, line))
    taken = {line.lettering for _, line in chosen.values() if line.lettering is not None}
    for _, line in reach:
        if line.id in chosen:
            continue
        if line.lettering in taken:
            raise Refused("LETTRAGE10", "un lettrage partiel se reprend en entier")
        if line.lettering is not None and line.lettering.removeprefix("*") == letters:
            raise Refused("GBL6", code)
    group = list(chosen.values())
    if not partial and total(line for _, line in group):
        raise Refused("LETTRAGE1")
    _use(dossier, account, letters)
    dossier.partial_codes.discard((account.id, letters))
    books.letter(dossier, group, stored, via)
    return stored


def letter_by_itself(books: Books, dossier: Dossier, entry: Entry) -> None:
    """Letter what a new entry settles to the cent under one invoice number, where that is on."""
    if not dossier.parameters.autolettering:
        return
    for line in entry.lines:
        if not line.account.is_customer or line.lettering is not None or not line.number:
            continue
        same = [
            pair
            for pair in dossier.lines()
            if pair[1].account is line.account
            and pair[1].state != "complete"
            and plain(pair[1].number) == plain(line.number)
            and near(dossier, pair, (entry, line))
        ]
        if len(same) < 2 or total(each for _, each in same):
            continue
        ids = [each.id for _, each in same]
        try:
            letter(books, dossier, next_code(dossier, line.account), ids, "partner")
        except Refused:
            continue


def near(dossier: Dossier, one: Pair, other: Pair) -> bool:
    """Tell whether two lines may meet: anywhere in MULTI, in one exercice in MONO [D]."""
    if dossier.method == "MULTI":
        return not one[0].is_carried
    return dossier.exercice_of(one[0].day) is dossier.exercice_of(other[0].day)


def standing(dossier: Dossier, account: str | None = None) -> Iterable[Pair]:
    """Go through the lines that state today's truth, each receivable once; of one account or all.

    MONO: those of open exercices, and the à-nouveaux of the first of them in place of everything
    before. MULTI: the original lines of every exercice, and no à-nouveau.
    """
    for entry, line in dossier.lines():
        if account is not None and line.account.number != account:
            continue
        exercice = dossier.exercice_of(entry.day)
        if dossier.method == "MULTI":
            if not entry.is_carried:
                yield entry, line
        elif exercice is not None and exercice.closed_on is None:
            before = dossier.before(exercice)
            if not entry.is_carried or before is None or before.closed_on is not None:
                yield entry, line


def _check(dossier: Dossier, account: Account, pairs: Sequence[Pair]) -> None:
    if account.number.startswith("8"):
        raise Refused("LETTRAGE4")
    if any(line.account is not account for _, line in pairs):
        raise Refused("ECR16", "lignes de plusieurs comptes")
    for entry, line in pairs:
        exercice = dossier.exercice_of(entry.day)
        before = dossier.before(exercice) if exercice else None
        if entry.journal.type == "OD_EXC":
            raise Refused("LETTRAGE8")
        if entry.is_carried and dossier.method == "MULTI":
            raise Refused("LETTRAGE5")
        if entry.is_carried and before is not None and before.closed_on is None:
            raise Refused("LETTRAGE9")
        if dossier.method == "MONO" and exercice is not None and exercice.closed_on is not None:
            raise Refused("LETTRAGE2")
        if line.state == "complete":
            raise Refused("LETTRAGE10")
    if not all(near(dossier, pair, pairs[0]) for pair in pairs):
        raise Refused("ECR16", "lignes de plusieurs exercices d'un dossier MONO")


def _use(dossier: Dossier, account: Account, letters: str) -> None:
    """Move the account's next code past one that is now taken."""
    place = 0
    for each in letters:
        place = place * LETTERS + ord(each) - ord("A")
    dossier.codes[account.id] = max(dossier.codes.get(account.id, 0), place + 1)
