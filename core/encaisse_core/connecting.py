"""Connect a company to a tool: check the settings, the access, and whose dossier it opens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select
from stdnum.fr import siren as siren_key

from encaisse_api import Denied, Granted, ListsAccounts, Manifest, PartnerError, Probes
from encaisse_core import grants, journal
from encaisse_core.errors import AccessDenied, Unreachable, UsageError
from encaisse_core.host import Host, Link, link
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
from encaisse_core.vault import Vault


def add_company(host: Host, *, siren: str, name: str, environment: str) -> str:
    """Find or make a company and the organisation it is itself; give its id."""
    clean = siren.replace(" ", "")
    if not siren_key.is_valid(clean):
        raise UsageError(f"« {siren} » n'est pas un SIREN : neuf chiffres et une clé juste.")
    c = schema.company.c
    now = host.clock.now()
    with host.store.begin() as tx:
        known = tx.execute(
            select(c.id).where(c.siren == clean, c.environment == environment)
        ).scalar_one_or_none()
        if known is not None:
            return str(known)
        company_id, organisation_id = host.ids.new("cmp"), host.ids.new("org")
        tx.execute(
            schema.company.insert().values(
                id=company_id,
                siren=clean,
                name=name,
                environment=environment,
                created_at=stamp(now),
            )
        )
        tx.execute(
            schema.organisation.insert().values(
                id=organisation_id, name=name, kind="company", created_at=stamp(now)
            )
        )
        for role in ("prepare", "sign"):
            tx.execute(
                schema.access.insert().values(
                    organisation_id=organisation_id,
                    company_id=company_id,
                    role=role,
                    basis="elle-même",
                    starts_on=host.clock.today().isoformat(),
                )
            )
        journal.append(tx, company_id, now, "company_added", company_id, {"siren": clean})
    return company_id


def connect(
    host: Host,
    vault: Vault,
    *,
    company_id: str,
    connector: str,
    values: Mapping[str, str],
    account: str = "",
    referrer_id: str | None = None,
) -> Link:
    """Make a connection, or renew the access of the one that stands; prove that it works.

    A wrong access leaves nothing behind. Raises `UsageError` for settings, `AccessDenied` when the
    partner refuses, `Unreachable` when it does not answer.
    """
    manifest = host.connectors.connector(connector).manifest
    with host.store.begin() as tx:
        company = dict(
            tx.execute(select(schema.company).where(schema.company.c.id == company_id))
            .mappings()
            .one()
        )
    settings, secrets = _split(manifest, values, company)
    unknown = manifest.contract == "assumed" and not manifest.local
    tested = bool(manifest.test_hosts) and not manifest.live_hosts
    if company["environment"] == "live" and (unknown or tested):
        raise UsageError(
            f"{manifest.name} n'a pas d'accès réel connu (contrat supposé) : "
            "utilisez l'environnement « test »."
        )
    with host.store.begin() as tx:
        made = _write(host, tx, vault, company, connector, account, settings, secrets, referrer_id)
    try:
        _prove(host, made)
    except Exception:
        with host.store.begin() as tx:
            _undo(tx, made)
        raise
    with host.store.begin() as tx:
        journal.append(
            tx, company_id, host.clock.now(), "connected", made.id, {"connector": connector}
        )
    return made


def _split(
    manifest: Manifest, values: Mapping[str, str], company: Mapping[str, Any]
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
        given.setdefault("siren", company["siren"])
    missing = [s.name for s in manifest.settings if s.required and s.name not in given]
    if missing:
        raise UsageError(
            f"Il manque pour {manifest.name} : {', '.join(missing)} "
            f"(encaisse connect {manifest.slug} --set {missing[0]}=…)."
        )
    settings = {name: value for name, value in given.items() if not known[name].secret}
    secrets = {name: value for name, value in given.items() if known[name].secret}
    return settings, secrets


def _write(
    host: Host,
    tx: Connection,
    vault: Vault,
    company: Mapping[str, Any],
    connector: str,
    account: str,
    settings: Mapping[str, str],
    secrets: Mapping[str, str],
    referrer_id: str | None,
) -> Link:
    """Write the grant and the connection, or new secrets on the ones that stand."""
    now = host.clock.now()
    c = schema.connection.c
    standing = [
        row
        for row in tx.execute(
            select(c.id, c.grant_id, c.settings).where(
                c.company_id == company["id"],
                c.connector == connector,
                c.account == account,
                c.state != "ended",
            )
        )
        if json.loads(row.settings).get("path") == settings.get("path")
    ]
    if standing:
        row = standing[0]
        if secrets:
            grants.replace_secrets(tx, vault, row.grant_id, secrets)
        grants.mark_active(tx, row.grant_id)
        tx.execute(
            schema.connection.update()
            .where(c.company_id == company["id"], c.id == row.id)
            .values(state="active", reason=None, settings=json.dumps(dict(settings)))
        )
        return link(tx, company["id"], row.id)
    a = schema.access.c
    organisation_id = tx.execute(
        select(a.organisation_id).where(a.company_id == company["id"]).limit(1)
    ).scalar_one()
    grant_id = grants.create_grant(
        tx,
        vault,
        host.ids,
        at=now,
        organisation_id=organisation_id,
        connector=connector,
        environment=company["environment"],
        secrets=dict(secrets),
    )
    connection_id = host.ids.new("cnx")
    count = tx.execute(
        select(func.count()).select_from(schema.connection).where(c.company_id == company["id"])
    ).scalar_one()
    tx.execute(
        schema.connection.insert().values(
            company_id=company["id"],
            id=connection_id,
            grant_id=grant_id,
            connector=connector,
            account=account,
            state="active",
            settings=json.dumps(dict(settings)),
            sequence=count + 1,
            referrer_id=referrer_id,
            created_at=stamp(now),
        )
    )
    return link(tx, company["id"], connection_id)


def _prove(host: Host, made: Link) -> None:
    """Ask the partner who we are; the dossier must be the company's own."""
    granted = Granted()
    name = host.manifest(made).name
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
        raise AccessDenied(f"{error.message} Vérifiez l'identifiant et le secret.") from error
    except PartnerError as error:
        raise Unreachable(f"{name} ne répond pas comme prévu : {error.message}") from error
    if granted.siren is not None and granted.siren != made.siren:
        raise UsageError(
            f"Cet accès à {name} ouvre le dossier de la société {granted.siren}, pas de "
            f"{made.siren} : rien n'a été enregistré."
        )


def _undo(tx: Connection, made: Link) -> None:
    """Leave nothing of a connection that never worked; one that worked before is paused."""
    c = schema.connection.c
    here = (c.company_id == made.company_id, c.id == made.id)
    row = tx.execute(select(c.pulled_at).where(*here)).one()
    if row.pulled_at is not None:
        tx.execute(schema.connection.update().where(*here).values(state="paused"))
        return
    tx.execute(schema.connection.delete().where(*here))
    tx.execute(schema.credential.delete().where(schema.credential.c.grant_id == made.grant_id))
    tx.execute(
        schema.refresh_lease.delete().where(schema.refresh_lease.c.grant_id == made.grant_id)
    )
    tx.execute(schema.access_grant.delete().where(schema.access_grant.c.id == made.grant_id))
