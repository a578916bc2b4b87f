"""Connect a company to a tool: check the settings, the access, and whose dossier it opens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection, func, select

from encaisse_api import (
    Denied,
    Granted,
    ListsAccounts,
    Manifest,
    PartnerError,
    Probes,
    Setting,
)
from encaisse_core import companies, grants, journal, tasks
from encaisse_core.companies import Newcomer, Owner
from encaisse_core.errors import AccessDenied, Unreachable, UsageError
from encaisse_core.host import Host, Link, link
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
from encaisse_core.vault import Vault


def add_company(host: Host, *, siren: str, name: str, environment: str) -> str:
    """Find or make a company and the organisation it is itself; give its id."""
    clean = companies.checked_siren(siren)
    c = schema.company.c
    with host.store.listing().begin() as tx:
        known = tx.execute(
            select(c.id).where(c.siren == clean, c.environment == environment)
        ).scalar_one_or_none()
        if known is not None:
            return str(known)
    owner = companies.arriving(host, Newcomer(clean, name, environment))
    with host.of(owner.company_id).store.begin() as tx:
        companies.add_organisation(host, tx, owner)
        companies.record(host, tx, owner)
    return owner.company_id


ANSWERED = ("reconnect", "mass_vanishing")
"""Questions about a connection that connecting again answers."""


def connect(
    host: Host,
    vault: Vault,
    *,
    connector: str,
    values: Mapping[str, str],
    company_id: str | None = None,
    newcomer: Newcomer | None = None,
    account: str = "",
    referrer_id: str | None = None,
) -> Link:
    """Make a connection, or renew the access of the one that stands, once it has proven to work.

    What was typed is tried under a grant of its own: where it fails, that grant is forgotten, a
    connection that stood keeps its secrets and settings, and no new company is left behind.
    Raises `UsageError` for settings, `AccessDenied` when the partner refuses, `Unreachable` when
    it does not answer.
    """
    manifest = host.connectors.connector(connector).manifest
    owner = (
        companies.arriving(host, newcomer)
        if newcomer
        else companies.recorded(host, company_id or "")
    )
    host = host.of(owner.company_id)
    settings, secrets = _split(manifest, values, owner.siren)
    unknown = manifest.contract == "assumed" and not manifest.local
    tested = bool(manifest.test_hosts) and not manifest.live_hosts
    if owner.environment == "live" and (unknown or tested):
        raise UsageError(
            f"{manifest.name} n'a pas d'accès réel connu (contrat supposé) : "
            "utilisez l'environnement « test »."
        )
    if forbidden := host.door.out_of_bounds(manifest, owner.environment):
        raise UsageError(forbidden)
    with host.store.begin() as tx:
        standing = _standing(tx, owner, manifest, account, settings)
        if standing is not None:  # what is not typed again stays, unless it is typed empty
            emptied = {name for name, value in values.items() if not value}
            kept = {k: v for k, v in standing.settings.items() if k not in emptied}
            settings = kept | settings
        tried = _tried(host, tx, vault, owner, standing, connector, account, settings, secrets)
    try:
        _prove(host, tried)
        with host.store.begin() as tx:
            host.store.one_at_a_time(tx, owner.company_id)
            if standing is None:  # who connected it meanwhile is joined: two would pull all twice
                standing = _standing(tx, owner, manifest, account, settings)
            made = _keep(host, tx, vault, owner, standing, tried, secrets, referrer_id)
            body: dict[str, journal.JSON] = {"connector": connector}
            now = host.clock.now()
            journal.append(tx, made.company_id, now, "connected", made.id, body)
            for question in ANSWERED:
                tasks.close(tx, made.company_id, question, made.id, "reconnecté", at=now)
    except BaseException:
        if standing is None or tried.grant_id != standing.grant_id:
            with host.store.begin() as tx:
                _forget(tx, owner, tried.grant_id)
        raise
    return made


def _split(
    manifest: Manifest, values: Mapping[str, str], siren: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Sort what was typed into settings and secrets, and say what is missing or unknown."""
    known = {setting.name: setting for setting in manifest.settings}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise UsageError(
            f"{manifest.name} ne connaît pas : {', '.join(unknown)}. "
            f"Réglages attendus : {', '.join(known) or 'aucun'}."
        )
    given = {name: value for name, value in values.items() if value}
    if "siren" in known:
        given.setdefault("siren", siren)
    missing = [s.name for s in manifest.settings if s.required and s.name not in given]
    if missing:
        raise UsageError(
            f"Il manque pour {manifest.name} : {', '.join(missing)} "
            f"(encaisse connect {manifest.slug} --set {missing[0]}=…)."
        )
    for name, value in given.items():
        _check(known[name], value, manifest)
    settings = {name: value for name, value in given.items() if not known[name].secret}
    secrets = {name: value for name, value in given.items() if known[name].secret}
    return settings, secrets


def _check(setting: Setting, value: str, manifest: Manifest) -> None:
    """Refuse a value that can only be wrong; a secret is never repeated."""
    if setting.kind == "siren":
        companies.checked_siren(value)
    if setting.kind == "url" and not value.strip().startswith(("https://", "http://")):
        raise UsageError(f"« {value} » n'est pas une adresse : elle commence par https://.")
    if not setting.accepts(value):
        shown = "Ce qui a été donné" if setting.secret else f"« {value} »"
        raise UsageError(
            f"{shown} ne convient pas au réglage « {setting.name} » de {manifest.name} : "
            f"{setting.label_fr}."
        )


def _standing(
    tx: Connection, owner: Owner, manifest: Manifest, account: str, settings: Mapping[str, str]
) -> Link | None:
    """Find the connection that is renewed, if there is one; two places are two connections."""
    places = [setting.name for setting in manifest.settings if setting.kind == "path"]
    c = schema.connection.c
    query = select(c.id, c.settings).where(
        c.company_id == owner.company_id,
        c.connector == manifest.slug,
        c.account == account,
        c.state != "ended",
    )
    for row in tx.execute(query):
        known = json.loads(row.settings)
        if all(known.get(place) == settings.get(place) for place in places):
            return link(tx, owner.company_id, row.id)
    return None


def _tried(
    host: Host,
    tx: Connection,
    vault: Vault,
    owner: Owner,
    standing: Link | None,
    connector: str,
    account: str,
    settings: Mapping[str, str],
    secrets: Mapping[str, str],
) -> Link:
    """Give the connection as it would be, under a grant of its own where secrets are to be tried.

    Tokens a person's consent brought stay with the grant that stands, so new settings alone are
    tried under that one.
    """
    if standing is not None:
        grant = grants.read_grant(tx, standing.grant_id)
        if not secrets and grant.state == "active":
            return replace(standing, settings=dict(settings))
        kept = grants.read_secrets(tx, vault, standing.grant_id)
        secrets = {name: value.get_secret_value() for name, value in kept.items()} | dict(secrets)
    if owner.newcomer is not None:
        companies.add_organisation(host, tx, owner)
    grant_id = grants.create_grant(
        tx,
        vault,
        host.ids,
        at=host.clock.now(),
        organisation_id=owner.organisation_id,
        connector=connector,
        environment=owner.environment,
        secrets=secrets,
    )
    if standing is not None:
        return replace(standing, settings=dict(settings), grant_id=grant_id)
    return Link(
        id=host.ids.new("cnx"),
        company_id=owner.company_id,
        siren=owner.siren,
        environment=owner.environment,
        connector=connector,
        grant_id=grant_id,
        account=account,
        state="active",
        settings=dict(settings),
        sequence=0,
        referrer_id=None,
    )


def _keep(
    host: Host,
    tx: Connection,
    vault: Vault,
    owner: Owner,
    standing: Link | None,
    tried: Link,
    secrets: Mapping[str, str],
    referrer_id: str | None,
) -> Link:
    """Write what has proven to work: a connection, or new secrets on the one that stands."""
    c = schema.connection.c
    if standing is not None:
        if tried.grant_id != standing.grant_id:
            if secrets:
                grants.replace_secrets(tx, vault, standing.grant_id, secrets)
            grants.mark_active(tx, standing.grant_id)
            _forget_grant(tx, tried.grant_id)
        referred = standing.referrer_id or referrer_id  # one that is known never changes
        tx.execute(
            schema.connection.update()
            .where(c.company_id == owner.company_id, c.id == standing.id)
            .values(
                state="active",
                reason=None,
                settings=json.dumps(dict(tried.settings)),
                referrer_id=referred,
            )
        )
        if referred != standing.referrer_id:
            body: dict[str, journal.JSON] = {"referrer": referred}
            now = host.clock.now()
            journal.append(tx, owner.company_id, now, "connection_referred", standing.id, body)
        return link(tx, owner.company_id, standing.id)
    if owner.newcomer is not None:
        companies.record(host, tx, owner)
    count = tx.execute(
        select(func.count()).select_from(schema.connection).where(c.company_id == owner.company_id)
    ).scalar_one()
    tx.execute(
        schema.connection.insert().values(
            company_id=owner.company_id,
            id=tried.id,
            grant_id=tried.grant_id,
            connector=tried.connector,
            account=tried.account,
            state="active",
            settings=json.dumps(dict(tried.settings)),
            sequence=count + 1,
            referrer_id=referrer_id,
            together=1,
            created_at=stamp(host.clock.now()),
        )
    )
    return link(tx, owner.company_id, tried.id)


def _prove(host: Host, made: Link) -> None:
    """Ask the partner who we are; the dossier must be the company's own."""
    granted = Granted()
    manifest = host.manifest(made)
    name = manifest.name
    try:
        with host.open(made) as partner:
            if host.can(made, ListsAccounts) and made.account:
                accounts = {account.ref: account for account in partner.accounts()}
                if made.account not in accounts:
                    raise UsageError(f"{name} n'a pas de dossier « {made.account} ».")
                granted = Granted(siren=accounts[made.account].siren)
            elif host.can(made, Probes):
                granted = partner.probe()
    except Denied as error:
        what = " Vérifiez l'identifiant et le secret." if manifest.auth.secrets() else ""
        raise AccessDenied(f"{error.message}{what}") from error
    except PartnerError as error:
        raise Unreachable(f"{name} ne répond pas comme prévu : {error.message}") from error
    if granted.siren is not None and granted.siren != made.siren:
        raise UsageError(
            f"Cet accès à {name} ouvre le dossier de la société {granted.siren}, pas de "
            f"{made.siren} : rien n'a été enregistré."
        )


def _forget(tx: Connection, owner: Owner, grant_id: str) -> None:
    """Leave nothing of what was tried and did not work."""
    _forget_grant(tx, grant_id)
    if owner.newcomer is not None:
        o = schema.organisation
        tx.execute(o.delete().where(o.c.id == owner.organisation_id))


def _forget_grant(tx: Connection, grant_id: str) -> None:
    tx.execute(schema.credential.delete().where(schema.credential.c.grant_id == grant_id))
    tx.execute(schema.refresh_lease.delete().where(schema.refresh_lease.c.grant_id == grant_id))
    tx.execute(schema.access_grant.delete().where(schema.access_grant.c.id == grant_id))
