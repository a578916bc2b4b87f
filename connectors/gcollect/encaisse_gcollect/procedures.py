"""Procedures: opened under a signed mandate, withdrawn, paused, lowered; each with its look-up.

A withdrawal, a pause and an amendment have no list of their own in the assumed contract: the
procedure's history keeps each under its `external_reference` for good, so that is where they are
looked up.
"""

from __future__ import annotations

from encaisse_api import (
    Absent,
    Amendment,
    ClaimFile,
    Conflict,
    Pause,
    Receipt,
    Rejected,
    SignedMandate,
    Withdrawal,
)
from encaisse_gcollect import bodies, mapping, sameness
from encaisse_gcollect.binding import Bound, confirmed, looking_up, named
from encaisse_gcollect.client import Answer
from encaisse_gcollect.wire import ProcedureRow, TimelineRow


class Procedures(Bound):
    """Open procedures and take back what must stop."""

    def find_procedure(self, key: str, file: ClaimFile) -> Receipt | Absent:
        """Look a procedure up."""
        subject = _subject(file)
        found = self._one("/procedures", key, ProcedureRow, subject=subject)
        if isinstance(found, Absent):
            return found
        if not sameness.same_procedure(found, file):
            raise self._differs(key, subject)
        return mapping.opened(found)

    def open_procedure(self, key: str, file: ClaimFile, mandate: SignedMandate) -> Receipt:
        """Open a procedure under a signed mandate; without one, nothing leaves."""
        subject = _subject(file)
        _refuse_unsigned(file, mandate, subject)
        _refuse_nameless(file, subject)
        body = bodies.procedure(key, file, mandate, self._account)
        answer = self._api.write("POST", "/procedures", body, key=key, subject=subject)
        row = answer.read(ProcedureRow)
        confirmed(answer, row, key, same=sameness.same_procedure(row, file))
        return mapping.opened(row)

    def find_withdrawal(self, key: str, withdrawal: Withdrawal) -> Receipt | Absent:
        """Look a withdrawal up in the procedure's history."""
        ref, subject = (
            withdrawal.procedure_ref,
            f"retrait de la procédure {withdrawal.procedure_ref}",
        )
        entry = self._entry(ref, key, "procedure.withdrawn", subject)
        if isinstance(entry, Absent):
            return entry
        with looking_up():
            row, _ = self._procedure(ref, subject)
        if not sameness.same_withdrawal(entry, row, withdrawal):
            raise self._differs(key, subject)
        return _withdrawn(row, withdrawal, entry.id)

    def withdraw(self, key: str, withdrawal: Withdrawal) -> Receipt:
        """Take claims back: nothing more is said to the debtor about them."""
        ref = withdrawal.procedure_ref
        answer = self._api.write(
            "POST",
            f"/procedures/{ref}/withdraw",
            bodies.withdrawal(key, withdrawal),
            key=key,
            subject=f"retrait de la procédure {ref}",
        )
        return _withdrawn(_about(answer, ref), withdrawal)

    def find_pause(self, key: str, pause: Pause) -> Receipt | Absent:
        """Look a pause up in the procedure's history; it counts even if it was lifted since."""
        ref, subject = pause.procedure_ref, f"suspension de la procédure {pause.procedure_ref}"
        entry = self._entry(ref, key, "procedure.paused", subject)
        if isinstance(entry, Absent):
            return entry
        if not sameness.same_pause(entry, pause):
            raise self._differs(key, subject)
        return Receipt(remote_id=ref, aliases=(entry.id,))

    def pause(self, key: str, pause: Pause) -> Receipt:
        """Suspend the dialogue."""
        ref = pause.procedure_ref
        answer = self._api.write(
            "POST",
            f"/procedures/{ref}/pause",
            bodies.pause(key, pause),
            key=key,
            subject=f"suspension de la procédure {ref}",
        )
        row = _about(answer, ref)
        return Receipt(remote_id=ref, state="posted" if row.status == "paused" else "pending")

    def find_amendment(self, key: str, amendment: Amendment) -> Receipt | Absent:
        """Look an amendment up in the procedure's history."""
        ref, subject = amendment.procedure_ref, _amended(amendment)
        entry = self._entry(ref, key, "procedure.amended", subject)
        if isinstance(entry, Absent):
            return entry
        if not sameness.same_amendment(entry, amendment):
            raise self._differs(key, subject)
        return Receipt(remote_id=ref, amount=amendment.principal, aliases=(entry.id,))

    def amend(self, key: str, amendment: Amendment) -> Receipt:
        """Lower what is claimed, on the version just read; `Transient` if it moved in between."""
        ref, subject = amendment.procedure_ref, _amended(amendment)
        _, etag = self._procedure(ref, subject)
        answer = self._api.write(
            "PATCH",
            f"/procedures/{ref}",
            bodies.amendment(key, amendment),
            key=key,
            subject=subject,
            etag=etag,
        )
        row = _about(answer, ref)
        if not sameness.amended(row, amendment):
            answer.doubt("la procédure réclame encore un autre montant")
        known = row.status in mapping.PROCEDURE_STATES
        return Receipt(
            remote_id=ref, amount=amendment.principal, state="posted" if known else "pending"
        )

    def _procedure(self, ref: str, subject: str) -> tuple[ProcedureRow, str]:
        answer = self._api.read(f"/procedures/{ref}", subject=subject)
        row = _about(answer, ref)
        return row, answer.etag or row.etag

    def _entry(self, ref: str, key: str, kind: str, subject: str) -> TimelineRow | Absent:
        """Find the one line of a procedure's history that the effect of this key left."""
        path = f"/procedures/{ref}/timeline"
        filed = self._filed(path, key, TimelineRow, subject=subject)
        if not filed:
            return self._absent(path, key)
        entries = [entry for entry in filed if entry.type == kind]
        if len(entries) != 1:
            raise Conflict(
                f"GCollect, {subject} : la clé {key} y a laissé {len(entries)} trace(s) de cette "
                "sorte au lieu d'une. Une personne doit lire l'historique de la procédure.",
                code="other_content",
            )
        return entries[0]


def _refuse_unsigned(file: ClaimFile, mandate: SignedMandate, subject: str) -> None:
    if not mandate.covers(tuple(filed.line for filed in file.claims)):
        raise Rejected(
            f"GCollect, {subject} : le mandat signé ne couvre pas ces factures ou ces montants. "
            "Rien n'est parti ; faites signer un mandat qui les couvre.",
            code="not_in_mandate",
        )


def _refuse_nameless(file: ClaimFile, subject: str) -> None:
    """Refuse what they would refuse, before a name leaves for nothing."""
    if file.debtor.name is None or file.debtor.kind == "unknown":
        raise Rejected(
            f"GCollect, {subject} : le nom ou la nature (entreprise, particulier, public) du "
            "client manque. Rien n'est parti ; complétez sa fiche dans votre outil.",
            code="debtor_unidentified",
        )


def _about(answer: Answer, ref: str) -> ProcedureRow:
    row = answer.read(ProcedureRow)
    if row.id != ref:
        answer.doubt("la réponse parle d'une autre procédure")
    return row


def _withdrawn(row: ProcedureRow, withdrawal: Withdrawal, *aliases: str) -> Receipt:
    done = row.status in mapping.PROCEDURE_STATES and sameness.withdrawn(row, withdrawal)
    return Receipt(remote_id=row.id, state="posted" if done else "pending", aliases=aliases)


def _subject(file: ClaimFile) -> str:
    return f"procédure sur {named(filed.line.invoice_number for filed in file.claims)}"


def _amended(amendment: Amendment) -> str:
    return f"baisse de la facture {amendment.invoice_number}"
