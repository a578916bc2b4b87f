"""Open a dossier: its chart of accounts, journals, ways to pay and exercices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from encaisse_simulator.myunisoft.books import Books
from encaisse_simulator.myunisoft.dossier import Dossier, Firm
from encaisse_simulator.myunisoft.plan import (
    PAYMENT_TYPES,
    Account,
    Exercice,
    Journal,
    LetteringMethod,
    PaymentType,
)

PLAN = (
    ("1013000000", "CAPITAL SOUSCRIT"),
    ("1200000000", "RESULTAT DE L'EXERCICE (BENEFICE)"),
    ("1290000000", "RESULTAT DE L'EXERCICE (PERTE)"),
    ("4160000000", "CLIENTS DOUTEUX"),
    ("4457100000", "TVA COLLECTEE"),
    ("4670000000", "DEBITEURS ET CREDITEURS DIVERS"),
    ("4671000000", "FONDS ENCAISSES PAR LE RECOUVREUR"),
    ("5120000000", "BANQUE"),
    ("5300000000", "CAISSE"),
    ("7060000000", "PRESTATIONS DE SERVICES"),
)
"""Accounts every dossier begins with."""

JOURNALS = (
    ("VT", "VENTES", "VTE", ""),
    ("BQ1", "BANQUE", "BQ", "5120000000"),
    ("CA", "CAISSE", "CAISSE", "5300000000"),
    ("OD", "OPERATIONS DIVERSES", "OD", ""),
    ("AN", "A NOUVEAUX", "AN", ""),
    ("EX", "OPERATIONS EXTRA-COMPTABLES", "OD_EXC", ""),
)
"""Code, name, type and own account of the journals every dossier begins with."""


def open_dossier(
    books: Books,
    firm: Firm,
    name: str,
    siren: str,
    *,
    siret: str,
    reference: str,
    method: LetteringMethod,
    exercices: Sequence[tuple[date, date]],
) -> Dossier:
    """Open a dossier whose exercices are all open and follow one another."""
    draw = books.numbers.draw
    dossier = Dossier(draw("dossier"), firm, name, siren, siret, reference, method)
    for number, label in PLAN:
        account = Account(draw("account"), number, label)
        dossier.accounts[account.id] = account
    for code, label, kind, own in JOURNALS:
        journal = Journal(draw("journal"), code, label, kind, dossier.account(own))
        dossier.journals[journal.id] = journal
    for code, mad_code, label in PAYMENT_TYPES:
        payment_type = PaymentType(draw("payment_type"), code, mad_code, label)
        dossier.payment_types[payment_type.id] = payment_type
    for start, end in sorted(exercices):
        open_exercice(books, dossier, start, end)
    books.dossiers[dossier.society_id] = dossier
    return dossier


def open_exercice(books: Books, dossier: Dossier, start: date, end: date) -> Exercice:
    """Open an exercice that overlaps no other."""
    if start > end or any(each.start <= end and start <= each.end for each in dossier.exercices):
        raise ValueError(f"l'exercice du {start} au {end} en recouvre un autre")
    made = Exercice(books.numbers.draw("exercice"), start, end)
    dossier.exercices.append(made)
    return made
