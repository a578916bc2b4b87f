"""Make the file a procedure is opened with: nothing the collector did not declare it needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from pydantic import BaseModel

from encaisse_api import AnnexLine, ClaimFile, Creditor, Debtor, Document, FiledClaim, Reminder
from encaisse_core import documents, facts, reminders
from encaisse_core.host import Host, Link
from encaisse_core.kinds import NotNow


def file(
    host: Host,
    link: Link,
    proposal_id: str,
    debtor_id: str,
    lines: Sequence[AnnexLine],
    *,
    keep: Callable[[], None],
) -> ClaimFile:
    """Gather the file: creditor, debtor, claims with what of theirs the collector declared.

    After each claim's documents `keep` says that this worker is still at it.
    """
    told = host.manifest(link).sends
    papers: dict[str, tuple[Document, ...]] = {line.claim_id: () for line in lines}
    patience: dict[str, tuple[Reminder, ...]] = dict.fromkeys(papers, ())
    with host.store.begin() as tx:
        creditor = facts.creditor(tx, link.company_id)
        debtor = facts.debtor(tx, link.company_id, debtor_id)
        for claim_id in papers if "claims.reminders" in told else ():
            patience[claim_id] = reminders.of_claim(tx, link.company_id, claim_id)
    for line in lines if "claims.documents" in told else ():
        try:
            papers[line.claim_id] = documents.of_claim(host, link.company_id, line.claim_id)
        except documents.Unavailable as error:
            raise NotNow(str(error), retry_in=timedelta(minutes=2)) from error
        keep()
    return ClaimFile(
        reference=proposal_id,
        creditor=Creditor(siren=creditor["siren"], name=creditor["name"]),
        debtor=_sent(host, link, debtor),
        claims=tuple(
            FiledClaim(
                line=line,
                documents=papers[line.claim_id],
                reminders=patience[line.claim_id],
            )
            for line in lines
        ),
    )


def lines_of(told: BaseModel) -> tuple[AnnexLine, ...]:
    """Give the lines of the file that is about to leave."""
    assert isinstance(told, ClaimFile)
    return tuple(filed.line for filed in told.claims)


def _sent(host: Host, link: Link, debtor: Debtor) -> Debtor:
    """Keep only the fields of the debtor the collector declared it needs."""
    wanted = {
        name.split(".", 1)[1] for name in host.manifest(link).sends if name.startswith("debtor.")
    }
    if "siren" in wanted:
        wanted.add("siren_derived")
    return Debtor.model_validate(
        {key: value for key, value in debtor.model_dump().items() if key in wanted}
    )
