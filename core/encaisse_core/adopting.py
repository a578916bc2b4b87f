"""Take a procedure back that a restored store has forgotten, from the mandate it was opened under.

The mandate a person signed lists each claim with its amounts, so that nothing has to be typed or
guessed: which claims are in the procedure, what was handed over, since when commissions may accrue.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from encaisse_api import AnnexLine, Mandate, OpensProcedures, ReportsProgress, TakesMandates
from encaisse_core import journal, proposals, tasks
from encaisse_core.errors import UsageError
from encaisse_core.forgotten import subject_of
from encaisse_core.host import Host, Link, links
from encaisse_core.naming import named
from encaisse_core.numbers import annex_number
from encaisse_core.restored import UNKNOWN_PROCEDURE
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp


def adopt(
    host: Host,
    company_id: str,
    remote_id: str,
    mandate_ref: str,
    *,
    by: str,
    numbers: Sequence[str] = (),
) -> str:
    """Record a procedure a collector has, with the claims its mandate lists; give its id.

    `numbers` narrows the mandate to some invoices, where it was signed for several customers.
    Raises `UsageError` where the collector does not have it, the mandate is not signed, or its
    claims are unknown, several customers', or spoken for; `PartnerError` where it does not answer.
    """
    link, mandate = _told(host, company_id, remote_id, mandate_ref)
    with host.store.begin() as tx:
        host.store.one_at_a_time(tx, company_id)
        lines = _lines(tx, company_id, mandate, numbers)
        debtor_id = _one_debtor(tx, company_id, lines)
        _free(host, tx, company_id, lines)
        return _record(host, tx, link, remote_id, mandate, lines, debtor_id, by)


def _told(host: Host, company_id: str, remote_id: str, mandate_ref: str) -> tuple[Link, Mandate]:
    """Ask the collectors which of them has the procedure, and for the mandate."""
    p = schema.procedure.c
    with host.store.begin() as tx:
        known = select(p.id).where(p.company_id == company_id, p.remote_id == remote_id)
        if tx.execute(known).first() is not None:
            raise UsageError(f"La procédure {remote_id} est déjà connue : encaisse procedures.")
        found = links(tx, company_id)
    for link in found:
        if not all(
            host.can(link, role) for role in (OpensProcedures, ReportsProgress, TakesMandates)
        ):
            continue
        with host.open(link) as partner:
            pages = partner.pull_progress(None)
            if not any(state.remote_id == remote_id for page in pages for state in page.items):
                continue
            mandate: Mandate = partner.read_mandate(mandate_ref)
        if mandate.signed_at is None or not mandate.annex:
            raise UsageError(
                f"Le mandat {mandate_ref} n'est pas signé chez {link.connector}, ou ne dit pas ses "
                "créances : donnez la référence de celui sous lequel la procédure a été ouverte."
            )
        return link, mandate
    raise UsageError(
        f"Aucun partenaire raccordé n'a de procédure {remote_id} : vérifiez sa référence."
    )


def _lines(
    tx: Connection, company_id: str, mandate: Mandate, numbers: Sequence[str]
) -> list[AnnexLine]:
    """Match the mandate's lines with our claims: by id, else by number and date."""
    wanted = {annex_number(number) for number in numbers}
    c = schema.claim.c
    known = tx.execute(
        select(c.id, c.number, c.issue_date).where(
            c.company_id == company_id, c.merged_into.is_(None)
        )
    ).all()
    ids = {row.id for row in known}
    spelt: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in known:
        spelt[annex_number(row.number), row.issue_date].append(row.id)
    found: list[AnnexLine] = []
    lost: list[str] = []
    for line in mandate.annex:
        if wanted and annex_number(line.invoice_number) not in wanted:
            continue
        same = spelt[annex_number(line.invoice_number), line.issue_date.isoformat()]
        if line.claim_id in ids:
            found.append(line)
        elif len(same) == 1:
            found.append(line.model_copy(update={"claim_id": same[0]}))
        else:
            lost.append(line.invoice_number)
    if lost or not found:
        raise UsageError(
            f"Ces factures du mandat ne sont pas connues ici : {', '.join(lost) or 'aucune'}. "
            "Relisez d'abord les outils (encaisse sync), ou choisissez avec --invoice."
        )
    return found


def _one_debtor(tx: Connection, company_id: str, lines: Sequence[AnnexLine]) -> str:
    c = schema.claim.c
    rows = tx.execute(
        select(c.debtor_id, c.number)
        .where(c.company_id == company_id, c.id.in_([line.claim_id for line in lines]))
        .order_by(c.number)
    ).all()
    debtors = {row.debtor_id for row in rows}
    if len(debtors) > 1:
        raise UsageError(
            "Ce mandat a été signé pour plusieurs clients, et une procédure n'en a qu'un. Dites "
            f"ses factures avec --invoice, parmi : {', '.join(row.number for row in rows)}."
        )
    return str(debtors.pop())


def _free(host: Host, tx: Connection, company_id: str, lines: Sequence[AnnexLine]) -> None:
    """Take the claims from proposals nobody approved; one that is under way elsewhere stays."""
    r, p = schema.reservation.c, schema.proposal.c
    held = tx.execute(
        select(r.proposal_id, p.state)
        .join(schema.proposal, (p.company_id == r.company_id) & (p.id == r.proposal_id))
        .where(
            r.company_id == company_id,
            r.claim_id.in_([line.claim_id for line in lines]),
            r.released_at.is_(None),
        )
        .distinct()
        .order_by(r.proposal_id)
    ).all()
    for row in held:
        if row.state != "proposed":
            raise UsageError(
                f"Une de ces factures est déjà dans la proposition {row.proposal_id} : réglez-la "
                "d'abord (encaisse proposals, encaisse effects)."
            )
        proposals.drop(host, tx, company_id, row.proposal_id, "déjà confiée avant la restauration")


def _record(
    host: Host,
    tx: Connection,
    link: Link,
    remote_id: str,
    mandate: Mandate,
    lines: Sequence[AnnexLine],
    debtor_id: str,
    by: str,
) -> str:
    company_id, now = link.company_id, host.clock.now()
    assert mandate.signed_at is not None
    annex = json.dumps([line.model_dump(mode="json") for line in lines], sort_keys=True)
    own: dict[str, Any] = {"company_id": company_id}
    proposal_id = named("prp", company_id, link.id, "adopted", remote_id)
    procedure_id = named("prc", company_id, link.id, remote_id)
    mandate_id = _mandate(tx, link, mandate)
    signed, at = stamp(mandate.signed_at), stamp(now)
    tx.execute(
        schema.proposal.insert().values(
            **own,
            id=proposal_id,
            connection_id=link.id,
            debtor_id=debtor_id,
            state="opened",
            annex=annex,
            quote="{}",
            policy_version=host.policy.version,
            digest=hashlib.sha256(annex.encode()).hexdigest(),
            approved_by=by,
            approved_at=signed,
            reason="retrouvée chez le partenaire",
            created_at=at,
        )
    )
    tx.execute(
        schema.proposal_mandate.insert().values(
            **own, proposal_id=proposal_id, mandate_id=mandate_id
        )
    )
    tx.execute(
        schema.procedure.insert().values(
            **own,
            id=procedure_id,
            connection_id=link.id,
            proposal_id=proposal_id,
            mandate_id=mandate_id,
            remote_id=remote_id,
            state="active",  # the next pull says where it stands
            opened_at=signed,
            updated_at=at,
        )
    )
    for line in lines:
        tx.execute(
            schema.reservation.insert().values(
                **own,
                claim_id=line.claim_id,
                proposal_id=proposal_id,
                procedure_id=procedure_id,
                principal=line.principal.minor,
                handed_at=signed,
            )
        )
    body: dict[str, journal.JSON] = {
        "proposal": proposal_id,
        "remote_id": remote_id,
        "claims": [line.claim_id for line in lines],
    }
    journal.append(tx, company_id, now, "procedure_adopted", procedure_id, body)
    tasks.close(
        tx, company_id, UNKNOWN_PROCEDURE, subject_of(remote_id), f"reprise par {by}", at=now
    )
    return procedure_id


def _mandate(tx: Connection, link: Link, mandate: Mandate) -> str:
    """Find or make the mandate's row."""
    m = schema.mandate.c
    known = tx.execute(
        select(m.id).where(
            m.company_id == link.company_id,
            m.connection_id == link.id,
            m.remote_id == mandate.remote_id,
        )
    ).scalar_one_or_none()
    if known is not None:
        return str(known)
    assert mandate.signed_at is not None
    made = named("mdt", link.company_id, link.id, mandate.remote_id)
    tx.execute(
        schema.mandate.insert().values(
            company_id=link.company_id,
            id=made,
            connection_id=link.id,
            remote_id=mandate.remote_id,
            state="signed",
            annex=json.dumps([line.model_dump(mode="json") for line in mandate.annex]),
            signed_at=stamp(mandate.signed_at),
            created_at=stamp(mandate.signed_at),
        )
    )
    return made
