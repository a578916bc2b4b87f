"""One authenticated call, and what every handler asks of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from encaisse_simulator.gcollect.books import Books
from encaisse_simulator.gcollect.entities import Client, Creditor, Procedure
from encaisse_simulator.gcollect.fields import Fields
from encaisse_simulator.gcollect.problems import Problem
from encaisse_simulator.gcollect.rows import Row, etag, procedure_row
from encaisse_simulator.wire import Json, SimRequest, SimResponse, json_response

REFERENCE_LENGTH = 128


@dataclass(frozen=True, slots=True)
class Call:
    """Hold one call: who asks, what, and the books it concerns."""

    request: SimRequest
    values: Mapping[str, str]
    client: Client
    scopes: frozenset[str]
    books: Books
    base_url: str

    def fields(self) -> Fields:
        """Read the body."""
        return Fields.of(self.request.body)

    def creditors(self) -> list[Creditor]:
        """List the creditors this access opens."""
        mine = self.client.client_id
        return [each for each in self.books.creditors.values() if each.client_id == mine]

    def owns(self, creditor_id: str) -> bool:
        """Tell whether a creditor is one of this access."""
        return self.books.creditors[creditor_id].client_id == self.client.client_id

    def creditor(self, fields: Fields) -> str:
        """Choose the creditor a body speaks of; "" when the body is at fault."""
        given = fields.text_or_none("creditor_id", longest=128)
        mine = [each.id for each in self.creditors()]
        if given is None and len(mine) == 1:
            return mine[0]
        if given is None:
            fields.fault("creditor_id", "required", "Cet accès ouvre plusieurs créanciers.")
        elif given in mine:
            return given
        else:
            fields.fault("creditor_id", "unknown_value", "Ce créancier n'est pas de cet accès.")
        return ""

    def procedure(self) -> Procedure:
        """Find the procedure the path names, among this access's own."""
        procedure = self.books.procedures.get(self.values["id"])
        if procedure is None or not self.owns(procedure.creditor_id):
            raise Problem("not_found")
        return procedure

    def claim_reference(self, creditor_id: str, kind: str, reference: str) -> None:
        """Refuse an external reference that already names something of this kind."""
        existing = self.books.references.get((creditor_id, kind, reference))
        if existing is not None:
            raise Problem("duplicate_external_reference", existing_id=existing)

    def keep_reference(self, creditor_id: str, kind: str, reference: str, object_id: str) -> None:
        """Remember an external reference for good."""
        self.books.references[creditor_id, kind, reference] = object_id

    def procedure_row(self, procedure: Procedure) -> Row:
        """Write a procedure with what its mandate and disputes say."""
        quote_ids = self.books.mandates[procedure.mandate_id].quote_ids
        disputed = self.books.open_dispute_of(procedure) is not None
        return procedure_row(procedure, quote_ids, disputed=disputed)

    def answer_procedure(self, procedure: Procedure, status: int = 200) -> SimResponse:
        """Answer with a procedure and its entity tag."""
        row = self.procedure_row(procedure)
        return tagged(self.request, status, row, etag(procedure.id, procedure.version))


@dataclass(frozen=True, slots=True)
class Route:
    """Serve one method and path: the right it needs, and whether it asks for a key."""

    handler: Callable[[Call], SimResponse]
    scope: str | None
    keyed: bool = False


def tagged(request: SimRequest, status: int, row: Mapping[str, Json], tag: str) -> SimResponse:
    """Answer with an entity tag, or 304 to whoever already has this version."""
    known = request.headers.get("if-none-match", "")
    if request.method == "GET" and tag in [each.strip() for each in known.split(",")]:
        return SimResponse(304, {"etag": tag}, b"")
    return json_response(status, row, headers={"etag": tag})


def content_tag(object_id: str, row: Mapping[str, Json]) -> str:
    """Make an entity tag out of an object's content."""
    content = json.dumps(row, sort_keys=True).encode()
    return etag(object_id, hashlib.sha256(content).hexdigest()[:12])
