"""Read the customer accounts of a dossier, and say which of them can be trusted to be whole.

`GET /mad/movements` gives a bare list, without a total or a page: a list that stops short looks
like a whole one. What it adds up to does not: `GET /mad/balance` tells debits minus credits of each
account in an exercice, so an account whose lines make another sum is not told at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import cast

from pydantic import ValidationError

from encaisse_api import wire
from encaisse_api.answers import why
from encaisse_api.errors import ActionNeeded, Drift, Transient
from encaisse_api.money import in_french
from encaisse_myunisoft import carry, exercices, lines
from encaisse_myunisoft.answers import APP
from encaisse_myunisoft.client import MyUnisoftClient
from encaisse_myunisoft.exercices import Exercice
from encaisse_myunisoft.lines import Line, Spoilt
from encaisse_myunisoft.mapping import Books
from encaisse_myunisoft.rows import BalanceRow

STATES = ("none", "partial", "complete")
"""In the order a line goes through them: one lettered meanwhile is seen twice, never missed."""


@dataclass
class Ledger:
    """Read one dossier; `control` compares what was read with the balance."""

    client: MyUnisoftClient
    today: date
    control: bool = True
    _years: tuple[Exercice, ...] | None = field(default=None, init=False)

    @property
    def years(self) -> tuple[Exercice, ...]:
        """List the exercices, asked for once."""
        if self._years is None:
            self._years = exercices.read(
                self.client.mad("exercices", subject="Exercices du dossier")
            )
        return self._years

    def closed(self) -> tuple[Exercice, ...]:
        """Name the closed exercices an invoice may have ended in, newest first."""
        current = {e.id for e in self.current()}
        return tuple(
            e
            for e in reversed(self.years)
            if e.id not in current and exercices.within_reach(e, self.today)
        )

    def current(self) -> tuple[Exercice, ...]:
        """Name the exercices that say what is owed; without an open one nothing can be said."""
        current = exercices.current(self.years, self.today)
        if not any(e.open for e in current):
            raise ActionNeeded(
                "Le dossier MyUnisoft n'a aucun exercice ouvert : ouvrez l'exercice en cours pour "
                "que ses factures soient lues.",
                url=APP,
            )
        return current

    def books(
        self, roots: Sequence[str], *, whole: bool = False, only: Exercice | None = None
    ) -> Books:
        """Read these accounts; `whole` when they are all the customers, read state by state.

        `only` reads one exercice as if it were the current one: where a paid invoice was left.
        """
        current = self.current() if only is None else (only,)
        read: dict[str, list[Line]] = {}
        spoilt: list[Spoilt] = []
        doubts: dict[str, str] = {}
        drafts: list[Line] = []
        for exercice in current:
            for root in roots:
                drafts += [line for line in self._drafts(exercice, root, spoilt) if line.ours]
            read[exercice.id] = self._posted(exercice, roots, spoilt, doubts, whole=whole)
        older_spoilt: list[Spoilt] = []
        older_doubts: dict[str, str] = {}
        while (older := carry.missing(self.years, read, current, self.today)) is not None:
            read[older.id] = self._posted(older, roots, older_spoilt, older_doubts, whole=whole)
        kept = carry.resolve(self.years, read, current)
        for line in (line for line in kept if line.opening):
            if line.account in older_doubts:
                doubts.setdefault(line.account, older_doubts[line.account])
            if older_spoilt and line.origin == line.id:
                doubts.setdefault(line.account, "une ligne de l'exercice précédent est illisible")
        return Books(
            lines=(*kept, *drafts),
            settled_before=tuple(carry.settled_before(read, current)),
            spoilt=(*spoilt, *older_spoilt),
            doubts=doubts,
        )

    def _posted(
        self,
        exercice: Exercice,
        roots: Sequence[str],
        spoilt: list[Spoilt],
        doubts: dict[str, str],
        *,
        whole: bool,
    ) -> list[Line]:
        found: dict[str, Line] = {}
        for root in roots:
            for state in STATES if whole else ("",):
                asked = {"lettering": state} if state else {}
                for line in self._movements(exercice, root, asked, spoilt, draft=False):
                    if state and line.state != state:
                        raise _drift(f"« {line.state} » parmi les lignes « {state} »", line)
                    if line.id in found:
                        raise Transient(
                            f"Compte {line.account} de MyUnisoft : la ligne {line.id} a été "
                            "lettrée pendant la lecture ; nouvel essai plus tard."
                        )
                    found[line.id] = line
            doubts.update(self._unbalanced(exercice, root, found.values()))
        return list(found.values())

    def _drafts(self, exercice: Exercice, root: str, spoilt: list[Spoilt]) -> Iterator[Line]:
        """Read what waits for an accountant; only our own entries count, and count as received.

        A draft sale is no claim yet. A payment we wrote is known to have come in, whoever has not
        validated it so far.
        """
        unread: list[Spoilt] = []
        yield from self._movements(exercice, root, {"draft": "true"}, unread, draft=True)
        spoilt += [one for one in unread if '"GCO-' in one.raw or not one.account]

    def _movements(
        self,
        exercice: Exercice,
        root: str,
        asked: Mapping[str, str],
        spoilt: list[Spoilt],
        *,
        draft: bool,
    ) -> Iterator[Line]:
        subject = f"Lignes {root} de l'exercice {exercice.start.year}"
        answer = self.client.mad(
            "movements",
            subject=subject,
            idExercice=exercice.id,
            classAccount=f"{root}%",
            **asked,
        )
        ids: set[str] = set()
        for raw in listed(answer, subject):
            line = lines.read(raw, exercice, draft=draft)
            if isinstance(line, Spoilt):
                spoilt.append(line)
                continue
            if not line.account.startswith(root):
                raise _drift(f"un compte {line.account} parmi les comptes {root}", line)
            if line.id in ids:
                raise _drift("la même ligne deux fois dans une liste", line)
            ids.add(line.id)
            if line.signed != 0:
                yield line

    def _unbalanced(
        self, exercice: Exercice, root: str, read: Collection[Line]
    ) -> Iterator[tuple[str, str]]:
        """Name the accounts whose lines do not make their balance, and say by how much."""
        if not self.control:
            return
        subject = f"Balance {root} de l'exercice {exercice.start.year}"
        answer = self.client.mad(
            "balance", subject=subject, idExercice=exercice.id, classAccount=f"{root}%"
        )
        stated = balances(answer, subject)
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for line in read:
            if line.account.startswith(root) and line.journal != "exceptional":
                sums[line.account] += line.signed
        for account in sorted(set(stated) | set(sums)):
            wanted, found = stated.get(account, Decimal(0)), sums[account]
            if wanted != found:
                yield (
                    account,
                    f"ses lignes de {exercice.start.year} font {in_french(found)} € et la "
                    f"balance dit {in_french(wanted)} €, rien n'en est déduit",
                )


def listed(answer: object, subject: str) -> list[object]:
    """Read a bare list."""
    if not isinstance(answer, list):
        raise Drift(
            f"{subject} : MyUnisoft n'a pas répondu par une liste. La réponse est conservée.",
            raw=wire.write(answer),
        )
    return cast("list[object]", answer)


def balances(answer: object, subject: str) -> dict[str, Decimal]:
    """Read the balance of each account; one that cannot be read makes the control useless."""
    found: dict[str, Decimal] = {}
    for raw in listed(answer, subject):
        try:
            row = BalanceRow.model_validate(raw)
        except ValidationError as error:
            raise Drift(
                f"{subject} : solde illisible ({why(error)}). La réponse est conservée.",
                raw=wire.write(answer),
            ) from None
        found[row.account.number] = found.get(row.account.number, Decimal(0)) + row.balance
    return found


def _drift(what: str, line: Line) -> Drift:
    return Drift(
        f"Lignes clients de MyUnisoft : {what} (ligne {line.id}) ; la lecture s'arrête là.",
        raw=line.id,
    )


def apart(roots: Iterable[str]) -> tuple[str, ...]:
    """Drop roots another one covers, so that no line is read twice."""
    wanted = sorted({root for root in roots if root})
    return tuple(
        root for root in wanted if not any(root.startswith(o) and root != o for o in wanted)
    )
