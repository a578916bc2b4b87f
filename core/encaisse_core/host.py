"""The host as one value: its store, its time, its connectors, its door to the partners."""

from __future__ import annotations

import json
import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Protocol, cast

import httpx
from sqlalchemy import Connection, Text, bindparam, select

from encaisse_api import Connector, Context, Manifest, roles_of
from encaisse_api.base import Environment
from encaisse_core.blobs import Blobs
from encaisse_core.clock import Clock, Ids
from encaisse_core.decide import Policy
from encaisse_core.errors import UsageError
from encaisse_core.store import Store, schema
from encaisse_core.store.engine import rows

UNIT_OF_WORK = timedelta(minutes=30)
"""How long one unit of work (a connection, a phase) should take at most."""


@dataclass(frozen=True, slots=True)
class Link:
    """Describe one connection: which connector opens which account for which company."""

    id: str
    company_id: str
    siren: str
    environment: str
    connector: str
    grant_id: str
    account: str
    state: str
    settings: Mapping[str, str]
    sequence: int
    referrer_id: str | None
    together: bool = False


class Lends(Protocol):
    """Build the client a connector is lent."""

    def out_of_bounds(self, manifest: Manifest, environment: str) -> str:
        """Say why a vendor may not be called; empty where it may."""
        ...

    def lend(
        self,
        *,
        manifest: Manifest,
        grant_id: str | None,
        account: str | None,
        environment: str,
        deadline: datetime | None,
        addresses: Sequence[str],
        keeps_reserve: bool,
    ) -> httpx.Client: ...


class Connectors(Protocol):
    """Find a connector class by its slug."""

    def connector(self, slug: str) -> type[Connector]: ...


@dataclass(frozen=True)
class Host:
    """Hold everything a phase needs; nothing else is global."""

    store: Store
    clock: Clock
    ids: Ids
    connectors: Connectors
    door: Lends
    blobs: Blobs
    policy: Policy = field(default_factory=Policy)
    heard: dict[str, str] = field(default_factory=dict[str, str])
    """When this process began to read the payments of a collector, for stops, by connection."""

    def of(self, company_id: str) -> Host:
        """Give the host as one company's: its store shows and takes that company's rows only."""
        return replace(self, store=self.store.of(company_id))

    def connector_class(self, link: Link) -> type[Connector]:
        """Find the class behind a connection."""
        return self.connectors.connector(link.connector)

    def manifest(self, link: Link) -> Manifest:
        """Find what the connector declares."""
        return self.connector_class(link).manifest

    def can(self, link: Link, role: type) -> bool:
        """Tell whether a connection has a role. False when its connector is not installed."""
        try:
            return role.__name__ in roles_of(self.connector_class(link))
        except KeyError:
            return False

    def follows_money(self, link: Link) -> bool:
        """Tell whether a source's open amounts move with payments.

        Unless its connector says no: a tool whose connector is gone was last seen following.
        """
        try:
            stream = self.manifest(link).streams.get("invoices")
        except KeyError:
            return True
        return stream is not None and stream.follows_money

    @contextmanager
    def open(
        self, link: Link, *, longest: timedelta | None = None, keeps_reserve: bool = False
    ) -> Generator[Any]:
        """Build the connector for one unit of work and close its client afterwards.

        No request starts later than `longest` from now, so that none outlives a lease. A pull
        `keeps_reserve`: it leaves the calls its partner's manifest sets apart for everything else.
        """
        now = self.clock.now()
        deadline = now + (longest or UNIT_OF_WORK)
        with self.lend(link, deadline, keeps_reserve=keeps_reserve) as client:
            yield self.build(link, client, now, deadline)

    def lend(self, link: Link, deadline: datetime, *, keeps_reserve: bool = False) -> httpx.Client:
        """Lend the client of a connection; whoever asked closes it."""
        manifest = self.manifest(link)
        return self.door.lend(
            manifest=manifest,
            grant_id=link.grant_id,
            account=link.account or None,
            environment=link.environment,
            deadline=deadline,
            addresses=[
                link.settings[setting.name]
                for setting in manifest.settings
                if setting.kind == "url" and link.settings.get(setting.name)
            ],
            keeps_reserve=keeps_reserve,
        )

    def build(
        self, link: Link, client: httpx.Client, now: datetime, deadline: datetime
    ) -> Connector:
        """Build the connector over a client that was lent until `deadline`."""
        kind = self.connector_class(link)
        environment = cast("Environment", link.environment)  # the door lends in no other
        return kind(
            Context(
                http=client,
                settings=link.settings,
                account=link.account or None,
                today=self.clock.today(),
                now=now,
                log=_log(link.connector),
                deadline=deadline,
                environment=environment,
                hosts=kind.manifest.hosts(environment),
                siren=link.siren,
            )
        )


@cache
def _log(connector: str) -> logging.Logger:
    """Give a connector's log; asked for each effect, and `logging` takes its lock each time."""
    return logging.getLogger(f"encaisse.{connector}")


def links(
    connection: Connection, company_id: str, *, states: Sequence[str] = ("active",)
) -> list[Link]:
    """List a company's connections, in the order they were made."""
    c, k = schema.connection.c, schema.company.c
    query = (
        select(schema.connection, k.siren, k.environment)
        .join(schema.company, k.id == c.company_id)
        .where(c.company_id == company_id, c.state.in_(states))
        .order_by(c.sequence)
    )
    return [link_of(row) for row in rows(connection.execute(query))]


def link(connection: Connection, company_id: str, connection_id: str) -> Link:
    """Read one connection."""
    named = {"of_company": company_id, "of_link": connection_id}
    found = connection.execute(_ONE, named).mappings().first()
    if found is None:
        raise UsageError(f"La connexion {connection_id} n'existe pas pour cette société.")
    return link_of(dict(found))


_ONE = (
    select(schema.connection, schema.company.c.siren, schema.company.c.environment)
    .join(schema.company, schema.company.c.id == schema.connection.c.company_id)
    .where(
        schema.connection.c.company_id == bindparam("of_company", type_=Text),
        schema.connection.c.id == bindparam("of_link", type_=Text),
    )
)
"""Made once, because each effect asks it."""


def link_of(row: Mapping[str, Any]) -> Link:
    """Make a connection of its row, with its company's SIREN and environment."""
    return Link(
        id=row["id"],
        company_id=row["company_id"],
        siren=row["siren"],
        environment=row["environment"],
        connector=row["connector"],
        grant_id=row["grant_id"],
        account=row["account"],
        state=row["state"],
        settings=json.loads(row["settings"]),
        sequence=row["sequence"],
        referrer_id=row["referrer_id"],
        together=bool(row["together"]),
    )


def companies(connection: Connection) -> list[dict[str, Any]]:
    """List the companies."""
    query = select(schema.company).order_by(schema.company.c.siren)
    return rows(connection.execute(query))
