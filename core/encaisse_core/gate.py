"""The last look before anything leaves: every source fresh, every invoice asked again, unchanged.

A source that failed tonight cannot say that its customer has not paid; so nothing of its company
leaves until it answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy import Connection, select

from encaisse_api import Missing, PartnerError, PullsInvoices, SourceInvoice
from encaisse_core import chaos
from encaisse_core.errors import HostError
from encaisse_core.faults import fault
from encaisse_core.host import Host, Link, links
from encaisse_core.kinds import NotNow
from encaisse_core.sightings import live_of, store_invoices
from encaisse_core.store import schema
from encaisse_core.store.engine import instant

FRESH = timedelta(hours=24)
"""Every live source must have completed a pull within this time."""

LOT = 20
"""Invoices asked about in one read: a slow tool answers so many well within a lease."""


def check(
    host: Host, company_id: str, claim_ids: Sequence[str], *, keep: Callable[[], None]
) -> None:
    """Raise `NotNow` unless each source of the company is fresh and confirms each claim now.

    What the re-read changes is stored, so that the next reconciliation sees it. After each read
    `keep` says that this worker is still at it.
    """
    with host.store.begin() as tx:
        sources = _sources(host, tx, company_id)
        refs = {link.id: [ref for _, ref in live_of(tx, link, claim_ids)] for link in sources}
    for link in sources:
        asked, changed = refs[link.id], False
        for first in range(0, len(asked), LOT):
            changed |= _confirm(host, link, asked[first : first + LOT])
            keep()
        if changed:
            raise NotNow(
                f"La facture a changé dans {link.connector} depuis sa lecture.",
                retry_in=timedelta(0),
            )
    with host.store.begin() as tx:
        _explained(host, tx, company_id, claim_ids)


def _sources(host: Host, tx: Connection, company_id: str) -> list[Link]:
    """List the company's sources; a stale or paused one stops everything."""
    found = [
        link
        for link in links(tx, company_id, states=("active", "paused"))
        if _is_source(host, tx, link)
    ]
    c = schema.connection.c
    now = host.clock.now()
    for link in found:
        row = tx.execute(
            select(c.pulled_at, c.failed_at).where(c.company_id == company_id, c.id == link.id)
        ).one()
        if link.state != "active":
            raise NotNow(f"{link.connector} est en pause : ses factures ne sont plus vérifiées.")
        if row.failed_at is not None:
            raise NotNow(f"{link.connector} n'a pas répondu cette nuit : rien n'est ouvert.")
        if row.pulled_at is None or now - instant(row.pulled_at) > FRESH:
            raise NotNow(f"{link.connector} n'a pas été lu depuis 24 heures.")
    return found


def _is_source(host: Host, tx: Connection, link: Link) -> bool:
    """Tell whether a connection shows invoices; one whose connector is gone cannot confirm them."""
    try:
        host.manifest(link)
    except KeyError:
        s = schema.sighting.c
        shown = select(s.id).where(s.company_id == link.company_id, s.connection_id == link.id)
        if tx.execute(shown.limit(1)).first() is not None:
            raise NotNow(
                f"Le connecteur {link.connector} n'est plus installé : ses factures ne sont plus "
                "vérifiées."
            ) from None
        return False
    return host.can(link, PullsInvoices)


def _explained(host: Host, tx: Connection, company_id: str, claim_ids: Sequence[str]) -> None:
    """Let nothing leave while a tool shows an amount nobody has explained yet."""
    s = schema.sighting.c
    found = tx.execute(
        select(s.number, s.connection_id).where(
            s.company_id == company_id,
            s.claim_id.in_(claim_ids),
            s.presence == "live",
            s.open != s.expected,
        )
    ).all()
    following = {link.id for link in links(tx, company_id) if host.follows_money(link)}
    for row in found:
        if row.connection_id in following:
            raise NotNow(
                f"Le montant ouvert de la facture {row.number} a bougé et n'est pas encore "
                "rapproché.",
                retry_in=timedelta(0),
            )


def _confirm(host: Host, link: Link, refs: Sequence[str]) -> bool:
    """Read the claims' invoices again at one source; tell whether any changed."""
    try:
        with host.open(link) as source, chaos.during("gate.look"):
            answers: Sequence[SourceInvoice | Missing] = source.read_invoices(refs)
    except PartnerError as error:
        raise NotNow(f"{link.connector} ne confirme pas la facture : {error.message}") from error
    except HostError:
        raise
    except Exception as error:  # a connector's bug confirms nothing
        raise NotNow(f"{link.connector} ne confirme pas la facture : {fault(error)}") from error
    missing = [answer.ref for answer in answers if isinstance(answer, Missing)]
    present = [answer for answer in answers if isinstance(answer, SourceInvoice)]
    if len(answers) != len(refs) or missing:
        raise NotNow(f"{link.connector} ne retrouve plus la facture : une personne doit vérifier.")
    with host.store.begin("gate.confirm") as tx:
        host.store.one_at_a_time(tx, link.company_id)
        _, changed = store_invoices(host, tx, link, present)
    return bool(changed)
