"""Trace what was carried over at the end of a year back to the line it comes from. Pure.

Each year in MONO the open lines of the customers are written again in the à-nouveaux journal of the
next one, dated its first day, under new ids. The line there says what is owed; the older one says
since when, under which document, and is what the invoice goes on being called by.

- The older year is closed: the carried line counts, with the date, the due date, the documents and
  the name of its origin; lettered anew, or in the group its origin was in.
- The older year is open: the carried line is provisional and cannot be lettered (LETTRAGE9), so the
  origin counts and the carried line does not.
- MULTI: a carried line is a total, and never counts.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from encaisse_myunisoft import exercices as years
from encaisse_myunisoft import spelling
from encaisse_myunisoft.exercices import Exercice
from encaisse_myunisoft.lines import Line

Read = Mapping[str, Sequence[Line]]
"""Lines by exercice id; an exercice that was not read is not a key."""


def missing(
    exercices: Sequence[Exercice], read: Read, current: Sequence[Exercice], today: date
) -> Exercice | None:
    """Name the next older exercice to read, while a carried line leads to one that was not."""
    for exercice in current:
        here = exercice
        ids = {line.id for line in read[here.id] if line.opening and not here.multi}
        while ids:
            older = years.before(exercices, here)
            if older is None or not years.within_reach(older, today):
                break
            if older.id not in read:
                return older
            pairs = _matched(read[here.id], read[older.id])
            ids = {pairs[one].id for one in ids if one in pairs and pairs[one].opening}
            here = older
    return None


def resolve(exercices: Sequence[Exercice], read: Read, current: Sequence[Exercice]) -> list[Line]:
    """Give the lines of the current exercices, each once, as what they were at first."""
    counts = {e.id for e in current}
    first: dict[str, Line] = {}
    kept: list[Line] = []
    for exercice in (e for e in exercices if e.id in read):
        older = years.before(exercices, exercice)
        lines = read[exercice.id]
        pairs = _matched(lines, read.get(older.id, ()) if older else ())
        for line in lines:
            found = pairs.get(line.id)
            if found is not None:
                first[line.id] = first.get(found.id, found)
            if exercice.id not in counts or line.journal == "exceptional":
                continue
            provisional = found is not None and older is not None and older.id in counts
            if line.opening and (exercice.multi or provisional):
                continue
            kept.append(line if found is None else _as_at_first(line, found, first[line.id]))
    return kept


def settled_before(read: Read, current: Sequence[Exercice]) -> list[Line]:
    """Give what closed years hold wholly lettered: parts of invoices whose rest was carried."""
    counts = {e.id for e in current}
    return [
        line
        for exercice, lines in read.items()
        if exercice not in counts
        for line in lines
        if not line.live and not line.opening and line.journal != "exceptional"
    ]


def _as_at_first(line: Line, older: Line, first: Line) -> Line:
    """Give a carried line the dates, documents and name of the line it comes from."""
    inherits = line.state == "none" and older.state == "partial"
    return replace(
        line,
        number=first.number or line.number,
        face=first.face,
        state="partial" if inherits else line.state,
        group=older.group if inherits else line.group,
        issued=first.issued,
        due=line.due or first.due,
        journal=first.journal,
        entry=first.entry,
        documents=first.documents,
        partner_id=first.partner_id,
        target=first.target,
        tool=first.tool,
        currency=first.currency,
        origin=first.origin,
    )


def _matched(lines: Sequence[Line], older: Sequence[Line]) -> dict[str, Line]:
    """Pair each carried line with the line of the year before that says the same.

    First by account, number, amount and label; then, for what stays, without the label; then by
    account and number where only one line on each side has them, since a rest may be carried
    instead of the whole. Equal lines are paired in order.
    """
    left = sorted((line for line in lines if line.opening), key=_order)
    free = sorted((o for o in older if o.journal != "exceptional"), key=_order)
    pairs: dict[str, Line] = {}
    for key in (_full, _amount):
        found = _paired(left, free, key)
        pairs.update(found)
        taken = {o.id for o in found.values()}
        left = [line for line in left if line.id not in found]
        free = [o for o in free if o.id not in taken]
    alike: dict[Hashable, list[Line]] = defaultdict(list)
    rivals: dict[Hashable, int] = defaultdict(int)
    for o in free:
        alike[_side(o)].append(o)
    for line in left:
        rivals[_side(line)] += 1
    for line in left:
        one = alike[_side(line)]
        alone = bool(line.number) and len(one) == 1 and rivals[_side(line)] == 1
        if alone and abs(line.signed) < abs(one[0].face):
            pairs[line.id] = one[0]
    return pairs


def _paired(
    lines: Sequence[Line], older: Sequence[Line], key: Callable[[Line], Hashable]
) -> dict[str, Line]:
    waiting: dict[Hashable, deque[Line]] = defaultdict(deque)
    for o in older:
        waiting[key(o)].append(o)
    return {line.id: waiting[key(line)].popleft() for line in lines if waiting[key(line)]}


def _side(line: Line) -> Hashable:
    return (line.account, spelling.folded(line.number), line.signed > 0)


def _amount(line: Line) -> Hashable:
    return (line.account, spelling.folded(line.number), line.signed)


def _full(line: Line) -> Hashable:
    return (_amount(line), spelling.plain(line.label))


def _order(line: Line) -> tuple[bool, date, int]:
    # live lines first: what is wholly lettered was not carried over
    return (not line.live, line.due or line.issued, int(line.id))
