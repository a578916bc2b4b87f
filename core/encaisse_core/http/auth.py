"""Present our credentials, and renew OAuth2 tokens once for everybody.

authlib writes the token requests (its functions without I/O); the flow is an `httpx.Auth`, so that
a token request goes through the same door as any other: allowed host, quota, log. Who renews holds
a lease in the store; what was renewed is kept by compare-and-swap before it is used. A process that
dies between the partner's answer and the keeping loses a token set: by client credentials the next
one asks for another, by refresh token the partner refuses the old one and a person is asked to
reconnect. Neither is silent.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, cast

import httpx
from authlib.oauth2.auth import ClientAuth  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749 import parameters  # type: ignore[import-untyped]
from pydantic import BaseModel, SecretStr, ValidationError
from sqlalchemy import Connection

from encaisse_api import ClientCredentialsAuth, CodeAuth, Drift, Manifest, Transient
from encaisse_core import grants
from encaisse_core.clock import Clock, Ids
from encaisse_core.http.answers import request_id
from encaisse_core.http.transport import FOR_TOKENS
from encaisse_core.store import Store
from encaisse_core.vault import Vault

EARLY = timedelta(seconds=60)
"""How long before its end a token is renewed; a tenth of its life where that is shorter."""

POLL = timedelta(milliseconds=100)
"""Pause between two looks at a renewal another process is making."""

FOR_LATER = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
"""OAuth2 errors that pass by themselves (RFC 6749 §4.1.2.1, RFC 8628 §3.5)."""

Flow = Generator[httpx.Request, httpx.Response, None]


class _WritesTokenRequests(Protocol):
    """Type the function of authlib used here; it ships no types."""

    def prepare_token_request(self, grant_type: str, **fields: str) -> str: ...


class _SignsTokenRequests(Protocol):
    """Type the client authentication of authlib used here."""

    def prepare(
        self, method: str, uri: str, headers: dict[str, str], body: str
    ) -> tuple[str, dict[str, str], str]: ...


_writes = cast("_WritesTokenRequests", parameters)


class _TokenAnswer(BaseModel):
    """Read a token answer (RFC 6749 §5.1); what else a partner adds does not matter."""

    access_token: SecretStr
    token_type: str = "bearer"
    expires_in: int | None = None
    refresh_token: SecretStr | None = None

    @property
    def usable(self) -> bool:
        """Tell whether the token can be sent in a header. (Here, a frame no error report shows.)"""
        token = self.access_token.get_secret_value()
        fits = bool(token) and token.isascii() and token.isprintable()
        return fits and self.token_type.lower() == "bearer"


class _TokenError(BaseModel):
    """Read a refusal (RFC 6749 §5.2)."""

    error: str


def refused(name: str, response: httpx.Response, version: int) -> grants.Refused:
    """Say that the partner does not take what we present."""
    return grants.Refused(
        f"{name} refuse notre accès (réponse {response.status_code}). Reconnectez {name} pour "
        "reprendre ; rien n'a été fait.",
        version=version,
        request_id=request_id(response),
    )


@dataclass(frozen=True, slots=True)
class Presented:
    """Hold one header and the secret that stands in it."""

    header: str
    value: SecretStr
    prefix: str = ""


class FixedHeaders(httpx.Auth):
    """Send our headers with every request; a 401 means that a person must reconnect.

    With `hosts`, they go to these only: another host of the partner learns nothing of ours, and its
    401 says nothing about our access.
    """

    def __init__(
        self,
        name: str,
        presented: Sequence[Presented],
        hosts: Collection[str] = (),
        *,
        version: int,
    ) -> None:
        self._name = name
        self._version = version
        self._presented = tuple(presented)
        self._hosts = frozenset(hosts)

    def auth_flow(self, request: httpx.Request) -> Flow:
        """Put the headers on, or take off what a call put there for a host that gets none."""
        ours = not self._hosts or request.url.host in self._hosts
        for secret in self._presented:
            if ours:
                request.headers[secret.header] = secret.prefix + secret.value.get_secret_value()
            elif secret.header in request.headers:
                del request.headers[secret.header]
        response = yield request
        if ours and response.status_code == 401:
            raise refused(self._name, response, self._version)


@dataclass(frozen=True)
class Keeping:
    """Hold what reading and keeping tokens needs."""

    store: Store
    vault: Vault
    clock: Clock
    ids: Ids
    max_wait: timedelta


class OAuth(httpx.Auth):
    """Send a bearer token; renew it when due, and once more when it is refused."""

    requires_request_body = True  # kept in memory, so that it can follow a renewed token
    requires_response_body = True

    def __init__(
        self,
        manifest: Manifest,
        auth: ClientCredentialsAuth | CodeAuth,
        grant_id: str,
        keeping: Keeping,
    ) -> None:
        self._name = manifest.name
        self._auth = auth
        self._grant_id = grant_id
        self._keeping = keeping
        self._tokens: grants.Tokens | None = None  # read once for a unit of work, then on need

    def auth_flow(self, request: httpx.Request) -> Flow:
        """Sign the request; after a 401 renew the token and send the request again, once.

        That holds for writes too: a 401 is the partner's word that it did nothing.
        """
        tokens = self._tokens or self._kept()
        due = tokens.renew_at is not None and tokens.renew_at <= self._keeping.clock.now()
        if tokens.access is None or due:
            tokens = yield from self._renew(tokens, refused_by_partner=False)
        response = yield self._signed(request, tokens)
        if response.status_code != 401:
            return
        tokens = yield from self._renew(tokens, refused_by_partner=True)
        response = yield self._signed(request, tokens)
        if response.status_code == 401:
            raise refused(self._name, response, tokens.version)

    def _signed(self, request: httpx.Request, tokens: grants.Tokens) -> httpx.Request:
        self._tokens = tokens
        if tokens.access is None:
            raise self._reconnect(tokens)
        request.headers["Authorization"] = f"Bearer {tokens.access.get_secret_value()}"
        return request

    def _kept(self) -> grants.Tokens:
        with self._keeping.store.begin() as connection:
            return grants.read_tokens(connection, self._keeping.vault, self._grant_id)

    def _renew(
        self, seen: grants.Tokens, *, refused_by_partner: bool
    ) -> Generator[httpx.Request, httpx.Response, grants.Tokens]:
        """Give a token set better than `seen`: another's if there is one, else ask for it.

        What was asked with secrets or tokens that are no longer ours is asked anew.
        """
        tokens = None
        while tokens is None:
            tokens = yield from self._try_to_renew(seen, refused_by_partner=refused_by_partner)
        return tokens

    def _try_to_renew(
        self, seen: grants.Tokens, *, refused_by_partner: bool
    ) -> Generator[httpx.Request, httpx.Response, grants.Tokens | None]:
        """Renew once; None where what we asked with was out of date when it was answered."""
        keeping = self._keeping
        holder = keeping.ids.nonce(16).hex()
        waited = timedelta(0)
        while True:
            with keeping.store.begin("token.lease") as connection:
                busy_until = grants.take_lease(connection, keeping.store, self._grant_id, holder)
                # read under the lease: a set kept by its last holder must not be renewed again
                kept = grants.read_tokens(connection, keeping.vault, self._grant_id)
                now = keeping.store.db_now(connection)
                useful = kept.access is not None and (
                    kept.version != seen.version or (not refused_by_partner and not _due(kept, now))
                )
                if useful:
                    grants.drop_lease(connection, self._grant_id, holder)
                    return kept
                if busy_until is None:
                    request = self._request(connection, kept)
                    break
            if waited >= keeping.max_wait:
                raise Transient(
                    f"L'accès à {self._name} est en cours de renouvellement par une autre "
                    "commande : rien n'a été envoyé.",
                    retry_after=max(timedelta(0), busy_until - now),
                )
            keeping.clock.sleep(POLL.total_seconds())
            waited += POLL
        try:
            if request is None:
                self._close(kept, holder, "aucun jeton de renouvellement")
                return None
            response = yield request
            return self._keep(kept, holder, response)
        finally:
            with keeping.store.begin("token.drop") as connection:
                grants.drop_lease(connection, self._grant_id, holder)

    def _request(self, connection: Connection, kept: grants.Tokens) -> httpx.Request | None:
        """Write the token request; None where only a person can start again."""
        secrets = grants.read_secrets(connection, self._keeping.vault, self._grant_id)
        fields: dict[str, str] = {"scope": self._auth.scope} if self._auth.scope else {}
        if isinstance(self._auth, CodeAuth):
            if kept.refresh is None:
                return None
            grant_type = "refresh_token"  # RFC 6749 §6: the scope stays what a person agreed to
            fields = {"refresh_token": kept.refresh.get_secret_value()}
        else:
            grant_type = "client_credentials"
        return token_request(self._auth.token_url, secrets, grant_type, fields)

    def _keep(
        self, before: grants.Tokens, holder: str, response: httpx.Response
    ) -> grants.Tokens | None:
        """Keep what the partner issued before anything uses it; None where a person reconnected."""
        if response.status_code != 200:
            self._refusal(before, holder, response)
            return None
        try:
            answer = _TokenAnswer.model_validate_json(response.content)
        except ValidationError:
            raise self._unreadable(response) from None  # its message would quote the token
        if not answer.usable:
            raise self._unreadable(response)
        keeping = self._keeping
        with keeping.store.begin("token.keep") as connection:
            now = keeping.store.db_now(connection)
            grants.save_tokens(
                connection,
                keeping.vault,
                self._grant_id,
                access=answer.access_token,
                refresh=answer.refresh_token or before.refresh,
                renew_at=_renew_at(now, answer.expires_in),
                expected_version=before.version,
            )
            kept = grants.read_tokens(connection, keeping.vault, self._grant_id)
        return None if kept.access is None and kept.version > before.version else kept

    def _refusal(self, before: grants.Tokens, holder: str, response: httpx.Response) -> None:
        """Tell a refusal for good from one that passes, and from one that is out of date."""
        try:
            code = _TokenError.model_validate_json(response.content).error[:64]
        except ValidationError:
            code = ""
        if response.status_code >= 500 or code in FOR_LATER:
            raise Transient(
                f"{self._name} ne peut pas renouveler notre accès pour l'instant (réponse "
                f"{response.status_code}) : rien n'a été envoyé.",
                request_id=request_id(response),
            )
        if not code and response.status_code != 401:
            raise self._unreadable(response)
        self._close(before, holder, code or "401", request_id(response))

    def _close(self, tokens: grants.Tokens, holder: str, code: str, id_: str | None = None) -> None:
        """Close the grant and raise; do neither where what was refused is out of date.

        It is where other tokens or secrets are kept by now, and where another, whom we were too
        slow for, is renewing: the partner may have taken our refresh token from that one.
        """
        keeping = self._keeping
        denied = self._reconnect(tokens, code, id_)
        with keeping.store.begin() as connection:
            if grants.lease_lost(connection, self._grant_id, holder):
                return
            grants.mark_denied(
                connection, self._grant_id, denied.message, tokens_version=tokens.version
            )
            kept = grants.read_tokens(connection, keeping.vault, self._grant_id)
        if kept.version <= tokens.version:
            raise denied

    def _reconnect(
        self, tokens: grants.Tokens, code: str = "aucun jeton", id_: str | None = None
    ) -> grants.Refused:
        shown = "".join(c for c in code if c.isalnum() or c in "_ -'")
        return grants.Refused(
            f"{self._name} ne renouvelle plus notre accès ({shown}). Reconnectez {self._name} : "
            "les opérations en attente reprendront ensuite.",
            version=tokens.version,
            request_id=id_,
        )

    def _unreadable(self, response: httpx.Response) -> Drift:
        return Drift(
            f"{self._name} a répondu à la demande de jeton par un contenu inattendu (réponse "
            f"{response.status_code}). Rien n'a été envoyé d'autre.",
            request_id=request_id(response),
        )


def token_request(
    token_url: str, secrets: Mapping[str, SecretStr], grant_type: str, fields: Mapping[str, str]
) -> httpx.Request:
    """Write a token request with Basic client authentication (RFC 6749 §2.3.1)."""
    client = cast(
        "_SignsTokenRequests",
        ClientAuth(
            secrets["client_id"].get_secret_value(), secrets["client_secret"].get_secret_value()
        ),
    )
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
    }
    written = _writes.prepare_token_request(grant_type, **fields)
    url, headers, body = client.prepare("POST", token_url, headers, written)
    return httpx.Request(
        "POST", url, headers=headers, content=body.encode(), extensions={FOR_TOKENS: True}
    )


def _due(tokens: grants.Tokens, now: datetime) -> bool:
    return tokens.renew_at is not None and tokens.renew_at <= now


def _renew_at(now: datetime, expires_in: int | None) -> datetime | None:
    if expires_in is None:
        return None
    life = timedelta(seconds=max(0, min(expires_in, 10**9)))
    return now + life - min(EARLY, life / 10)
