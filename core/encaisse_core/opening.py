"""Ask for the mandate, and once a person signed it, open the procedure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, func, select

from encaisse_api import (
    AnnexLine,
    Mandate,
    MandateDraft,
    MandateLink,
    Money,
    Receipt,
    SignedMandate,
)
from encaisse_core import facts, filing, gate, journal, outbox, proposals, renewing, restored
from encaisse_core.host import Host, Link
from encaisse_core.kinds import Kind, Never, NotNow
from encaisse_core.naming import named
from encaisse_core.outbox import Effect
from encaisse_core.store import schema
from encaisse_core.store.engine import instant, stamp


class RequestMandate(Kind):
    """Ask the collector for a mandate on the approved claims."""

    send = "request_mandate"
    find = "find_mandate"
    answers = MandateLink

    def build(self, host: Host, link: Link, effect: Effect) -> tuple[BaseModel, ...]:
        with host.store.begin() as tx:
            row = _mandate(tx, effect.company_id, effect.payload["mandate_id"])
        return (
            MandateDraft(
                creditor_siren=link.siren,
                quote_ids=tuple(effect.payload["quotes"]),
                annex=_annex(row),
            ),
        )

    def ready(self, host: Host, link: Link, effect: Effect, told: BaseModel) -> None:
        """Ask for nothing to be signed that may be worked on already, or that was given up."""
        _nothing_forgotten(host, effect)
        with host.store.begin() as tx:
            approved = self._waiting(tx, effect)
        if not approved:
            raise Never("Ses propositions ont été abandonnées : encaisse propose.")

    def landed(
        self,
        host: Host,
        tx: Connection,
        link: Link,
        effect: Effect,
        receipt: MandateLink,
        seen: Any,
    ) -> None:
        m = schema.mandate.c
        tx.execute(
            schema.mandate.update()
            .where(m.company_id == effect.company_id, m.id == effect.payload["mandate_id"])
            .values(remote_id=receipt.remote_id, signing_url=receipt.signing_url, state="pending")
        )

    def failed(self, host: Host, tx: Connection, link: Link, effect: Effect) -> None:
        """Free the claims: there will be no mandate."""
        for proposal_id in self._waiting(tx, effect):
            proposals.drop(host, tx, effect.company_id, proposal_id, "mandat refusé")

    def _waiting(self, tx: Connection, effect: Effect) -> Sequence[str]:
        """Name the approved proposals the mandate is for."""
        p, pm = schema.proposal.c, schema.proposal_mandate.c
        query = (
            select(p.id)
            .join(
                schema.proposal_mandate, (pm.company_id == p.company_id) & (pm.proposal_id == p.id)
            )
            .where(
                pm.company_id == effect.company_id,
                pm.mandate_id == effect.payload["mandate_id"],
                p.state == "approved",
            )
            .order_by(p.id)
        )
        return tx.execute(query).scalars().all()


def plan_openings(host: Host, company_id: str) -> int:
    """Plan an opening for each approved proposal whose mandate is signed; drop what expired."""
    planned = 0
    now = host.clock.now()
    p, m, pm = schema.proposal.c, schema.mandate.c, schema.proposal_mandate.c
    with host.store.begin("opening.plan") as tx:
        host.store.one_at_a_time(tx, company_id)
        query = (
            select(
                p.id,
                p.connection_id,
                p.digest,
                p.expires_at,
                m.state,
                m.signed_at,
                m.id.label("mandate_id"),
            )
            .join(
                schema.proposal_mandate, (pm.company_id == p.company_id) & (pm.proposal_id == p.id)
            )
            .join(schema.mandate, (m.company_id == pm.company_id) & (m.id == pm.mandate_id))
            .where(p.company_id == company_id, p.state == "approved")
            .order_by(p.id)
        )
        forgetful = restored.open_of(tx, company_id) is not None
        for row in tx.execute(query).all():
            if forgetful and row.signed_at is not None and _plan(host, tx, company_id, row):
                planned += 1  # it may be open by now: looked up before it is given up
            elif instant(row.expires_at) < now:
                if not _under_way(tx, company_id, row.id):
                    proposals.drop(host, tx, company_id, row.id, "approbation expirée")
            elif row.state in ("refused", "expired", "revoked", "altered"):
                proposals.drop(host, tx, company_id, row.id, f"mandat {row.state}")
            elif row.state == "signed":
                planned += _plan(host, tx, company_id, row)
    return planned


def _plan(host: Host, tx: Connection, company_id: str, row: Any) -> bool:
    return (
        outbox.plan(
            host,
            tx,
            company_id=company_id,
            kind="open_procedure",
            subject=row.id,
            cause=row.digest,
            connection_id=row.connection_id,
            payload={"proposal_id": row.id, "mandate_id": row.mandate_id},
        )
        is not None
    )


def _nothing_forgotten(host: Host, effect: Effect) -> None:
    """Wait while a restored store may not know what its collectors already work on."""
    with host.store.begin() as tx:
        why = restored.why_not_open(tx, effect.company_id)
    if why is not None:
        raise NotNow(why)


def _under_way(tx: Connection, company_id: str, proposal_id: str) -> bool:
    """Tell whether an opening may already have landed, so that it must first be looked up."""
    e = schema.effect.c
    return (
        tx.execute(
            select(e.id).where(
                e.company_id == company_id,
                e.kind == "open_procedure",
                e.subject == proposal_id,
                e.state.in_(("sending", "uncertain")),
            )
        ).first()
        is not None
    )


class OpenProcedure(Kind):
    """Open one procedure: fresh facts, unchanged but for less, under the signed mandate."""

    send = "open_procedure"
    find = "find_procedure"

    def build(self, host: Host, link: Link, effect: Effect) -> tuple[BaseModel, ...]:
        company_id = effect.company_id
        with host.store.begin() as tx:
            proposal = _proposal(tx, company_id, effect.payload["proposal_id"])
            mandate = _mandate(tx, company_id, effect.payload["mandate_id"])
        if proposal["state"] != "approved":
            raise Never("La proposition n'est plus approuvée.")
        approved = _annex(proposal)
        with host.store.begin() as tx:
            lines = _today(host, tx, company_id, approved) or approved  # `ready` decides on none
        signed = SignedMandate(
            mandate=Mandate(
                remote_id=mandate["remote_id"],
                state="signed",
                annex=_annex(mandate),
                signed_at=instant(mandate["signed_at"]),
            )
        )
        if not signed.covers(lines):
            raise Never("Le mandat signé ne couvre pas ces montants.")
        keep = partial(renewing.renew, host, effect)
        made = filing.file(host, link, proposal["id"], proposal["debtor_id"], lines, keep=keep)
        return (made, signed)

    def ready(self, host: Host, link: Link, effect: Effect, told: BaseModel) -> None:
        """Ask every source once more: paid, changed or silent means that nothing leaves.

        What was paid while the file was made, and seen by day, is neither in it nor news after it:
        the file is made anew.
        """
        _nothing_forgotten(host, effect)
        with host.store.begin() as tx:
            proposal = _proposal(tx, effect.company_id, effect.payload["proposal_id"])
        if instant(proposal["expires_at"]) < host.clock.now():
            self._give_up(host, effect, "approbation expirée")
        approved = _annex(proposal)
        claims = [line.claim_id for line in approved]
        gate.check(host, effect.company_id, claims, keep=partial(renewing.renew, host, effect))
        if _debtor_changed(host, effect, proposal, approved):
            self._give_up(host, effect, "le débiteur a été corrigé dans l'outil")
        with host.store.begin("opening.reserve") as tx:
            host.store.one_at_a_time(tx, effect.company_id)
            lines = _today(host, tx, effect.company_id, approved)
            moved = lines != filing.lines_of(told)
            if lines and not moved:
                _reserve_only(host, tx, effect, lines)
        if not lines:
            self._give_up(host, effect, "plus rien à recouvrer")
        if moved:
            raise NotNow("Les montants ont bougé depuis leur lecture.", retry_in=timedelta(0))

    def _give_up(self, host: Host, effect: Effect, reason: str) -> None:
        with host.store.begin() as tx:
            proposals.drop(host, tx, effect.company_id, effect.payload["proposal_id"], reason)
        raise Never(f"La procédure n'a pas été ouverte : {reason}.")

    def landed(
        self, host: Host, tx: Connection, link: Link, effect: Effect, receipt: Receipt, seen: Any
    ) -> None:
        now = host.clock.now()
        company_id, proposal_id = effect.company_id, effect.payload["proposal_id"]
        procedure_id = named("prc", company_id, link.id, receipt.remote_id)
        tx.execute(
            schema.procedure.insert().values(
                company_id=company_id,
                id=procedure_id,
                connection_id=link.id,
                proposal_id=proposal_id,
                mandate_id=effect.payload["mandate_id"],
                remote_id=receipt.remote_id,
                state="active",
                opened_at=stamp(now),
                updated_at=stamp(now),
            )
        )
        r, p = schema.reservation.c, schema.proposal.c
        tx.execute(
            schema.reservation.update()
            .where(
                r.company_id == company_id,
                r.proposal_id == proposal_id,
                r.released_at.is_(None),
            )
            .values(procedure_id=procedure_id)
        )
        tx.execute(
            schema.proposal.update()
            .where(p.company_id == company_id, p.id == proposal_id)
            .values(state="opened")
        )
        journal.append(
            tx,
            company_id,
            now,
            "procedure_opened",
            procedure_id,
            {"proposal": proposal_id, "remote_id": receipt.remote_id},
        )

    def failed(self, host: Host, tx: Connection, link: Link, effect: Effect) -> None:
        """Free the claims: the collector does not take them."""
        proposals.drop(
            host, tx, effect.company_id, effect.payload["proposal_id"], "refusée par le partenaire"
        )


def _today(
    host: Host, tx: Connection, company_id: str, approved: Sequence[AnnexLine]
) -> tuple[AnnexLine, ...]:
    """Lower each approved line to what is collectible today; drop lines with nothing left."""
    lines: list[AnnexLine] = []
    claims = [line.claim_id for line in approved]
    decided = {
        each.facts.claim_id: each.decision.collectible_cents
        for each in facts.decide_all(host, tx, company_id, only=claims, ignore_procedure=True)
    }
    for line in approved:
        cents = min(line.principal.minor, decided.get(line.claim_id, 0))
        if cents > 0:
            lines.append(line.model_copy(update={"principal": Money.of_minor(cents)}))
    return tuple(lines)


def _debtor_changed(
    host: Host, effect: Effect, proposal: Mapping[str, Any], approved: Sequence[AnnexLine]
) -> bool:
    """Tell whether a claim is owed by somebody else than the person approved."""
    c = schema.claim.c
    with host.store.begin() as tx:
        owing = tx.execute(
            select(c.debtor_id).where(
                c.company_id == effect.company_id,
                c.id.in_([line.claim_id for line in approved]),
            )
        ).scalars()
        return any(debtor != proposal["debtor_id"] for debtor in owing)


def _reserve_only(host: Host, tx: Connection, effect: Effect, lines: Sequence[AnnexLine]) -> None:
    """Reserve exactly what is about to be handed over, and free the claims left out of it."""
    r, now = schema.reservation.c, host.clock.now()
    here = (
        r.company_id == effect.company_id,
        r.proposal_id == effect.payload["proposal_id"],
        r.released_at.is_(None),
    )
    handed = [line.claim_id for line in lines]
    left_out = schema.reservation.update().where(*here, r.claim_id.not_in(handed))
    tx.execute(left_out.values(released_at=stamp(now)))
    counted = _counted_until(tx, effect.company_id, handed)
    for line in lines:
        at = max(now, counted.get(line.claim_id, now))
        tx.execute(
            schema.reservation.update()
            .where(*here, r.claim_id == line.claim_id)
            .values(principal=line.principal.minor, handed_at=stamp(at))
        )


def _counted_until(tx: Connection, company_id: str, handed: Sequence[str]) -> dict[str, datetime]:
    """Tell of each claim the first instant after its payments, which its principal leaves out.

    One written down in this very instant, or by a machine whose clock is ahead, would else count as
    paid after the claim was handed over, and be declared to the collector on top.
    """
    p = schema.payment.c
    here = (p.company_id == company_id, p.claim_id.in_(handed))
    newest = select(p.claim_id, func.max(p.created_at).label("at")).where(*here)
    found = tx.execute(newest.group_by(p.claim_id)).all()
    return {row.claim_id: instant(row.at) + timedelta.resolution for row in found}


def _annex(proposal: Mapping[str, Any]) -> tuple[AnnexLine, ...]:
    return tuple(AnnexLine.model_validate(line) for line in json.loads(proposal["annex"]))


def _mandate(tx: Connection, company_id: str, mandate_id: str) -> dict[str, Any]:
    m = schema.mandate.c
    row = (
        tx.execute(select(schema.mandate).where(m.company_id == company_id, m.id == mandate_id))
        .mappings()
        .one()
    )
    return dict(row)


def _proposal(tx: Connection, company_id: str, proposal_id: str) -> dict[str, Any]:
    p = schema.proposal.c
    row = (
        tx.execute(select(schema.proposal).where(p.company_id == company_id, p.id == proposal_id))
        .mappings()
        .one()
    )
    return dict(row)
