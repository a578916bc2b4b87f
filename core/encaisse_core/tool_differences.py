"""Say what two tools tell differently of one invoice, and what a person does about it. Pure.

Amounts come here less what a tool cannot know yet: money another tool showed first, and entries of
ours that are still to be made.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from encaisse_core.cents import Cents, euros
from encaisse_core.faces import normalise_number


@dataclass(frozen=True, slots=True)
class Told:
    """Hold what one tool says of an invoice; `open` is None where it does not follow payments."""

    connection_id: str
    tool: str
    number: str
    total: Cents
    open: Cents | None
    due_dates: tuple[date, ...]
    debtor_siren: str | None
    debtor_name: str


@dataclass(frozen=True, slots=True)
class Difference:
    """State one difference: whose word against whose, in a sentence, and what to do.

    `subject` names it among those of its kind, for as long as it stands.
    """

    kind: str
    subject: str
    sentence: str
    advice: str
    claim_id: str | None = None
    one_tool: str | None = None
    one_value: str | None = None
    other_tool: str | None = None
    other_value: str | None = None


@dataclass(frozen=True, slots=True)
class _Pair:
    kind: str
    one: str
    other: str
    what: str
    advice: str


def between(claim_id: str, number: str, tools: Sequence[Told]) -> Iterator[Difference]:
    """Compare every two tools that show a claim, in the order they were connected."""
    for place, one in enumerate(tools):
        for other in tools[place + 1 :]:
            for found in _compare(one, other):
                yield Difference(
                    kind=found.kind,
                    subject=f"{claim_id}:{one.connection_id}:{other.connection_id}",
                    sentence=(
                        f"Facture {number} : {found.what} {found.one} dans {one.tool}, "
                        f"{found.other} dans {other.tool}."
                    ),
                    advice=found.advice.format(one=one.tool, other=other.tool),
                    claim_id=claim_id,
                    one_tool=one.tool,
                    one_value=found.one,
                    other_tool=other.tool,
                    other_value=found.other,
                )


def only_in(claim_id: str, number: str, tool: Told, ledger: str, ledger_id: str) -> Difference:
    """State that the books do not have an invoice a tool shows."""
    return Difference(
        kind="only_in_one",
        subject=f"{claim_id}:{tool.connection_id}:{ledger_id}",
        sentence=f"Facture {number} : présente dans {tool.tool}, absente de {ledger}.",
        advice=f"Inscrivez-la dans {ledger}, ou vérifiez que l'envoi vers {ledger} fonctionne.",
        claim_id=claim_id,
        one_tool=tool.tool,
        one_value="présente",
        other_tool=ledger,
        other_value="absente",
    )


def _compare(one: Told, other: Told) -> Iterator[_Pair]:
    if one.total != other.total:
        yield _Pair(
            "total",
            euros(one.total),
            euros(other.total),
            "total de",
            "Corrigez le total dans l'outil qui se trompe ; le recouvrement attend.",
        )
    elif one.open is not None and other.open is not None and one.open != other.open:
        yield from _open(one, one.open, other, other.open)
    if one.due_dates and other.due_dates and one.due_dates != other.due_dates:
        yield _Pair(
            "due_date",
            _days(one.due_dates),
            _days(other.due_dates),
            "échéance au",
            "Vérifiez l'échéance sur la facture et corrigez-la dans {one} ou {other}.",
        )
    if (who := _debtors(one, other)) is not None:
        yield _Pair(
            "debtor",
            *who,
            "client",
            "Vérifiez qui doit la facture et corrigez la fiche du client dans {one} ou {other}.",
        )
    if normalise_number(one.number) != normalise_number(other.number):
        yield _Pair(
            "number",
            one.number,
            other.number,
            "numéro",
            "Corrigez le numéro ; si ce sont deux factures, séparez-les : encaisse unjoin.",
        )


def _open(one: Told, one_open: Cents, other: Told, other_open: Cents) -> Iterator[_Pair]:
    if (one_open <= 0) != (other_open <= 0):
        paid, unpaid = (one, other) if one_open <= 0 else (other, one)
        yield _Pair(
            "paid_in_one",
            _open_word(one_open),
            _open_word(other_open),
            "",
            f"Si le client a payé, inscrivez-le dans {unpaid.tool} ; sinon, corrigez {paid.tool}.",
        )
    else:
        yield _Pair(
            "open_amounts",
            euros(one_open),
            euros(other_open),
            "reste dû de",
            "Inscrivez le paiement ou l'avoir qui manque dans {one} ou {other}.",
        )


def _open_word(cents: Cents) -> str:
    return "soldée" if cents <= 0 else f"ouverte pour {euros(cents)}"


def _debtors(one: Told, other: Told) -> tuple[str, str] | None:
    """Compare who owes: by SIREN where both say one, else by name where neither does."""
    if one.debtor_siren and other.debtor_siren:
        if one.debtor_siren == other.debtor_siren:
            return None
        return f"SIREN {one.debtor_siren}", f"SIREN {other.debtor_siren}"
    if one.debtor_siren or other.debtor_siren:
        return None
    if not one.debtor_name or not other.debtor_name:
        return None
    same = _plain(one.debtor_name) == _plain(other.debtor_name)
    return None if same else (f"« {one.debtor_name} »", f"« {other.debtor_name} »")


def _plain(name: str) -> str:
    """Write a name without case, accents and punctuation."""
    parts = unicodedata.normalize("NFKD", name).casefold()
    return "".join(char for char in parts if char.isalnum())


def _days(days: Sequence[date]) -> str:
    return ", ".join(f"{day:%d/%m/%Y}" for day in days)
