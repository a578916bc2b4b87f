"""Read the invoices of a dossier, all that are open or some by their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from encaisse_api.errors import Drift
from encaisse_api.source import Missing, Page, SourceInvoice, Unreadable
from encaisse_myunisoft import dossier, mapping, refs
from encaisse_myunisoft.client import MyUnisoftClient
from encaisse_myunisoft.ledger import Ledger, apart
from encaisse_myunisoft.mapping import Books, Facts
from encaisse_myunisoft.options import Options

PER_PAGE = 200
"""Items of a page: the vendor does not page, the host stores page by page."""

FEW = 8
"""Accounts that are read one by one; more are read as all customers at once."""

Outcome = SourceInvoice | Unreadable


@dataclass(frozen=True, slots=True)
class Reading:
    """Read one dossier once."""

    client: MyUnisoftClient
    ledger: Ledger
    options: Options

    def pull(self) -> Iterator[Page[SourceInvoice]]:
        """Yield every open item, then say the pass is complete."""
        roots = apart(self.options.roots)
        books = self.ledger.books(roots, whole=True)
        facts = dossier.facts(self.client, books, roots)
        found = list(mapping.invoices(books, facts))
        for start in range(0, len(found), PER_PAGE):
            yield _page(found[start : start + PER_PAGE])
        yield Page(end=True)

    def some(self, wanted: Sequence[str]) -> list[SourceInvoice | Missing]:
        """Read these again, one answer each.

        What the open years no longer hold is looked for in the closed ones, where a paid invoice
        may have stayed; only then is it `Missing`. Raises `Drift` when one cannot be read: no
        answer is better than a guessed one right before an effect.
        """
        books, facts = self.accounts(wanted)
        found = _by_ref(mapping.invoices(books, facts, settled_too=True))
        for exercice in self.ledger.closed():
            lost = [ref for ref in wanted if ref not in found and refs.parse(ref) is not None]
            if not lost:
                break
            older = self.ledger.books(self.roots(lost), only=exercice)
            for ref, outcome in _by_ref(mapping.invoices(older, facts, settled_too=True)).items():
                found.setdefault(ref, _left_behind(outcome))
        return [self._answer(ref, found.get(ref)) for ref in wanted]

    def accounts(self, wanted: Sequence[str]) -> tuple[Books, Facts]:
        """Read the accounts of these items, each whole."""
        roots = self.roots(wanted)
        books = self.ledger.books(roots)
        return books, dossier.facts(self.client, books, roots)

    def roots(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """Name the accounts to read for these items."""
        accounts = {ref.account for one in wanted if (ref := refs.parse(one)) is not None}
        return apart(accounts if len(accounts) <= FEW else {*accounts, *self.options.roots})

    @staticmethod
    def _answer(ref: str, outcome: Outcome | None) -> SourceInvoice | Missing:
        if outcome is None:
            return Missing(ref=ref)
        if isinstance(outcome, Unreadable):
            raise Drift(outcome.reason, raw=outcome.raw)
        return outcome


def _page(outcomes: Sequence[Outcome]) -> Page[SourceInvoice]:
    return Page(
        items=tuple(one for one in outcomes if isinstance(one, SourceInvoice)),
        unreadable=tuple(one for one in outcomes if isinstance(one, Unreadable)),
    )


def _by_ref(outcomes: Iterator[Outcome]) -> dict[str, Outcome]:
    """Sort outcomes by name; a row without any leaves every item of its list in doubt."""
    found: dict[str, Outcome] = {}
    for one in outcomes:
        if isinstance(one, Unreadable) and one.ref is None:
            raise Drift(one.reason, raw=one.raw)
        found[str(one.ref)] = one
    return found


def _left_behind(outcome: Outcome) -> Outcome:
    """Say of an item a closed year holds and no open one carried: paid there, or unclear."""
    if isinstance(outcome, SourceInvoice) and outcome.state == "open":
        return outcome.model_copy(update={"state": "unknown"})
    return outcome
