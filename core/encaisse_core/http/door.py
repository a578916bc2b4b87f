"""Build the clients connectors are lent, from one shared set of connections."""

from __future__ import annotations

import base64
import importlib.metadata
import logging
import ssl
import threading
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import httpx
from pydantic import SecretStr

from encaisse_api import (
    BasicAuth,
    BearerAuth,
    ClientCredentialsAuth,
    CodeAuth,
    Denied,
    HeaderAuth,
    HeadersAuth,
    Manifest,
    NoAuth,
    SealedFormAuth,
    Transient,
)
from encaisse_core import grants
from encaisse_core.clock import Clock, Ids
from encaisse_core.errors import UsageError
from encaisse_core.http.auth import FixedHeaders, Keeping, OAuth, Presented
from encaisse_core.http.guard import (
    Resolve,
    check_routes,
    guard_base_url,
    resolve_by_system,
)
from encaisse_core.http.sealed_form import SealedForms
from encaisse_core.http.transport import Lent, LentTransport
from encaisse_core.store import Store
from encaisse_core.vault import Vault

MAX_WAIT = timedelta(seconds=20)
NOWHERE = "1.1.1.1"
"""Stands for the address of a name that is simulated, and is never called."""


@cache
def _trusted() -> ssl.SSLContext:
    """Load the authorities whose certificates are believed, once a process: it takes a while."""
    return httpx.create_ssl_context(trust_env=False)


class LentClient(httpx.Client):
    """Keep the house's rules whatever one call asks: no redirect followed, our credentials."""

    def __init__(
        self, carrier: LentTransport, above: httpx.BaseTransport, auth: httpx.Auth | None
    ) -> None:
        """Send through `above`, which ends in `carrier`."""
        super().__init__(auth=auth, transport=above, trust_env=False)
        # trust_env: neither a netrc file nor a proxy may see a partner's credentials
        self._carrier = carrier

    def renew(self, deadline: datetime) -> None:
        """Lend it once more, until another instant; nothing of the work before is left."""
        self.cookies.clear()
        self._carrier.renew(deadline)

    def send(self, request: httpx.Request, **asked: Any) -> httpx.Response:
        """Send; `auth` and `follow_redirects` of a single call do not count."""
        return super().send(request, stream=bool(asked.get("stream")), follow_redirects=False)


class Door:
    """Lend clients for one store; `close` it at the end of the process."""

    def __init__(
        self,
        *,
        store: Store,
        vault: Vault,
        clock: Clock,
        ids: Ids,
        routes: Mapping[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
        max_wait: timedelta = MAX_WAIT,
        private_hosts: Collection[str] = (),
        resolve: Resolve = resolve_by_system,
    ) -> None:
        """Raise `UsageError` for a route that leaves this machine.

        `private_hosts` are self-hosted tools of which a person said that they stand in their own
        network.
        """
        self._keeping = Keeping(store, vault, clock, ids, max_wait)
        self._routes = check_routes(routes or {})
        self._simulated = transport
        self._private = frozenset(private_hosts)
        self._resolve = resolve
        self._network: httpx.HTTPTransport | None = None
        self._lock = threading.Lock()
        self._user_agent = f"encaisse/{importlib.metadata.version('encaisse')}"
        for name in ("httpx", "httpcore"):  # they would log whole addresses and headers
            logging.getLogger(name).setLevel(logging.WARNING)

    def lend(
        self,
        *,
        manifest: Manifest,
        grant_id: str | None,
        account: str | None,
        environment: str,
        deadline: datetime | None = None,
        addresses: Sequence[str] = (),
        keeps_reserve: bool = False,
    ) -> LentClient:
        """Build the client for one unit of work; `addresses` are those of self-hosted tools.

        With `keeps_reserve` it leaves the reserve of each quota to stops, writes and last looks.

        Raises `UsageError` for a grant of another connector or environment, a missing secret, or a
        simulator in `live`; `Transient` where the vendor is `out_of_bounds`; `Denied` for a grant
        that a person must reconnect, and for an address that may not be called.
        """
        if environment not in ("test", "live"):
            raise UsageError(f"Environnement inconnu : « {environment} » (test ou live).")
        if environment == "live" and (self._routes or self._simulated is not None):
            raise UsageError(
                f"Un simulateur est branché : {manifest.name} ne peut pas être appelé en réel. "
                "Relancez sans simulateur."
            )
        hosts = manifest.test_hosts if environment == "test" else manifest.live_hosts
        if forbidden := self.out_of_bounds(manifest, environment):
            raise Transient(forbidden)  # the company's other connections go on
        secrets, version = self._secrets(manifest, grant_id, environment)
        bases = tuple(self._guarded(address) for address in addresses)
        lent = Lent(
            manifest=manifest,
            environment=environment,
            grant_id=grant_id,
            account=account,
            hosts=frozenset(hosts),
            routes=self._routes,
            deadline=deadline,
            user_agent=self._user_agent,
            max_wait=self._keeping.max_wait,
            bases=bases,
            keeps_reserve=keeps_reserve,
        )
        carrier = LentTransport(
            lent,
            self._simulated or self._wire(),
            store=self._keeping.store,
            clock=self._keeping.clock,
        )
        sealing = _sealing(manifest, secrets, carrier)
        return LentClient(carrier, sealing, self._auth(manifest, grant_id, secrets, version))

    def out_of_bounds(self, manifest: Manifest, environment: str) -> str:
        """Say why a vendor may not be called; empty where it may.

        What an assumed contract says of a vendor is our guess: it is tried on a simulator only.
        """
        hosts = manifest.test_hosts if environment == "test" else manifest.live_hosts
        routed = self._simulated is not None or all(host in self._routes for host in hosts)
        if manifest.contract != "assumed" or routed:
            return ""
        return (
            f"Le contrat de {manifest.name} est supposé : il n'est appelé que chez un simulateur "
            "(ENCAISSE_ROUTES). Rien n'a été envoyé."
        )

    def close(self) -> None:
        """Close the shared connections."""
        with self._lock:
            if self._network is not None:
                self._network.close()
                self._network = None

    def _wire(self) -> httpx.HTTPTransport:
        with self._lock:
            if self._network is None:
                self._network = httpx.HTTPTransport(verify=_trusted(), trust_env=False)
            return self._network

    def _guarded(self, address: str) -> httpx.URL:
        """Check an address a person gave; where all goes to a simulator, its name may not exist."""
        simulated = self._simulated is not None or bool(self._routes)
        try:
            return guard_base_url(
                address,
                private_hosts=self._private,
                resolve=(lambda _: [NOWHERE]) if simulated else self._resolve,
            )
        except UsageError as mistaken:
            # This connection waits for a person; the company's others go on.
            raise Denied(str(mistaken)) from None

    def _secrets(
        self, manifest: Manifest, grant_id: str | None, environment: str
    ) -> tuple[Mapping[str, SecretStr], int]:
        """Read what a person typed in, and its version."""
        if grant_id is None:
            return {}, 0
        with self._keeping.store.begin() as connection:
            grant = grants.read_grant(connection, grant_id)
            if (grant.connector, grant.environment) != (manifest.slug, environment):
                raise UsageError(
                    f"L'accès {grant_id} est celui de {grant.connector} ({grant.environment}), pas "
                    f"de {manifest.slug} ({environment})."
                )
            if grant.state != "active":
                why = grant.reason or f"Reconnectez {manifest.name} pour reprendre."
                raise Denied(f"L'accès à {manifest.name} est fermé. {why}")
            version = grants.version(connection, grant_id)
            return grants.read_secrets(connection, self._keeping.vault, grant_id), version

    def _auth(
        self,
        manifest: Manifest,
        grant_id: str | None,
        secrets: Mapping[str, SecretStr],
        version: int,
    ) -> httpx.Auth | None:
        auth = manifest.auth
        if isinstance(auth, NoAuth):
            return None
        if grant_id is None:
            raise UsageError(f"{manifest.name} demande un accès : connectez-le d'abord.")
        _need(manifest, secrets)
        if isinstance(auth, SealedFormAuth):
            return None  # the forms themselves carry it
        if isinstance(auth, ClientCredentialsAuth | CodeAuth):
            return OAuth(manifest, auth, grant_id, self._keeping)
        hosts = auth.hosts if isinstance(auth, HeadersAuth) else ()
        return FixedHeaders(manifest.name, _presented(auth, secrets), hosts, version=version)


def _sealing(
    manifest: Manifest, secrets: Mapping[str, SecretStr], carrier: httpx.BaseTransport
) -> httpx.BaseTransport:
    """Put the seal above what carries, for the vendors that want one."""
    auth = manifest.auth
    if not isinstance(auth, SealedFormAuth):
        return carrier
    return SealedForms(
        manifest.name, auth, carrier, token=secrets[auth.token], secret=secrets[auth.secret]
    )


def _presented(
    auth: BearerAuth | BasicAuth | HeaderAuth | HeadersAuth, secrets: Mapping[str, SecretStr]
) -> list[Presented]:
    """Put the secrets a person gave, each in its header."""
    if isinstance(auth, BearerAuth):
        return [Presented("Authorization", secrets[auth.setting], "Bearer ")]
    if isinstance(auth, HeaderAuth):
        return [Presented(auth.header, secrets[auth.setting], auth.prefix)]
    if isinstance(auth, HeadersAuth):
        return [Presented(one.header, secrets[one.setting], one.prefix) for one in auth.headers]
    pair = ":".join(
        secrets[name].get_secret_value() if name else "" for name in (auth.user, auth.password)
    )
    code = SecretStr(base64.b64encode(pair.encode()).decode())
    return [Presented("Authorization", code, "Basic ")]


def _need(manifest: Manifest, secrets: Mapping[str, SecretStr]) -> None:
    names = manifest.auth.secrets()
    missing = [name for name in names if name not in secrets]
    if missing:
        raise UsageError(
            f"Il manque à l'accès à {manifest.name} : {', '.join(missing)}. Complétez-le."
        )
    if isinstance(manifest.auth, BasicAuth):
        return  # a password may hold any letter: it travels encoded
    for name in names:
        if not secrets[name].get_secret_value().isascii():
            raise UsageError(
                f"Le secret « {name} » de {manifest.name} contient un caractère qu'une clé n'a "
                "jamais (accent, guillemet courbe…). Copiez-le de nouveau depuis l'outil."
            )
