"""What GCollect reports: procedures moving, money received and paid out, attestations, events."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from pydantic import ValidationError

from encaisse_api import (
    Attestation,
    CollectedPayment,
    CollectorPayout,
    Cursor,
    Delivery,
    Document,
    Drift,
    Hint,
    Page,
    ProcedureState,
    Rejected,
)
from encaisse_gcollect import mapping, settlements
from encaisse_gcollect.binding import Bound
from encaisse_gcollect.client import segment
from encaisse_gcollect.stream import Row, changes
from encaisse_gcollect.wire import AttestationRow, Event, PaymentRow, PayoutRow, ProcedureRow

STREAMS = ("progress", "payments_collected", "payouts")

HINTS: Mapping[str, str] = {
    "mandate": "progress",
    "procedure": "progress",
    "plan": "progress",
    "auction": "progress",
    "provider": "progress",
    "dispute": "progress",
    "attestation": "progress",
    "payment": "payments_collected",
    "direct_payment": "payments_collected",
    "payout": "payouts",
}
"""Which stream an event is a reason to pull, by what stands before the dot of its type."""

SUFFIXES: Mapping[str, str] = {"text/html": "html", "application/pdf": "pdf"}


class Reports(Bound):
    """Read what happened there; rows of another creditor of the same access are left alone."""

    def pull_progress(self, since: Cursor | None) -> Iterator[Page[ProcedureState]]:
        """Yield where procedures stand."""
        ours = self._creditor_id()

        def read(row: Row) -> tuple[ProcedureState, ...]:
            found = ProcedureRow.model_validate(row)
            return (mapping.procedure_state(found),) if found.creditor_id == ours else ()

        yield from changes(self._api, "/procedures", since, read, subject="suivi des procédures")

    def pull_payments_collected(self, since: Cursor | None) -> Iterator[Page[CollectedPayment]]:
        """Yield payments the collector knows, reversals too."""
        ours = self._creditor_id()

        def read(row: Row) -> tuple[CollectedPayment, ...]:
            found = PaymentRow.model_validate(row)
            return settlements.collected(found) if found.creditor_id == ours else ()

        yield from changes(self._api, "/payments", since, read, subject="encaissements")

    def pull_payouts(self, since: Cursor | None) -> Iterator[Page[CollectorPayout]]:
        """Yield transfers to the creditor."""
        ours = self._creditor_id()

        def read(row: Row) -> tuple[CollectorPayout, ...]:
            found = PayoutRow.model_validate(row)
            return (settlements.payout(found),) if found.creditor_id == ours else ()

        yield from changes(self._api, "/payouts", since, read, subject="reversements")

    def attestation(self, procedure_ref: str) -> Attestation | None:
        """Read the attestation of non-recovery, None while there is none."""
        subject = f"attestation de la procédure {procedure_ref}"
        try:
            answer = self._api.read(
                f"/procedures/{segment(procedure_ref)}/attestation", subject=subject
            )
        except Rejected as refused:
            if refused.code == "attestation_unavailable":
                return None
            raise
        return mapping.attestation(procedure_ref, answer.read(AttestationRow))

    def fetch_document(self, ref: str) -> Document:
        """Fetch a signed mandate or an attestation; `ref` is `<id>@<sha256>`.

        The fingerprint comes from the mandate or the attestation itself, so a maintenance page, a
        cut file or another version is noticed instead of kept as evidence.
        """
        document_id, _, sha256 = ref.partition("@")
        subject = f"document {document_id}"
        answer = self._api.fetch(f"/documents/{segment(document_id)}", subject=subject)
        if hashlib.sha256(answer.content).hexdigest() != sha256:
            answer.doubt("le contenu reçu n'a pas l'empreinte annoncée")
        suffix = SUFFIXES.get(answer.media_type)
        if suffix is None:
            answer.doubt(f"un document {answer.media_type or 'sans type'} n'est pas attendu")
        return Document(
            ref=ref,
            filename=f"{document_id}.{suffix}",
            media_type=answer.media_type,
            content=answer.content,
        )

    def read_webhook(self, delivery: Delivery) -> Sequence[Hint]:
        """Turn a verified delivery into hints; an event we do not know is a reason to pull all."""
        try:
            event = Event.model_validate_json(delivery.body)
        except ValidationError as error:
            raise Drift(
                "GCollect : une notification n'a pas la forme attendue. Elle est mise de côté ; la "
                "prochaine lecture dira ce qui a changé.",
                raw=delivery.body.decode("utf-8", "replace"),
            ) from error
        if self._account is not None and event.creditor_id != self._account:
            return ()
        stream = HINTS.get(event.type.partition(".")[0])
        if stream is None:
            return tuple(Hint(stream=each) for each in STREAMS)
        return (Hint(stream=stream, ref=event.data.object_id),)
