"""Keep the accesses people granted us: their secrets, their tokens, whether they still open.

A grant belongs to an organisation and opens one partner in one environment. Its secrets are what a
person typed in; its token set is what the partner issued and renews. Tokens change hands by
compare-and-swap on a version: of two processes that renewed at once, one is kept and the other
reads what was kept. A lease, judged by the database's clock, lets one process renew at a time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from pydantic import SecretStr
from sqlalchemy import Connection, select

from encaisse_api import Denied
from encaisse_core.clock import Ids
from encaisse_core.errors import UsageError
from encaisse_core.store import Store, schema
from encaisse_core.store.engine import instant, stamp
from encaisse_core.store.upsert import bulk_upsert
from encaisse_core.vault import Place, Sealed, Vault

TOKENS = "oauth_tokens"
"""The credential that holds the token set; no setting may take this name."""

LEASE = timedelta(seconds=120)
"""How long one process may take to renew: longer than the longest answer we wait for."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Describe a grant; its secrets are read apart."""

    id: str
    organisation_id: str
    connector: str
    environment: str
    state: str  # active | denied | ended
    reason: str | None


@dataclass(frozen=True, slots=True)
class Tokens:
    """Hold a token set: version 0 before the first, no access token where a person reconnected.

    `renew_at` is the instant from which it is renewed before use. Versions only grow, so that one
    never stands for two token sets.
    """

    access: SecretStr | None
    refresh: SecretStr | None
    renew_at: datetime | None
    version: int


class Refused(Denied):
    """Say that a partner refuses what we presented: of this version, and of no other."""

    def __init__(self, message: str, *, version: int, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.presented = version


def create_grant(
    connection: Connection,
    vault: Vault,
    ids: Ids,
    *,
    at: datetime,
    organisation_id: str,
    connector: str,
    environment: str,
    secrets: Mapping[str, str],
) -> str:
    """Record an access and its secrets; give its id. Raise `UsageError` for a misshapen secret."""
    grant_id = ids.new("grt")
    clean = _clean(secrets)
    connection.execute(
        schema.access_grant.insert().values(
            id=grant_id,
            organisation_id=organisation_id,
            connector=connector,
            environment=environment,
            state="active",
            created_at=stamp(at),
        )
    )
    grant = read_grant(connection, grant_id)
    for name, value in clean.items():
        _put(connection, vault, grant, name, value)
    return grant_id


def read_grant(connection: Connection, grant_id: str) -> Grant:
    """Read a grant. Raise `UsageError` when there is none of this id."""
    g = schema.access_grant.c
    row = connection.execute(
        select(g.id, g.organisation_id, g.connector, g.environment, g.state, g.reason).where(
            g.id == grant_id
        )
    ).first()
    if row is None:
        raise UsageError(f"L'accès {grant_id} n'existe pas. Listez les accès enregistrés.")
    return Grant(*row)


def read_secrets(connection: Connection, vault: Vault, grant_id: str) -> dict[str, SecretStr]:
    """Read what a person typed in, by setting; never the tokens."""
    grant = read_grant(connection, grant_id)
    c = schema.credential.c
    found = connection.execute(
        select(c.field, c.kek_id, c.wrapped_key, c.nonce, c.ciphertext)
        .where(c.grant_id == grant_id, c.field != TOKENS)
        .order_by(c.field)
    )
    return {
        row.field: SecretStr(
            vault.open(
                Sealed(row.kek_id, row.wrapped_key, row.nonce, row.ciphertext),
                _place(grant, row.field),
            ).decode()
        )
        for row in found
    }


def replace_secrets(
    connection: Connection, vault: Vault, grant_id: str, secrets: Mapping[str, str]
) -> None:
    """Reconnect: put new secrets, forget the tokens of the old ones, open the grant again.

    The version grows though there were no tokens: a refusal of the old secrets is then out of date.
    """
    clean = _clean(secrets)
    grant = read_grant(connection, grant_id)
    for name, value in clean.items():
        _put(connection, vault, grant, name, value)
    while not save_tokens(
        connection,
        vault,
        grant_id,
        access=None,
        refresh=None,
        renew_at=None,
        expected_version=version(connection, grant_id),
    ):
        pass  # renewed at this very moment: forget that set too
    mark_active(connection, grant_id)


def mark_denied(
    connection: Connection, grant_id: str, reason: str, *, tokens_version: int | None = None
) -> bool:
    """Close a grant until a person reconnects it; tell whether that was done.

    With `tokens_version`, only while that token set is still the one kept: a refusal of tokens that
    another process has renewed meanwhile says nothing about the grant.
    """
    _lock(connection, grant_id)
    if tokens_version is not None and version(connection, grant_id) != tokens_version:
        return False
    return _mark(connection, grant_id, "denied", reason, only_from="active")


def mark_active(connection: Connection, grant_id: str) -> bool:
    """Open a denied grant again; an ended one stays ended."""
    return _mark(connection, grant_id, "active", None, only_from="denied")


def end(connection: Connection, grant_id: str, reason: str) -> None:
    """End a grant for good and forget its secrets and tokens."""
    _lock(connection, grant_id)
    g, c, lease = schema.access_grant, schema.credential, schema.refresh_lease
    connection.execute(c.delete().where(c.c.grant_id == grant_id))
    connection.execute(lease.delete().where(lease.c.grant_id == grant_id))
    connection.execute(g.update().where(g.c.id == grant_id).values(state="ended", reason=reason))


def version(connection: Connection, grant_id: str) -> int:
    """Tell the version of the tokens that stand; it grows with each reconnection too."""
    c = schema.credential.c
    query = select(c.version).where(c.grant_id == grant_id, c.field == TOKENS)
    return int(connection.execute(query).scalar_one_or_none() or 0)


# --- tokens --------------------------------------------------------------------------------------


def read_tokens(connection: Connection, vault: Vault, grant_id: str) -> Tokens:
    """Read the token set that stands."""
    grant = read_grant(connection, grant_id)
    c = schema.credential.c
    row = connection.execute(
        select(schema.credential).where(c.grant_id == grant_id, c.field == TOKENS)
    ).first()
    if row is None:
        return Tokens(None, None, None, 0)
    sealed = Sealed(row.kek_id, row.wrapped_key, row.nonce, row.ciphertext)
    kept = cast("dict[str, str | None]", json.loads(vault.open(sealed, _place(grant, TOKENS))))
    access, refresh = kept["access"], kept["refresh"]
    return Tokens(
        access=SecretStr(access) if access else None,
        refresh=SecretStr(refresh) if refresh else None,
        renew_at=instant(row.expires_at) if row.expires_at else None,
        version=row.version,
    )


def save_tokens(
    connection: Connection,
    vault: Vault,
    grant_id: str,
    *,
    access: SecretStr | None,
    refresh: SecretStr | None,
    renew_at: datetime | None,
    expected_version: int,
) -> bool:
    """Keep a token set in place of version `expected_version` (0: in place of none).

    False when another version stands there by now: the caller drops its own and reads that one.
    Tokens that are kept open a denied grant again: what was refused were older ones.
    """
    _lock(connection, grant_id)
    grant = read_grant(connection, grant_id)
    text = json.dumps(
        {
            "access": access.get_secret_value() if access else None,
            "refresh": refresh.get_secret_value() if refresh else None,
        }
    )
    sealed = vault.seal(text.encode(), _place(grant, TOKENS))
    values: dict[str, object] = {
        "kek_id": sealed.kek_id,
        "wrapped_key": sealed.wrapped_key,
        "nonce": sealed.nonce,
        "ciphertext": sealed.ciphertext,
        "version": expected_version + 1,
        "expires_at": stamp(renew_at) if renew_at else None,
    }
    if expected_version == 0:
        row = {"grant_id": grant_id, "field": TOKENS, **values}
        key = ["grant_id", "field"]
        kept = bulk_upsert(connection, schema.credential, [row], key=key, keep=list(row))
    else:
        c = schema.credential.c
        kept = connection.execute(
            schema.credential.update()
            .where(c.grant_id == grant_id, c.field == TOKENS, c.version == expected_version)
            .values(**values)
        ).rowcount
    if kept and access is not None:
        mark_active(connection, grant_id)
    return kept == 1


def take_lease(connection: Connection, store: Store, grant_id: str, holder: str) -> datetime | None:
    """Take the right to renew a grant's tokens.

    None when it was taken; otherwise the instant another's right ends, on the database's clock. A
    process that died with the lease stops nobody for longer than `LEASE`.
    """
    now = store.db_now(connection)
    lease, until = schema.refresh_lease, stamp(now + LEASE)
    row = {"grant_id": grant_id, "token": holder, "until": until}
    if bulk_upsert(connection, lease, [row], key=["grant_id"], keep=list(row)) == 1:
        return None
    taken = connection.execute(
        lease.update()
        .where(lease.c.grant_id == grant_id, lease.c.until <= stamp(now))
        .values(token=holder, until=until)
    )
    if taken.rowcount == 1:
        return None
    ends = connection.execute(
        select(lease.c.until).where(lease.c.grant_id == grant_id)
    ).scalar_one_or_none()
    return instant(ends) if ends is not None else now


def lease_lost(connection: Connection, grant_id: str, holder: str) -> bool:
    """Tell whether another holds the right to renew by now."""
    lease = schema.refresh_lease.c
    query = select(lease.token).where(lease.grant_id == grant_id, lease.token != holder)
    return connection.execute(query).first() is not None


def drop_lease(connection: Connection, grant_id: str, holder: str) -> None:
    """Give the right to renew back, if it is still ours."""
    lease = schema.refresh_lease
    connection.execute(lease.delete().where(lease.c.grant_id == grant_id, lease.c.token == holder))


# --- inside --------------------------------------------------------------------------------------


def _clean(secrets: Mapping[str, str]) -> dict[str, str]:
    """Take away the white space a paste brings; refuse what no HTTP header can carry."""
    clean: dict[str, str] = {}
    for name, value in secrets.items():
        if name == TOKENS:
            raise UsageError(f"« {TOKENS} » est un nom réservé : choisissez un autre réglage.")
        clean[name] = value.strip()
        if not clean[name] or not clean[name].isprintable():
            raise UsageError(
                f"Le secret « {name} » est vide ou contient un retour à la ligne ou un caractère "
                "invisible. Copiez-le de nouveau depuis l'outil ; rien n'a été enregistré."
            )
    return clean


def _place(grant: Grant, field: str) -> Place:
    return Place(grant.organisation_id, grant.connector, grant.id, field)


def _put(connection: Connection, vault: Vault, grant: Grant, field: str, value: str) -> None:
    sealed = vault.seal(value.encode(), _place(grant, field))
    row = {
        "grant_id": grant.id,
        "field": field,
        "kek_id": sealed.kek_id,
        "wrapped_key": sealed.wrapped_key,
        "nonce": sealed.nonce,
        "ciphertext": sealed.ciphertext,
        "version": 1,
        "expires_at": None,
    }
    bulk_upsert(connection, schema.credential, [row], key=["grant_id", "field"])


def _lock(connection: Connection, grant_id: str) -> None:
    """Let closing a grant and keeping tokens of it come one after the other."""
    g = schema.access_grant.c
    connection.execute(select(g.id).where(g.id == grant_id).with_for_update())


def _mark(
    connection: Connection, grant_id: str, state: str, reason: str | None, *, only_from: str
) -> bool:
    g = schema.access_grant
    marked = connection.execute(
        g.update()
        .where(g.c.id == grant_id, g.c.state == only_from)
        .values(state=state, reason=reason)
    )
    return marked.rowcount == 1
