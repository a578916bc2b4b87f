"""Partners, the keys customers give them, and the checks every call goes through."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, cast

from encaisse_simulator.myunisoft.amounts import Row
from encaisse_simulator.myunisoft.dossier import Dossier, Firm
from encaisse_simulator.myunisoft.refusals import Refused
from encaisse_simulator.wire import Json, SimRequest, as_json

KeyKind = Literal["api", "firm"]
"""Accès société, bound to one dossier; accès cabinet, all dossiers of the schéma [D]."""

SECRET_HEADER = "x-third-party-secret"


@dataclass(slots=True, eq=False)
class Partner:
    """Keep one partner: its secret, and the routes it holds (None: all)."""

    name: str
    code: str
    third_party_id: int
    secret: str
    routes: frozenset[tuple[str, str]] | None = None
    activated: bool = True
    connected: bool = True

    def holds(self, method: str, path: str) -> bool:
        """Tell whether a route is granted; `key/info` always is."""
        return self.routes is None or path == "/key/info" or (method, path) in self.routes


@dataclass(slots=True, eq=False)
class Key:
    """Keep one key a customer generated for a partner."""

    kind: KeyKind
    partner: Partner
    firm: Firm
    society_id: int | None
    revoked: bool = False
    first_used: datetime | None = None
    journal: list[tuple[datetime, str, str]] = field(
        default_factory=list[tuple[datetime, str, str]]
    )
    """What the customer sees of its use: instant, status and route, request id [D]."""

    def target(self) -> Row:
        """Write what the key opens [D]."""
        row: Row = {
            "type": self.kind,
            "schemaId": self.firm.schema_id,
            "thirdPartyId": self.partner.third_party_id,
        }
        if self.society_id is not None:
            row["societyId"] = self.society_id
        return row


@dataclass(slots=True)
class Keys:
    """Know every partner by name and every key by its token."""

    partners: dict[str, Partner] = field(default_factory=dict[str, Partner])
    by_token: dict[str, Key] = field(default_factory=dict[str, Key])

    def identify(self, request: SimRequest) -> Key:
        """Check, in the documented order: secret, its validity, Bearer, token, revocation."""
        secret = request.headers.get(SECRET_HEADER, "")
        if not secret:
            raise Refused("ERR-SECRET-HEADER-NOT-SET")
        partner = next((each for each in self.partners.values() if each.secret == secret), None)
        if partner is None:
            raise Refused("ERR-INVALID-SECRET")
        if not partner.activated:
            raise Refused("ERR-SECRET-NOT-CONFIGURED")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            raise Refused("ERR-INVALID-AUTH-HEADER")
        key = self.by_token.get(token)
        if key is None or key.partner is not partner:
            raise Refused("ERR-API-TOKEN-NOT-FOUND")
        if key.revoked:
            kind = "FIRM" if key.kind == "firm" else "API"
            raise Refused(f"ERR-{kind}-TOKEN-NOT-FOUND")
        if not partner.connected:
            raise Refused("ERR-THIRD-PARTY-DISCONNECTED")
        return key


def dossier_of(key: Key, request: SimRequest, dossiers: Mapping[int, Dossier]) -> Dossier:
    """Choose the dossier a call speaks of: the key's own, or the one `society-id` names."""
    if key.society_id is not None:
        dossier = dossiers[key.society_id]
        if not dossier.active:
            raise Refused("ERR-FOLDER-NOT-FOUND")
        return dossier
    named = request.headers.get("society-id", "").strip()
    if not (named.isascii() and named.isdigit()):
        raise Refused("GBL10", "society-id")
    found = dossiers.get(int(named))
    if found is None:
        raise Refused("SOCIETE16", named)
    if found.firm is not key.firm:
        raise Refused("DROIT1", named)
    if not found.active:
        raise Refused("SOCIETE12", named)
    return found


def token_text(key: Key, issued: datetime, seal: str) -> str:
    """Write a token as the vendor does [T]: a JWT, opaque to whoever carries it."""
    names: Row = {"type": key.kind, "m": key.firm.schema_id, "t": str(key.partner.third_party_id)}
    if key.society_id is not None:
        names["s"] = str(key.society_id)
    else:
        names["p"] = "31"
    names["iat"] = int(issued.timestamp())
    head = _encoded(as_json({"alg": "HS256", "typ": "JWT"}))
    body = _encoded(as_json(cast("Json", names)))
    return f"{head}.{body}.{seal}"


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
