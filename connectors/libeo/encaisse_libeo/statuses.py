"""The ten statuses of Libeo, and what each says of an invoice. Pure.

The words are those of the vendor's help centre (article 360014749879), which lists them for
invoices a company received; that invoices it sent carry the same ones is assumed, and so is the
meaning given to each here.

Paid is the only word that settles, and only with nothing left to pay: it says that a transfer was
made, so with a balance beside it the money is on its way and is waited for. A word that is not in
the table, such as a refused validation, settles nothing and starts nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from encaisse_api.source import Flag, InvoiceState


@dataclass(frozen=True, slots=True)
class Meaning:
    """Say what one status means: a state, and what keeps the invoice out of collection."""

    state: InvoiceState
    flags: frozenset[Flag] = frozenset()


OPEN = Meaning("open")
IN_CIRCUIT = Meaning("open", frozenset({"blocked_in_approval"}))
PROMISED = Meaning("open", frozenset({"promise_to_pay"}))
IN_FLIGHT = Meaning("open", frozenset({"payment_in_flight"}))
SETTLED = Meaning("settled")
UNKNOWN = Meaning("unknown")

STATUSES: Mapping[str, Meaning] = {
    "À payer": OPEN,
    "Solde à payer": OPEN,
    "En attente": OPEN,
    "Attente fournisseur": OPEN,
    "Informations requises": IN_CIRCUIT,
    "En approbation": IN_CIRCUIT,
    "En validation": IN_CIRCUIT,
    "Planifié": PROMISED,
    "En cours": IN_FLIGHT,
    "Payé": SETTLED,
}
"""Each word of the vendor's list and its meaning; any other word is `UNKNOWN`."""


def meaning(status: str, *, owed: bool) -> Meaning:
    """Say what a status means beside what is still owed.

    Where nothing is owed any more under a word that does not say paid, the two contradict each
    other: state `unknown`, so that a person looks.
    """
    found = _FOLDED.get(_folded(status), UNKNOWN)
    if found.state == "settled" and owed:
        return IN_FLIGHT
    if found.state == "open" and not owed:
        return Meaning("unknown", found.flags)
    return found


def _folded(status: str) -> str:
    """Write a word without case, spare white space and the ways to write an accent."""
    return " ".join(unicodedata.normalize("NFC", status).casefold().split())


_FOLDED = {_folded(word): told for word, told in STATUSES.items()}
