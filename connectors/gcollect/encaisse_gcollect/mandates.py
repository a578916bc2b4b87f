"""Quotes and mandates: everything before a signature, nothing that names a debtor."""

from __future__ import annotations

from pydantic import ValidationError

from encaisse_api import Absent, Mandate, MandateDraft, MandateLink, Quote, QuoteRequest
from encaisse_gcollect import bodies, mapping
from encaisse_gcollect.binding import Bound, confirmed, named
from encaisse_gcollect.client import Answer, segment
from encaisse_gcollect.sameness import same_mandate
from encaisse_gcollect.wire import MandateRow, QuoteRow


class Mandates(Bound):
    """Price claims, and ask a person for a signature."""

    def quote(self, request: QuoteRequest) -> Quote:
        """Price claims without naming anybody and without any effect."""
        subject = f"devis de {len(request.claims)} créance(s)"
        answer = self._api.ask("/quotes", bodies.quote(request, self._account), subject=subject)
        row = answer.read(QuoteRow)
        try:
            return mapping.quote(row)
        except ValueError:
            answer.doubt("le devis est contradictoire")

    def find_mandate(self, key: str, draft: MandateDraft) -> MandateLink | Absent:
        """Look a requested mandate up."""
        subject = _subject(draft)
        found = self._one("/mandates", key, MandateRow, subject=subject)
        if isinstance(found, Absent):
            return found
        if not _same(found, draft):
            raise self._differs(key, subject)
        return mapping.mandate_link(found)

    def request_mandate(self, key: str, draft: MandateDraft) -> MandateLink:
        """Ask for a mandate; a person signs it at the link."""
        body = bodies.mandate(key, draft, self._account)
        answer = self._api.write("POST", "/mandates", body, key=key, subject=_subject(draft))
        row = answer.read(MandateRow)
        confirmed(answer, row, key, same=_same(row, draft))
        return mapping.mandate_link(row)

    def read_mandate(self, ref: str) -> Mandate:
        """Read a mandate back."""
        answer = self._api.read(f"/mandates/{segment(ref)}", subject=f"mandat {ref}")
        row = answer.read(MandateRow)
        if row.id != ref:
            answer.doubt("la réponse parle d'un autre mandat")
        return _mandate(answer, row)


def _mandate(answer: Answer, row: MandateRow) -> Mandate:
    try:
        return mapping.mandate(row)
    except ValidationError:
        answer.doubt("l'annexe du mandat ne désigne pas des créances de notre part")


def _same(row: MandateRow, draft: MandateDraft) -> bool:
    """Compare; an annex that cannot be read as ours is another content."""
    try:
        return same_mandate(row, draft)
    except ValidationError:
        return False


def _subject(draft: MandateDraft) -> str:
    return f"mandat sur {named(line.invoice_number for line in draft.annex)}"
