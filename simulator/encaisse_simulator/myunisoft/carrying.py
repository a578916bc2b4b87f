"""À-nouveaux: the balances, or the open lines, that begin the next exercice [D AP/…/exercices]."""

from __future__ import annotations

from encaisse_simulator.myunisoft.books import Books
from encaisse_simulator.myunisoft.dossier import Dossier
from encaisse_simulator.myunisoft.entries import Entry, Line, Origin, total
from encaisse_simulator.myunisoft.plan import Account, Exercice

PROFIT, LOSS = "1200000000", "1290000000"

TIERS = ("40", "41", "42", "467")
"""Accounts whose open lines are carried one by one in MONO; which besides 40 and 41 is ours [S]."""


def carry_forward(books: Books, dossier: Dossier, exercice: Exercice, *, close: bool) -> Entry:
    """Write the à-nouveaux of the next exercice anew, with new ids, and close this one if asked.

    MONO carries each open line of tiers accounts with its partial code; MULTI one balance per
    account, which is not lettered. Classes 6 and 7 become the result.
    """
    following = dossier.after(exercice)
    before = dossier.before(exercice)
    if following is None:
        raise ValueError("l'exercice suivant n'est pas ouvert")
    if exercice.closed_on is not None or (before is not None and before.closed_on is None):
        raise ValueError("les exercices se clôturent dans l'ordre, une fois")
    for old in [each for each in dossier.posted.values() if each.is_carried]:
        if following.holds(old.day):
            del dossier.posted[old.id]
    inside = [
        (entry, line)
        for entry, line in dossier.lines()
        if exercice.holds(entry.day) and entry.journal.type != "OD_EXC"
    ]
    lines: list[Line] = []
    sums: dict[Account, int] = {}
    result = 0
    for _, line in inside:
        if line.account.number[0] in "67":
            result += line.signed
        elif dossier.method == "MONO" and line.account.number.startswith(TIERS):
            if line.state != "complete":
                lines.append(_detailed(books, line))
        else:
            sums[line.account] = sums.get(line.account, 0) + line.signed
    if result:
        account = dossier.account(LOSS if result > 0 else PROFIT)
        if account is None:
            raise ValueError("le plan n'a pas de compte de résultat")
        sums[account] = sums.get(account, 0) + result
    lines += [_summed(books, account, cents) for account, cents in sums.items() if cents]
    if total(lines):
        raise ValueError("les à-nouveaux ne s'équilibrent pas")
    entry = books.write(dossier, dossier.journal("AN"), following.start, lines, origin=Origin("AN"))
    if close:
        exercice.closed_on = books.today
        books.announce(dossier, "exercice", "UPDATE", {"id": str(exercice.id)})
    return entry


def _detailed(books: Books, line: Line) -> Line:
    choices = books.choices
    return Line(
        id=books.numbers.draw("line"),
        account=line.account,
        label=line.label,
        debit=line.debit,
        credit=line.credit,
        due=line.due if choices.carried_due_dates else None,
        piece=line.piece,
        number=line.number,
        payment_type=line.payment_type if choices.carried_payment_types else None,
        lettering=line.lettering,
    )


def _summed(books: Books, account: Account, cents: int) -> Line:
    label = f"A NOUVEAUX {account.number}"
    debit, credit = max(cents, 0), max(-cents, 0)
    return Line(books.numbers.draw("line"), account, label, debit, credit)
