"""Tell what a key may do, from `GET /key/info?mode=extended` (endpoints/keyinfo.html). Pure.

Routes are granted partner by partner, so a role is there only when each route it needs is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from encaisse_api import wire
from encaisse_api.answers import why
from encaisse_api.errors import Drift
from encaisse_myunisoft import spelling
from encaisse_myunisoft.rows import Words

READS = (
    ("get", "/mad/exercices"),
    ("get", "/mad/movements"),
    ("get", "/mad/accounts"),
    ("get", "/society"),
)
BOOKS = (*READS, ("get", "/mad/entry"), ("get", "/mad/journals"))
WRITES = {"pending": ("post", "/entry/temp"), "direct": ("post", "/entry")}
"""The route each mode writes by."""

ROLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Probes": (),
    "ReceivesWebhooks": (),
    "ListsAccounts": (("get", "/society"),),
    "PullsInvoices": READS,
    "FetchesDocuments": (("get", "/mad/entry"),),
    "RecordsPayments": BOOKS,
    "ReversesPayments": BOOKS,
    "FollowsUp": (*READS, ("get", "/mad/entry")),
    "LettersEntries": (*READS, ("get", "/account/next_lettering"), ("put", "/entry/lettering")),
}


class Loose(BaseModel):
    """Let through what the vendor may add."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class TargetRow(Loose):
    """Say what a key opens: one dossier (`api`) or a whole firm (`firm`)."""

    type: Literal["api", "firm"]


def _lower(value: object) -> str:
    return spelling.words(value).lower()


class RouteRow(Loose):
    """Be one route a key may call."""

    path: Annotated[str, BeforeValidator(_lower)]
    method: Annotated[str, BeforeValidator(_lower)]


class KeyRow(Loose):
    """Be what a key says of itself."""

    target: TargetRow
    routes: tuple[RouteRow, ...]
    label: Words = ""


def read(answer: object) -> KeyRow:
    """Read what a key opens."""
    try:
        return KeyRow.model_validate(answer)
    except ValidationError as error:
        raise Drift(
            f"Clé MyUnisoft : réponse inattendue ({why(error)}). La réponse est conservée.",
            raw=wire.write(answer),
        ) from None


def roles(key: KeyRow, mode: str) -> frozenset[str]:
    """Name the roles all of whose routes are granted; `mode` says by which one is written."""
    granted = {(route.method, bare(route.path)) for route in key.routes}
    writing = WRITES.get(mode, WRITES["pending"])
    found: set[str] = set()
    for role, needed in ROLES.items():
        wanted = {*needed, writing} if role in ("RecordsPayments", "ReversesPayments") else needed
        if granted.issuperset(wanted):
            found.add(role)
    return frozenset(found)


def bare(path: str) -> str:
    """Write a route without its version and slash, whichever way it is listed."""
    return path.removeprefix("/api").removeprefix("/v1").rstrip("/")
