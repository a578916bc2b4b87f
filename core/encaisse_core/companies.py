"""Say whose connections are made: recorded companies, and those that are about to be."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select
from stdnum.fr import siren as siren_key

from encaisse_core import journal
from encaisse_core.errors import UsageError
from encaisse_core.host import Host
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Name a company that is recorded once its first connection has proven to work."""

    siren: str
    name: str
    environment: str


@dataclass(frozen=True, slots=True)
class Owner:
    """Hold whose connection is made: a recorded company, or one that may become one."""

    company_id: str
    organisation_id: str
    siren: str
    environment: str
    newcomer: Newcomer | None = None


def checked_siren(typed: str) -> str:
    """Read a SIREN. Raise `UsageError` for anything else."""
    clean = typed.replace(" ", "")
    if not siren_key.is_valid(clean):
        raise UsageError(f"« {typed} » n'est pas un SIREN : neuf chiffres et une clé juste.")
    return clean


def arriving(host: Host, who: Newcomer) -> Owner:
    """Give a company that may come its ids; nothing is written."""
    siren = checked_siren(who.siren)
    company_id, organisation_id = host.ids.new("cmp"), host.ids.new("org")
    return Owner(company_id, organisation_id, siren, who.environment, who)


def recorded(host: Host, company_id: str) -> Owner:
    """Read a recorded company."""
    a, c = schema.access.c, schema.company.c
    query = (
        select(a.organisation_id, c.siren, c.environment)
        .join(schema.access, a.company_id == c.id)
        .where(c.id == company_id)
        .limit(1)
    )
    with host.of(company_id).store.begin() as tx:
        row = tx.execute(query).one()
    return Owner(company_id, row.organisation_id, row.siren, row.environment)


def add_organisation(host: Host, tx: Connection, owner: Owner) -> None:
    """Write the organisation a new company is itself: grants belong to organisations."""
    assert owner.newcomer is not None
    tx.execute(
        schema.organisation.insert().values(
            id=owner.organisation_id,
            name=owner.newcomer.name,
            kind="company",
            created_at=stamp(host.clock.now()),
        )
    )


def record(host: Host, tx: Connection, owner: Owner) -> None:
    """Write a new company, with what its own organisation may do for it."""
    assert owner.newcomer is not None
    now = host.clock.now()
    tx.execute(
        schema.company.insert().values(
            id=owner.company_id,
            siren=owner.siren,
            name=owner.newcomer.name,
            environment=owner.environment,
            created_at=stamp(now),
        )
    )
    for role in ("prepare", "sign"):
        tx.execute(
            schema.access.insert().values(
                organisation_id=owner.organisation_id,
                company_id=owner.company_id,
                role=role,
                basis="elle-même",
                starts_on=host.clock.today().isoformat(),
            )
        )
    body: dict[str, journal.JSON] = {"siren": owner.siren}
    journal.append(tx, owner.company_id, now, "company_added", owner.company_id, body)
