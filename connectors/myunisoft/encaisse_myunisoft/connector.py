"""Speak for MyUnisoft: what the roles ask, in the order the vendor needs it asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from encaisse_api.context import Context
from encaisse_api.dialect import Dialect
from encaisse_api.errors import Conflict, OutcomeUnknown, PartnerError, Rejected
from encaisse_api.manifest import Manifest
from encaisse_api.source import (
    Cursor,
    Delivery,
    Document,
    Granted,
    Hint,
    Missing,
    Page,
    RemoteAccount,
    SourceInvoice,
)
from encaisse_api.writing import (
    Absent,
    FollowedUp,
    LetteringEntry,
    PaymentEntry,
    Receipt,
    ReversalEntry,
)
from encaisse_myunisoft import booking, documents, dossier, grant, hints, lettering
from encaisse_myunisoft.booking import Wanted
from encaisse_myunisoft.client import MyUnisoftClient
from encaisse_myunisoft.dialect import DIALECT
from encaisse_myunisoft.entries import Entries, Found, refuse_doubts
from encaisse_myunisoft.ledger import Ledger, apart
from encaisse_myunisoft.lettering import Lettered
from encaisse_myunisoft.manifest import MANIFEST
from encaisse_myunisoft.mapping import Books
from encaisse_myunisoft.options import Options
from encaisse_myunisoft.posting import Posting, check_still_owed
from encaisse_myunisoft.reading import Reading


class MyUnisoftConnector:
    """Offer what customers of one dossier owe, and write into its books what they paid."""

    manifest: ClassVar[Manifest] = MANIFEST
    dialect: ClassVar[Dialect] = DIALECT

    def __init__(self, context: Context) -> None:
        self._context = context
        self._client = MyUnisoftClient(context.http, context.now, context.account)
        self._options = Options(context.settings)

    # --- who we are ------------------------------------------------------------------------------

    def probe(self) -> Granted:
        """Ask what the key opens; the first time, this is also what activates it."""
        subject = "Connexion à MyUnisoft"
        answer = self._client.get("/key/info", subject=subject, params={"mode": "extended"})
        key = grant.read(answer)
        society = dossier.society(self._client)
        able = grant.roles(key, self._options.said_mode)
        lacking = sorted(set(grant.ROLES) - able)
        note = f"Dossier {society.society_id} ({society.name or 'sans nom'})."
        if lacking:
            note += f" Services que MyUnisoft n'ouvre pas à cette clé : {', '.join(lacking)}."
        return Granted(
            account=society.society_id, siren=dossier.siren_of(society), roles=able, note=note
        )

    def accounts(self) -> Sequence[RemoteAccount]:
        """List every dossier of the firm, or the one the key is bound to."""
        return dossier.accounts(self._client)

    # --- what customers owe ----------------------------------------------------------------------

    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        """Read the lines of the customer accounts of every year that counts."""
        yield from self._reading().pull()

    def read_invoices(self, refs: Sequence[str]) -> Sequence[SourceInvoice | Missing]:
        """Read the accounts of these invoices again, each whole."""
        return self._reading().some(refs)

    def fetch_document(self, ref: str) -> Document:
        """Fetch a PDF at the address its entry gives today."""
        subject = f"Document {ref}"
        named = documents.parse(ref)
        if named is None:
            raise Rejected(f"{subject} : ce nom n'est pas celui d'un document.", code="unknown")
        entry_id, filename = named
        entry = self._entries().by_id(entry_id, subject)
        links = {} if entry is None else dict(entry.attachments)
        for line in entry.movements if entry is not None else ():
            links = {**line.attachments, **links}
        if filename not in links:
            raise Rejected(f"{subject} : MyUnisoft ne l'a plus.", code="unknown")
        content = self._client.file(links[filename], subject=subject)
        return Document(
            ref=ref, filename=filename, media_type=documents.MEDIA_TYPE, content=content
        )

    # --- what they paid --------------------------------------------------------------------------

    def find_payment(self, key: str, payment: PaymentEntry) -> Receipt | Absent:
        """Look for our entry, validated or waiting."""
        return self._find(booking.payment(key, payment))

    def record_payment(self, key: str, payment: PaymentEntry) -> Receipt:
        """Write the entry, if the invoice is still owed as much right now."""
        wanted = booking.payment(key, payment)
        ledger, books = self._looked_at(wanted)
        check_still_owed(wanted, books)
        return self._posting(ledger).write(wanted, books)

    def find_reversal(self, key: str, reversal: ReversalEntry) -> Receipt | Absent:
        """Look for our counter-entry, validated or waiting."""
        return self._find(booking.reversal(key, reversal))

    def reverse_payment(self, key: str, reversal: ReversalEntry) -> Receipt:
        """Write the counter-entry of a payment: the vendor has no way to take one back."""
        wanted = booking.reversal(key, reversal)
        paid = self._entries().by_partner_id(reversal.payment_remote_id, wanted.subject)
        if paid is None:
            raise Rejected(
                f"{wanted.subject} : l'écriture {reversal.payment_remote_id} n'est plus dans "
                "MyUnisoft, il n'y a rien à annuler. Rien n'a été enregistré.",
                code="payment_unknown",
            )
        ledger, books = self._looked_at(wanted)
        return self._posting(ledger).write(wanted, books)

    def follow_up(self, remote_ids: Sequence[str]) -> Sequence[FollowedUp]:
        """Tell what the accountant did with each of our drafts."""
        return [self._followed(remote_id) for remote_id in remote_ids]

    # --- lettering -------------------------------------------------------------------------------

    def find_lettering(self, key: str, lettering: LetteringEntry) -> Receipt | Absent:
        """Look at how the lines are lettered now."""
        lettered = self._lettered(lettering)
        found = lettered.receipt()
        if found is not None:
            return found
        return Absent(
            searched=f"lettrage des {len(lettered.asked)} lignes du compte {lettering.account}",
            at=self._context.now,
        )

    def letter(self, key: str, lettering: LetteringEntry) -> Receipt:
        """Letter the lines with whatever they are already grouped with, then look again."""
        lettered = self._lettered(lettering)
        done = lettered.receipt()
        return done if done is not None else self._letter(lettering, lettered)

    # --- events ----------------------------------------------------------------------------------

    def read_webhook(self, delivery: Delivery) -> Sequence[Hint]:
        """Take a delivery for a reason to read the dossier again, and for nothing else."""
        return hints.read(delivery.body, self._context.account)

    # --- how -------------------------------------------------------------------------------------

    def _ledger(self) -> Ledger:
        return Ledger(self._client, self._context.today, self._options.control)

    def _reading(self) -> Reading:
        return Reading(self._client, self._ledger(), self._options)

    def _entries(self) -> Entries:
        return Entries(self._client, self._ledger())

    def _posting(self, ledger: Ledger) -> Posting:
        return Posting(self._client, ledger, self._options, self._context.account)

    def _find(self, wanted: Wanted) -> Receipt | Absent:
        entries = self._entries()
        found = entries.by_partner_id(wanted.partner_id, wanted.subject)
        roots = self._reading().roots([wanted.invoice_ref]) or apart(self._options.roots)
        if found is not None:
            receipt = booking.receipt(wanted, found.entry, draft=found.draft)
            entries.refuse_doubles(wanted.partner_id, wanted.subject, roots)
            return receipt
        searched = entries.prove_absent(wanted.partner_id, wanted.subject, roots)
        return Absent(searched=searched, at=self._context.now)

    def _looked_at(self, wanted: Wanted) -> tuple[Ledger, Books]:
        """Read the customer's account right before a write; in doubt nothing is written."""
        ledger = self._ledger()
        books = ledger.books(self._reading().roots([wanted.invoice_ref]))
        refuse_doubts(books, wanted.subject)
        return ledger, books

    def _followed(self, remote_id: str) -> FollowedUp:
        subject = f"Écriture {remote_id}"
        entries = self._entries()
        found = entries.by_partner_id(remote_id, subject)
        if found is None:
            entries.prove_absent(remote_id, subject, apart(self._options.roots))
            return FollowedUp(
                remote_id=remote_id,
                state="rejected",
                note="L'écriture en attente n'existe plus : le comptable l'a refusée.",
            )
        return _fate(remote_id, found)

    def _lettered(self, asked: LetteringEntry) -> Lettered:
        books = self._ledger().books((asked.account,))
        refuse_doubts(books, lettering.subject_of(asked))
        return lettering.chosen(asked, books)

    def _letter(self, asked: LetteringEntry, lettered: Lettered) -> Receipt:
        subject = lettered.subject
        lettered.wait_for_carrying(self._ledger().current())
        params = {
            "account_id": lettered.account_id,
            "partial": "true" if lettered.partial else "false",
        }
        free = self._client.must("/account/next_lettering", subject=subject, params=params)
        body = lettered.body(lettering.next_letters(free, subject))
        refused: Conflict | None = None
        try:
            answer = self._client.send("PUT", "/entry/lettering", body, subject=subject)
            lettering.check_done(answer, subject)
        except Conflict as error:
            refused = error  # MyUnisoft letters by itself too: it may just have done so
        try:
            done = self._lettered(asked).receipt()
        except Conflict:
            raise
        except PartnerError as error:
            done = None
            self._context.log.warning("lettering not read back: %s", error.message)
        if done is not None:
            return done
        if refused is not None:
            raise refused
        raise OutcomeUnknown(
            f"{subject} : MyUnisoft a pris la demande et ne montre pas encore le lettrage ; il "
            "sera recherché avant toute nouvelle tentative."
        )


def _fate(remote_id: str, found: Found) -> FollowedUp:
    """Compare what stands there with what we noted when we wrote it."""
    entry = found.entry
    if found.draft:
        return FollowedUp(remote_id=remote_id, state="pending", note="En attente de validation.")
    account, signed = booking.noted(entry)
    said = booking.differences(entry, signed, account) if signed is not None else ""
    if said:
        return FollowedUp(
            remote_id=remote_id,
            state="altered",
            note=f"Écriture {entry.producer_id} : le comptable y a mis {said}.",
        )
    note = f"Validée sous le numéro {entry.producer_id}."
    if signed is None:
        note += " Ce que nous y avions noté n'y est plus : son montant n'a pas été comparé."
    return FollowedUp(remote_id=remote_id, state="posted", note=note)
