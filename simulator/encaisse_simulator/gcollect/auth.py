"""OAuth2 client credentials (RFC 6749 §4.4); that GCollect uses them is assumed."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote_plus

from encaisse_simulator.gcollect.books import Books
from encaisse_simulator.gcollect.entities import SCOPES, Client
from encaisse_simulator.gcollect.problems import Problem
from encaisse_simulator.wire import Json, SimRequest, SimResponse, json_response, parse_query

LIFETIME = timedelta(seconds=1800)


@dataclass(frozen=True, slots=True)
class Access:
    """Keep what an access token opens, and until when."""

    client: Client
    scopes: frozenset[str]
    expires_at: datetime


class Tokens:
    """Issue access tokens and recognise them."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._issued: dict[str, Access] = {}

    def issue(self, request: SimRequest) -> SimResponse:
        """Answer the token endpoint."""
        try:
            form = parse_query(request.body.decode("ascii"))
        except ValueError:
            return _error(400, "invalid_request")
        grant = form.get("grant_type")
        if grant is None:
            return _error(400, "invalid_request")
        client = self._client(request, form)
        if client is None:
            return _error(401, "invalid_client")
        if grant != ["client_credentials"]:
            return _error(400, "unsupported_grant_type")
        asked = frozenset(" ".join(form.get("scope", [])).split()) or frozenset(SCOPES)
        if not asked <= set(SCOPES):
            return _error(400, "invalid_scope")
        token = self._token(client)
        self._issued[token] = Access(client, asked, self._books.now + LIFETIME)
        answer: dict[str, Json] = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": int(LIFETIME.total_seconds()),
            "scope": " ".join(scope for scope in SCOPES if scope in asked),
        }
        return json_response(200, answer, headers={"cache-control": "no-store"})

    def access(self, request: SimRequest) -> Access:
        """Recognise the bearer of a call."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        access = self._issued.get(token) if scheme == "Bearer" else None
        if access is None or access.expires_at <= self._books.now or not access.client.enabled:
            raise Problem("unauthorized")
        return access

    def _client(self, request: SimRequest, form: dict[str, list[str]]) -> Client | None:
        basic = _basic(request.headers.get("authorization", ""))
        given = basic or (
            "".join(form.get("client_id", [])),
            "".join(form.get("client_secret", [])),
        )
        client = self._books.clients.get(given[0])
        return client if client and client.enabled and client.secret == given[1] else None

    def _token(self, client: Client) -> str:
        header = {"alg": "HS256", "typ": "at+jwt"}
        payload = {
            "iss": "https://api.gcollect.example",
            "client_id": client.client_id,
            "iat": int(self._books.now.timestamp()),
            "jti": self._books.ids.token("jti")[:16],
        }
        signature = bytes.fromhex(self._books.ids.token("signature"))
        parts = [json.dumps(part).encode() for part in (header, payload)]
        return ".".join(_url_safe(part) for part in (*parts, signature))


def _basic(header: str) -> tuple[str, str] | None:
    """Read client_secret_basic: both halves are form-encoded first (RFC 6749 §2.3.1)."""
    scheme, _, encoded = header.partition(" ")
    if scheme != "Basic":
        return None
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return unquote_plus(name), unquote_plus(secret)


def _url_safe(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _error(status: int, code: str) -> SimResponse:
    headers = {"www-authenticate": 'Basic realm="gcollect"'} if status == 401 else {}
    return json_response(status, {"error": code}, headers={"cache-control": "no-store", **headers})
