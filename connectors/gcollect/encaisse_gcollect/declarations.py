"""What the creditor declares on a procedure: money received directly, a claim contested."""

from __future__ import annotations

from encaisse_api import Absent, DirectPayment, Dispute, Receipt
from encaisse_gcollect import bodies, mapping, sameness
from encaisse_gcollect.binding import Bound, confirmed
from encaisse_gcollect.wire import DirectPaymentRow, DisputeRow


class Declarations(Bound):
    """Stop the dialogue on what was paid or is contested."""

    def find_direct_payment(self, key: str, payment: DirectPayment) -> Receipt | Absent:
        """Look a declaration up."""
        subject = _paid(payment)
        path = f"/procedures/{payment.procedure_ref}/direct_payments"
        found = self._one(path, key, DirectPaymentRow, subject=subject)
        if isinstance(found, Absent):
            return found
        if not sameness.same_direct_payment(found, payment):
            raise self._differs(key, subject)
        return mapping.declared(found)

    def declare_direct_payment(self, key: str, payment: DirectPayment) -> Receipt:
        """Declare that the debtor paid the creditor."""
        answer = self._api.write(
            "POST",
            f"/procedures/{payment.procedure_ref}/direct_payments",
            bodies.direct_payment(key, payment),
            key=key,
            subject=_paid(payment),
        )
        row = answer.read(DirectPaymentRow)
        confirmed(answer, row, key, same=sameness.same_direct_payment(row, payment))
        return mapping.declared(row)

    def find_dispute(self, key: str, dispute: Dispute) -> Receipt | Absent:
        """Look a dispute up."""
        subject = _contested(dispute)
        path = f"/procedures/{dispute.procedure_ref}/disputes"
        found = self._one(path, key, DisputeRow, subject=subject)
        if isinstance(found, Absent):
            return found
        if not sameness.same_dispute(found, dispute):
            raise self._differs(key, subject)
        return mapping.disputed(found)

    def open_dispute(self, key: str, dispute: Dispute) -> Receipt:
        """Hand a contested claim to a person."""
        answer = self._api.write(
            "POST",
            f"/procedures/{dispute.procedure_ref}/disputes",
            bodies.dispute(key, dispute),
            key=key,
            subject=_contested(dispute),
        )
        row = answer.read(DisputeRow)
        confirmed(answer, row, key, same=sameness.same_dispute(row, dispute))
        return mapping.disputed(row)


def _paid(payment: DirectPayment) -> str:
    return f"paiement direct de la facture {payment.invoice_number}"


def _contested(dispute: Dispute) -> str:
    return f"litige de la procédure {dispute.procedure_ref}, créance {dispute.claim_id}"
