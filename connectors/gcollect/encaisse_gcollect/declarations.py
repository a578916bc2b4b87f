"""What the creditor declares on a procedure: money received directly, a claim contested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

from pydantic import JsonValue

from encaisse_api import Absent, DirectPayment, Dispute, Receipt
from encaisse_gcollect import bodies, mapping, sameness
from encaisse_gcollect.binding import Bound, Standing, confirmed
from encaisse_gcollect.wire import DirectPaymentRow, DisputeRow


@dataclass(frozen=True, slots=True)
class _Declared(Generic[Standing]):
    """Say how one declaration is filed, read back, and told from another."""

    path: str
    subject: str
    shape: type[Standing]
    same: Callable[[Standing], bool]
    receipt: Callable[[Standing], Receipt]


class Declarations(Bound):
    """Stop the dialogue on what was paid or is contested."""

    def find_direct_payment(self, key: str, payment: DirectPayment) -> Receipt | Absent:
        """Look a declaration up."""
        return self._found(_paid(payment), key)

    def declare_direct_payment(self, key: str, payment: DirectPayment) -> Receipt:
        """Declare that the debtor paid the creditor."""
        return self._declared(_paid(payment), key, bodies.direct_payment(key, payment))

    def find_dispute(self, key: str, dispute: Dispute) -> Receipt | Absent:
        """Look a dispute up."""
        return self._found(_contested(dispute), key)

    def open_dispute(self, key: str, dispute: Dispute) -> Receipt:
        """Hand a contested claim to a person."""
        return self._declared(_contested(dispute), key, bodies.dispute(key, dispute))

    def _found(self, what: _Declared[Standing], key: str) -> Receipt | Absent:
        found = self._one(what.path, key, what.shape, subject=what.subject)
        if isinstance(found, Absent):
            return found
        if not what.same(found):
            raise self._differs(key, what.subject)
        return what.receipt(found)

    def _declared(self, what: _Declared[Standing], key: str, body: dict[str, JsonValue]) -> Receipt:
        answer = self._api.write("POST", what.path, body, key=key, subject=what.subject)
        row = answer.read(what.shape)
        confirmed(answer, row, key, same=what.same(row))
        return what.receipt(row)


def _paid(payment: DirectPayment) -> _Declared[DirectPaymentRow]:
    return _Declared(
        path=f"/procedures/{payment.procedure_ref}/direct_payments",
        subject=f"paiement direct de la facture {payment.invoice_number}",
        shape=DirectPaymentRow,
        same=lambda row: sameness.same_direct_payment(row, payment),
        receipt=mapping.declared,
    )


def _contested(dispute: Dispute) -> _Declared[DisputeRow]:
    return _Declared(
        path=f"/procedures/{dispute.procedure_ref}/disputes",
        subject=f"litige de la procédure {dispute.procedure_ref}, créance {dispute.claim_id}",
        shape=DisputeRow,
        same=lambda row: sameness.same_dispute(row, dispute),
        receipt=mapping.disputed,
    )
