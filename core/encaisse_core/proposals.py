"""From collectible claims to a proposal a person approves.

A proposal groups the collectible claims of one client défaillant at one collector, with its quote
and the exact annex the mandate will carry. It reserves its claims: the store lets a claim be in one
live proposal or procedure only. Approving binds claims, amounts, quote and policy version.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from encaisse_api import (
    AnnexLine,
    Debtor,
    Money,
    Quote,
    QuotedClaim,
    QuoteRequest,
    Quotes,
    TakesMandates,
)
from encaisse_core import chaos, facts, journal, outbox, reconcile, reminders
from encaisse_core.errors import UsageError
from encaisse_core.host import Host, Link, links
from encaisse_core.numbers import annex_number
from encaisse_core.penalties import indemnity, late_interest
from encaisse_core.rates import Semester, UnknownRate
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp

APPROVAL_LASTS = timedelta(days=7)
"""An approval older than this says nothing about today's amounts."""

TO_APPROVE = timedelta(days=1)
"""What a person is given at least: a quote that ends sooner is asked again."""


def collectors(host: Host, tx: Connection, company_id: str) -> list[Link]:
    """List the connections that quote and take mandates."""
    return [
        link
        for link in links(tx, company_id)
        if host.can(link, Quotes) and host.can(link, TakesMandates)
    ]


def propose(host: Host, company_id: str) -> list[str]:
    """Quote every collectible claim that is not spoken for, and reserve it; return proposal ids.

    What was read and not counted yet is counted first: a night may have ended in between, and a
    claim paid at the collector would be proposed again once its procedure is closed. What nobody
    approved while its quote was good is quoted again.
    """
    reconcile.reconcile(host, company_id)
    _forget_old_quotes(host, company_id)
    with host.store.begin() as tx:
        found = collectors(host, tx, company_id)
        views = facts.collectible(host, tx, company_id)
    if not found:
        raise UsageError(
            "Aucun partenaire de recouvrement n'est connecté. "
            "Connectez-en un : encaisse connect gcollect."
        )
    collector = found[0]
    made: list[str] = []
    groups: dict[str, list[facts.Collectible]] = {}
    for view in views:
        groups.setdefault(view.debtor_id, []).append(view)
    with host.open(collector) as partner:
        for debtor_id, group in sorted(groups.items()):
            annex = [_annex_line(host, view) for view in group]
            with chaos.during("quote.ask"):
                quote: Quote = partner.quote(_request(collector, group[0].debtor, annex))
            made.append(_store(host, collector, debtor_id, annex, quote))
    reminders.ask(host, company_id, [view.claim_id for view in views])
    return [proposal for proposal in made if proposal]


def _forget_old_quotes(host: Host, company_id: str) -> None:
    """Give up proposals nobody approved whose quote ends before a person could be expected to."""
    p = schema.proposal.c
    with host.store.begin() as tx:
        host.store.one_at_a_time(tx, company_id)
        waiting = tx.execute(
            select(p.id, p.quote)
            .where(p.company_id == company_id, p.state == "proposed")
            .order_by(p.id)
        ).all()
        for row in waiting:
            if _over(row.quote, host.clock.now() + TO_APPROVE):
                drop(host, tx, company_id, row.id, "devis expiré")


def _over(quote: str, at: datetime) -> bool:
    """Tell whether a quote is no longer good then; one without an end stays so."""
    ends: str | None = json.loads(quote).get("expires_at")
    return ends is not None and datetime.fromisoformat(ends) <= at


def _annex_line(host: Host, view: facts.Collectible) -> AnnexLine:
    """State principal, interest to date and indemnity apart."""
    today = host.clock.today()
    interest = sum(_interest(cents, due, today) for due, cents in view.due)
    return AnnexLine(
        claim_id=view.claim_id,
        invoice_number=annex_number(view.number),
        issue_date=view.issue_date,
        due_date=min(due for due, _ in view.due),
        principal=Money.of_minor(view.cents),
        interest=Money.of_minor(interest),
        indemnity=Money.of_minor(indemnity(view.debtor.kind)),
    )


def _interest(cents: int, due: date, today: date) -> int:
    """Add the interest of every semester whose rate is published; nothing is claimed on a guess."""
    last = today
    while last > due:
        try:
            return sum(segment.cents for segment in late_interest(cents, due, last))
        except UnknownRate:
            semester = Semester.of(last)
            last = date(semester.year, 6, 30) if semester.half == 2 else date(last.year - 1, 12, 31)
    return 0


def _request(link: Link, debtor: Debtor, annex: Sequence[AnnexLine]) -> QuoteRequest:
    """Ask for a price blindly: SIREN, kind, département, amounts and dates only."""
    kind = debtor.kind if debtor.kind != "unknown" else "company"
    return QuoteRequest(
        creditor_siren=link.siren,
        debtor_siren=debtor.siren,
        debtor_kind=kind,
        department=_department(debtor),
        claims=tuple(
            QuotedClaim(
                claim_id=line.claim_id,
                issue_date=line.issue_date,
                due_date=line.due_date,
                amount=line.principal,
            )
            for line in annex
        ),
    )


def _department(debtor: Debtor) -> str | None:
    """Cut the département out of a French postcode; None where it does not tell (Corsica)."""
    if debtor.address is None or debtor.address.country != "FR":
        return None
    code = (debtor.address.postcode or "").strip()
    if not re.fullmatch(r"[0-9]{5}", code) or code.startswith("20"):
        return None
    department = code[:3] if code.startswith("97") else code[:2]
    return department if re.fullmatch(r"0[1-9]|[1-8][0-9]|9[0-5]|97[1-6]", department) else None


def _store(host: Host, link: Link, debtor_id: str, annex: Sequence[AnnexLine], quote: Quote) -> str:
    """Keep a proposal and reserve its claims, or nothing when one was taken meanwhile."""
    if not quote.eligible:
        return ""
    now = host.clock.now()
    lines = json.dumps([line.model_dump(mode="json") for line in annex], sort_keys=True)
    version = host.policy.version
    digest = hashlib.sha256(
        "\x1f".join((lines, quote.model_dump_json(), version)).encode()
    ).hexdigest()
    r = schema.reservation.c
    with host.store.begin("proposals.propose") as tx:
        host.store.one_at_a_time(tx, link.company_id)
        taken = tx.execute(
            select(r.claim_id).where(
                r.company_id == link.company_id,
                r.claim_id.in_([line.claim_id for line in annex]),
                r.released_at.is_(None),
            )
        ).first()
        if taken is not None:
            return ""
        proposal_id = host.ids.new("prp")
        tx.execute(
            schema.proposal.insert().values(
                company_id=link.company_id,
                id=proposal_id,
                connection_id=link.id,
                debtor_id=debtor_id,
                state="proposed",
                annex=lines,
                quote=quote.model_dump_json(),
                policy_version=version,
                digest=digest,
                created_at=stamp(now),
            )
        )
        for line in annex:
            tx.execute(
                schema.reservation.insert().values(
                    company_id=link.company_id,
                    claim_id=line.claim_id,
                    proposal_id=proposal_id,
                    principal=line.principal.minor,
                )
            )
        journal.append(
            tx,
            link.company_id,
            now,
            "claims_proposed",
            proposal_id,
            {"claims": [line.claim_id for line in annex], "digest": digest},
        )
    return proposal_id


def approve(host: Host, company_id: str, proposal_ids: Sequence[str], *, by: str) -> str:
    """Approve proposals of one collector and plan the one mandate they ask for; return its id."""
    if not proposal_ids:
        raise UsageError("Aucune proposition à approuver. Voir : encaisse propose.")
    now = host.clock.now()
    p = schema.proposal.c
    with host.store.begin("proposals.approve") as tx:
        host.store.one_at_a_time(tx, company_id)
        rows = [
            dict(row)
            for row in tx.execute(
                select(schema.proposal)
                .where(p.company_id == company_id, p.id.in_(proposal_ids))
                .order_by(p.id)
            ).mappings()
        ]
        _approvable(rows, proposal_ids, now)
        mandate_id = host.ids.new("mdt")
        annex = [line for row in rows for line in json.loads(row["annex"])]
        tx.execute(
            schema.mandate.insert().values(
                company_id=company_id,
                id=mandate_id,
                connection_id=rows[0]["connection_id"],
                state="requested",
                annex=json.dumps(annex, sort_keys=True),
                created_at=stamp(now),
            )
        )
        for row in rows:
            tx.execute(
                schema.proposal_mandate.insert().values(
                    company_id=company_id, proposal_id=row["id"], mandate_id=mandate_id
                )
            )
            tx.execute(
                schema.proposal.update()
                .where(p.company_id == company_id, p.id == row["id"])
                .values(
                    state="approved",
                    approved_by=by,
                    approved_at=stamp(now),
                    expires_at=stamp(now + APPROVAL_LASTS),
                )
            )
            journal.append(
                tx,
                company_id,
                now,
                "proposal_approved",
                row["id"],
                {"by": by, "digest": row["digest"], "mandate": mandate_id},
            )
        outbox.plan(
            host,
            tx,
            company_id=company_id,
            kind="request_mandate",
            subject=mandate_id,
            cause=hashlib.sha256("".join(row["digest"] for row in rows).encode()).hexdigest(),
            connection_id=rows[0]["connection_id"],
            payload={
                "mandate_id": mandate_id,
                "quotes": [json.loads(row["quote"])["remote_id"] for row in rows],
            },
        )
    return mandate_id


def _approvable(rows: Sequence[Mapping[str, Any]], asked: Sequence[str], now: datetime) -> None:
    """Refuse what cannot become one mandate: one old quote would have all of it refused."""
    missing = sorted(set(asked) - {row["id"] for row in rows})
    if missing:
        raise UsageError(f"Proposition inconnue : {', '.join(missing)}. Voir : encaisse propose.")
    wrong = [row["id"] for row in rows if row["state"] != "proposed"]
    if wrong:
        raise UsageError(f"Déjà traitée : {', '.join(wrong)}.")
    old = [row["id"] for row in rows if _over(row["quote"], now)]
    if old:
        raise UsageError(
            f"Le devis a expiré : {', '.join(old)}. Demandez-en un nouveau : encaisse propose."
        )
    if len({row["connection_id"] for row in rows}) > 1:
        raise UsageError("Un mandat ne vaut que pour un partenaire : approuvez-les séparément.")


def decline(host: Host, company_id: str, proposal_id: str, *, by: str, reason: str) -> None:
    """Put a proposal aside by a person's word, before anybody approved it; its claims are free.

    Raises `UsageError` once it was approved: from then on the mandate is signed, or it is not.
    """
    p = schema.proposal.c
    with host.store.begin() as tx:
        host.store.one_at_a_time(tx, company_id)
        state = tx.execute(
            select(p.state).where(p.company_id == company_id, p.id == proposal_id)
        ).scalar_one()
        if state != "proposed":
            raise UsageError(
                "Seule une proposition qui attend peut être écartée. Approuvée, elle s'arrête en "
                "refusant de signer le mandat ; confiée, par une procédure que l'on retire."
            )
        drop(host, tx, company_id, proposal_id, f"{reason} ({by})")


def drop(host: Host, tx: Connection, company_id: str, proposal_id: str, reason: str) -> None:
    """Give a proposal up and free its claims."""
    now = host.clock.now()
    p, r = schema.proposal.c, schema.reservation.c
    tx.execute(
        schema.proposal.update()
        .where(p.company_id == company_id, p.id == proposal_id)
        .values(state="dropped", reason=reason)
    )
    tx.execute(
        schema.reservation.update()
        .where(r.company_id == company_id, r.proposal_id == proposal_id, r.released_at.is_(None))
        .values(released_at=stamp(now))
    )
    journal.append(tx, company_id, now, "proposal_dropped", proposal_id, {"reason": reason})
