"""The table of MyUnisoft's calls, and what every call goes through before its handler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from encaisse_simulator.myunisoft import (
    document_calls,
    entry_calls,
    export_calls,
    historic_calls,
    lettering_calls,
    line_calls,
    mad_calls,
    webhook_calls,
)
from encaisse_simulator.myunisoft.access import Key, Partner, dossier_of
from encaisse_simulator.myunisoft.amounts import Row, Value, answer
from encaisse_simulator.myunisoft.books import Books
from encaisse_simulator.myunisoft.calls import Call, Handler, Route, Scope
from encaisse_simulator.myunisoft.limits import Limits
from encaisse_simulator.myunisoft.refusals import Refused, refusal
from encaisse_simulator.wire import Routes, SimRequest, SimResponse

ROOT = "/api/v1"
HEALTH = "/api/partners/health"
GED = "/api/ged/ged/document/{key}/{way}"

TABLE: tuple[tuple[str, str, Handler, Scope], ...] = (
    ("GET", "/society", historic_calls.society, "any"),
    ("GET", "/society/search", historic_calls.society_search, "firm"),
    ("GET", "/society/exercice", historic_calls.society_exercices, "dossier"),
    ("GET", "/society/accountingParameters", historic_calls.accounting_parameters, "dossier"),
    ("GET", "/accounting/access", historic_calls.accessible, "firm"),
    ("GET", "/account", historic_calls.account, "dossier"),
    ("POST", "/account", historic_calls.create_account, "dossier"),
    ("GET", "/account/v2", historic_calls.account_v2, "dossier"),
    ("GET", "/account/entries", line_calls.account_entries, "dossier"),
    ("GET", "/account/next_lettering", lettering_calls.next_lettering, "dossier"),
    ("GET", "/diary", mad_calls.diary, "dossier"),
    ("GET", "/payment_type", historic_calls.payment_types, "dossier"),
    ("POST", "/entry", entry_calls.post_entry, "dossier"),
    ("POST", "/entry/temp", entry_calls.post_draft, "dossier"),
    ("GET", "/entry/id", entry_calls.entry_id, "dossier"),
    ("GET", "/entry/line_entry", line_calls.line_entry, "dossier"),
    ("PUT", "/entry/lettering", lettering_calls.letter, "dossier"),
    ("POST", "/entry/comment", line_calls.comment, "dossier"),
    ("POST", "/document/add_all_types", document_calls.attach, "dossier"),
    ("POST", "/invoice", document_calls.drop_invoice, "dossier"),
    ("POST", "/webhook", webhook_calls.subscribe, "any"),
    ("GET", "/webhook", webhook_calls.subscriptions, "any"),
    ("GET", "/webhook/{id}", webhook_calls.read, "any"),
    ("GET", "/webhook/event/{name}/{dossier}", webhook_calls.of_event, "any"),
    ("PATCH", "/webhook/{id}", webhook_calls.change, "any"),
    ("DELETE", "/webhook/{id}", webhook_calls.unsubscribe, "any"),
    ("GET", "/mad/exercices", mad_calls.exercices, "dossier"),
    ("GET", "/mad/accounts", mad_calls.accounts, "dossier"),
    ("GET", "/mad/journals", mad_calls.journals, "dossier"),
    ("GET", "/mad/banks", mad_calls.banks, "dossier"),
    ("GET", "/mad/payments", mad_calls.payments, "dossier"),
    ("GET", "/mad/accountingFolder", mad_calls.accounting_folder, "dossier"),
    ("GET", "/mad/movements", mad_calls.movements, "dossier"),
    ("GET", "/mad/entries", mad_calls.entries, "dossier"),
    ("GET", "/mad/entry", mad_calls.entry, "dossier"),
    ("GET", "/mad/balance", mad_calls.balance, "dossier"),
    ("GET", "/mad/all", export_calls.start, "dossier"),
    ("GET", "/mad/all/status", export_calls.status, "any"),
)
"""Method, path, handler, and what it speaks of. `key/info` is apart: every partner holds it."""


def granted_routes(partner: Partner) -> frozenset[tuple[str, str]]:
    """Give the routes a partner holds, one by one."""
    return frozenset((method, path) for method, path, _, _ in TABLE if partner.holds(method, path))


@dataclass(slots=True)
class Planned:
    """Refuse the next call that fits with a code, before or after it is done."""

    code: str
    status: int | None
    method: str
    path: str
    after: bool
    left: int


class Api:
    """Answer requests in the documented order: who asks, how fast, which route, which dossier."""

    def __init__(self, books: Books) -> None:
        self.limits = Limits()
        self.planned: list[Planned] = []
        self._books = books
        self._requests = 0
        self._routes: Routes[Route] = Routes()
        for method, path, handler, scope in (*TABLE, ("GET", "/key/info", self._key_info, "any")):
            route = Route(method, path, handler, _scope(scope))
            self._routes.add(method, ROOT + path, route)

    def serves(self, path: str) -> bool:
        """Tell whether a path is MyUnisoft's: its API, its health, its GED."""
        return path.startswith((f"{ROOT}/", "/api/ged/")) or path == HEALTH

    def answer(self, request: SimRequest) -> SimResponse:
        """Answer one request, refused or not, with its request id."""
        self._requests += 1
        request_id = f"req-{self._books.ids.secret('request', str(self._requests))[:16]}"
        headers = {"request-id": request_id}
        try:
            response = self._answer(request, headers)
        except Refused as refused:
            response = self.refuse(refused, request, request_id)
        self._note(request, response, request_id)
        return response.with_headers(headers)

    def refuse(self, refused: Refused, request: SimRequest, request_id: str) -> SimResponse:
        """Write a refusal of a request."""
        return refusal(
            refused,
            url=f"https://{request.host}{request.path}",
            method=request.method,
            at=self._books.now,
            request_id=request_id,
        )

    def _answer(self, request: SimRequest, headers: dict[str, str]) -> SimResponse:
        if request.path == HEALTH:
            return answer({"status": "ok"})
        ged = _ged(request)
        if ged is not None:
            return document_calls.download(self._books, ged["key"], ged["way"])
        key = self._books.keys.identify(request)
        passes, rate = self.limits.spend(key, self._books.now)
        headers.update(rate)
        if not passes:
            raise Refused("ERR-TOO-MANY-REQUEST")
        matched = self._routes.find(request.method, request.path)
        if matched is None:
            raise Refused("ERR-HTTP", f"{request.method} {request.path}")
        route = matched.handler
        if not key.partner.holds(route.method, route.path):
            raise Refused("ERR-FORBIDDEN-ROUTE")
        key.first_used = key.first_used or self._books.now
        planned = self._planned(route)
        if planned is not None and not planned.after:
            raise Refused(planned.code, "", planned.status)
        response = route.handler(self._call(request, matched.values, key, route.scope))
        if planned is not None:
            raise Refused(planned.code, "", planned.status)
        return response

    def _call(self, request: SimRequest, values: Mapping[str, str], key: Key, scope: Scope) -> Call:
        if scope == "firm" and key.kind != "firm":
            raise Refused("ERR-FORBIDDEN-ACCESS")
        named = "society-id" in request.headers or key.society_id is not None
        dossier = None
        if scope == "dossier" or (scope == "any" and named):
            dossier = dossier_of(key, request, self._books.dossiers)
        return Call(request, values, key, self._books, dossier)

    def _planned(self, route: Route) -> Planned | None:
        for each in self.planned:
            fits = each.method in ("", route.method) and each.path in ("", route.path)
            if each.left and fits:
                each.left -= 1
                return each
        return None

    def _key_info(self, call: Call) -> SimResponse:
        """Say what the key opens and which routes its partner holds [D]."""
        call.only("mode")
        partner = call.key.partner
        routes: list[Value] = [
            {"path": (ROOT + path).replace("{", ":").replace("}", ""), "method": method.lower()}
            for method, path, _, _ in TABLE
            if partner.holds(method, path)
        ]
        mode = call.text("mode")
        if mode is None:
            return answer(routes)
        if mode != "extended":
            raise Refused("GBL10", "mode")
        row: Row = {
            "target": call.key.target(),
            "version": {"current": 1, "latest": 1, "beta": False},
            "canBeActivated": True,
            "isActivated": call.key.first_used is not None,
            "routes": routes,
        }
        return answer(row)

    def _note(self, request: SimRequest, response: SimResponse, request_id: str) -> None:
        """Write the call into the journal its customer sees."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        key = self._books.keys.by_token.get(token)
        if key is not None:
            said = f"{response.status} {request.method} {request.path}"
            key.journal.append((self._books.now, said, request_id))


def _ged(request: SimRequest) -> Mapping[str, str] | None:
    table: Routes[Literal["ged"]] = Routes()
    table.add("GET", GED, "ged")
    matched = table.find(request.method, request.path)
    return None if matched is None else matched.values


def _scope(scope: str) -> Scope:
    for each in ("dossier", "firm", "any"):
        if scope == each:
            return each
    raise ValueError(scope)
