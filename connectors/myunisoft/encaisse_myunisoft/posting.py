"""Write a movement of money into the books: look where it goes, write once, read what was said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from pydantic import ValidationError

from encaisse_api import wire
from encaisse_api.answers import why
from encaisse_api.errors import ActionNeeded, Drift, OutcomeUnknown, PeriodClosed, Rejected
from encaisse_api.money import in_french
from encaisse_api.writing import Receipt
from encaisse_myunisoft import debtors, dossier, exercices, refs, spelling
from encaisse_myunisoft.answers import APP
from encaisse_myunisoft.booking import Place, Wanted, new_entry
from encaisse_myunisoft.client import MyUnisoftClient
from encaisse_myunisoft.ledger import Ledger, listed
from encaisse_myunisoft.mapping import Books, every_claim
from encaisse_myunisoft.options import Options
from encaisse_myunisoft.rows import JournalRow

ROUTES: Mapping[str, tuple[str, str]] = {"pending": ("/entry/temp", "o"), "direct": ("/entry", "e")}
"""Path and `type` each mode writes by."""


@dataclass(frozen=True, slots=True)
class Posting:
    """Write entries into one dossier."""

    client: MyUnisoftClient
    ledger: Ledger
    options: Options
    society: str | None

    def write(self, wanted: Wanted, books: Books) -> Receipt:
        """Write the entry; `books` are the customer's lines, read just before."""
        place = self._place(wanted, books)
        path, kind = ROUTES[self.options.mode(wanted.subject)]
        answer = self.client.send(
            "POST", path, new_entry(wanted, place), subject=wanted.subject, params={"type": kind}
        )
        return Receipt(
            remote_id=wanted.partner_id,
            amount=wanted.asked,
            state="pending" if kind == "o" else "posted",
            aliases=(written(answer, wanted),),
        )

    def _place(self, wanted: Wanted, books: Books) -> Place:
        exercice = exercices.holding(self.ledger.years, wanted.on)
        if exercice is None or not exercice.open:
            what = "n'est dans aucun exercice" if exercice is None else "est dans un exercice clos"
            raise PeriodClosed(
                f"{wanted.subject} : le {wanted.on:%d/%m/%Y} {what} de MyUnisoft. Rien n'a été "
                "enregistré.",
                code="period",
            )
        ref = refs.parse(wanted.invoice_ref)
        line = next((x for x in books.lines if ref is not None and x.account == ref.account), None)
        if line is None:
            raise unknown_invoice(wanted)
        journal = self._journal(wanted.subject)
        return Place(
            society=int(self.society or dossier.society(self.client).society_id),
            journal=int(journal.producer_id),
            customer=int(line.account_id),
            customer_number=line.account,
            counterpart=self._counterpart(wanted.subject, journal),
        )

    def _journal(self, subject: str) -> JournalRow:
        """Find the journal of the setting; without one, the only journal that fits the scheme."""
        code, wanted = self.options.journal, self.options.journal_type(subject)
        rows = journals(self.client.mad("journals", subject=subject), subject)
        if code:
            fitting = [row for row in rows if row.customer_reference_code == code]
        else:
            alike = [row for row in rows if journal_type(row) == wanted]
            fitting = [row for row in alike if not locked(row)] or alike
        if len(fitting) != 1:
            which = f"« {code} »" if code else f"de type {wanted}"
            raise ActionNeeded(
                f"{subject} : {len(fitting)} journaux {which} dans MyUnisoft ; dites lequel prend "
                "les règlements (réglage « journal »). Rien n'a été enregistré.",
                url=APP,
            )
        if locked(fitting[0]):
            raise ActionNeeded(
                f"{subject} : le journal {fitting[0].customer_reference_code} de MyUnisoft est "
                "verrouillé ; ouvrez-le ou choisissez-en un autre. Rien n'a été enregistré.",
                url=APP,
            )
        return fitting[0]

    def _counterpart(self, subject: str, journal: JournalRow) -> int:
        """Find the account the money stands on: the setting's, or the bank journal's own."""
        number, root = self.options.counterpart, self.options.counterpart_root(subject)
        if not number and root == "512" and journal.counterpart_account is not None:
            return int(journal.counterpart_account.producer_id)
        if not number.startswith(root):
            raise ActionNeeded(
                f"{subject} : dites sur quel compte {root} de MyUnisoft l'argent est inscrit "
                "(réglage « counterpart »). Rien n'a été enregistré.",
                url=APP,
            )
        answer = self.client.mad("accounts", subject=subject, classAccount=f"{root}%")
        account = account_named(debtors.accounts(answer), number)
        if account is None or account.closed:
            what = "est fermé" if account is not None else "n'existe pas"
            raise ActionNeeded(
                f"{subject} : le compte {number} {what} dans MyUnisoft. Rien n'a été enregistré.",
                url=APP,
            )
        return int(account.producer_id)


def check_still_owed(wanted: Wanted, books: Books) -> None:
    """Refuse to pay what is not owed any more, or more than is."""
    claim = next((c for c in every_claim(books) if str(c.ref) == wanted.invoice_ref), None)
    if claim is None:
        raise unknown_invoice(wanted)
    if claim.open <= 0:
        raise Rejected(
            f"{wanted.subject} : elle est déjà soldée dans MyUnisoft. Rien n'a été enregistré : "
            "vérifiez qui l'a réglée.",
            code="already_settled",
        )
    if claim.open < -wanted.signed:
        raise Rejected(
            f"{wanted.subject} : il n'en reste que {in_french(claim.open)} € à payer dans "
            "MyUnisoft. Rien n'a été enregistré : une personne impute la différence.",
            code="exceeds_open",
        )


def unknown_invoice(wanted: Wanted) -> Rejected:
    """Say that the invoice is not in the dossier."""
    return Rejected(
        f"{wanted.subject} : la facture n'est plus dans ce dossier MyUnisoft. Rien n'a été "
        "enregistré.",
        code="invoice_unknown",
    )


def journals(answer: object, subject: str) -> list[JournalRow]:
    """Read the journals; one that cannot be read could be the one that is meant."""
    found: list[JournalRow] = []
    for raw in listed(answer, subject):
        try:
            found.append(JournalRow.model_validate(raw))
        except ValidationError as error:
            raise Drift(
                f"{subject} : journal illisible ({why(error)}). La réponse est conservée.",
                raw=wire.write(answer),
            ) from None
    return found


def journal_type(row: JournalRow) -> str:
    """Tell a journal's type as its code, whichever of its two spellings is there."""
    extra = row.additional_producer_properties
    word = spelling.plain((extra.type if extra is not None else "") or row.type)
    return {"banque": "BQ", "bq": "BQ", "od": "OD", "operations diverses": "OD"}.get(word, word)


def locked(row: JournalRow) -> bool:
    """Tell whether a journal takes no entries."""
    extra = row.additional_producer_properties
    return extra is not None and extra.locked


def account_named(
    accounts: Mapping[str, debtors.AccountRow], number: str
) -> debtors.AccountRow | None:
    """Find an account by its number, written whole or without its final zeros."""
    if number in accounts:
        return accounts[number]
    alike = [row for key, row in accounts.items() if key.rstrip("0") == number.rstrip("0")]
    return alike[0] if len(alike) == 1 else None


def written(answer: object, wanted: Wanted) -> str:
    """Read the new entry's id from a reply; anything else leaves the outcome unknown.

    The reply of `/entry/temp` is shown in the vendor's collection, that of `/entry?type=e` is not
    documented and is taken to be the same. A reply of another form costs one look-up.
    """
    said = wire.members(answer)
    entries = said.get("entry_array")
    first = cast("list[object]", entries)[:1] if isinstance(entries, list) else []
    if first:
        try:
            entry = spelling.identifier(wire.members(first[0]).get("entry_id"))
            total = spelling.amount(said.get("debit_total"))
        except ValueError:
            entry, total = "", Decimal(0)
        if entry and total == abs(wanted.signed):
            return entry
    raise OutcomeUnknown(
        f"{wanted.subject} : réponse de MyUnisoft inattendue ; l'écriture sera recherchée avant "
        "toute nouvelle tentative."
    )
