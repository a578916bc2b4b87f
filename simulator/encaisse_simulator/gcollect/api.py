"""The table of GCollect's calls, and what every call goes through before its handler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from encaisse_simulator.gcollect import (
    disputes,
    mandates,
    payments,
    payouts,
    procedures,
    quotes,
    reports,
    signing,
    steps,
)
from encaisse_simulator.gcollect.auth import Access, Tokens
from encaisse_simulator.gcollect.books import Books
from encaisse_simulator.gcollect.calls import Call, Route
from encaisse_simulator.gcollect.idempotency import StoredAnswers
from encaisse_simulator.gcollect.problems import Problem, problem_response
from encaisse_simulator.wire import Routes, SimRequest, SimResponse

TOKEN_PATH = "/v1/oauth/token"
SIGN_PATH = "/sign/{token}"

READ = "procedures:read"
WRITE = "procedures:write"

TABLE: tuple[tuple[str, str, Callable[[Call], SimResponse], str | None], ...] = (
    ("GET", "/v1/me", reports.read_me, None),
    ("POST", "/v1/quotes", quotes.create_quote, "quotes:write"),
    ("GET", "/v1/quotes/{id}", quotes.read_quote, "quotes:write"),
    ("POST", "/v1/mandates", mandates.request_mandate, WRITE),
    ("GET", "/v1/mandates", mandates.list_mandates, READ),
    ("GET", "/v1/mandates/{id}", mandates.read_mandate, READ),
    ("POST", "/v1/procedures", procedures.open_procedure, WRITE),
    ("GET", "/v1/procedures", procedures.list_procedures, READ),
    ("GET", "/v1/procedures/by-external-reference/{ref}", procedures.find_procedure, READ),
    ("GET", "/v1/procedures/{id}", procedures.read_procedure, READ),
    ("PATCH", "/v1/procedures/{id}", steps.amend, WRITE),
    ("POST", "/v1/procedures/{id}/pause", steps.pause, WRITE),
    ("POST", "/v1/procedures/{id}/resume", steps.resume, WRITE),
    ("POST", "/v1/procedures/{id}/withdraw", steps.withdraw, WRITE),
    ("GET", "/v1/procedures/{id}/timeline", reports.read_timeline, READ),
    ("POST", "/v1/procedures/{id}/direct_payments", payments.declare_direct, "payments:write"),
    ("GET", "/v1/procedures/{id}/direct_payments", payments.list_direct, READ),
    ("POST", "/v1/procedures/{id}/disputes", disputes.declare_dispute, WRITE),
    ("GET", "/v1/procedures/{id}/disputes", disputes.list_disputes, READ),
    ("GET", "/v1/procedures/{id}/attestation", reports.read_attestation, READ),
    ("GET", "/v1/documents/{id}", reports.read_document, READ),
    ("GET", "/v1/payments", payments.list_payments, READ),
    ("GET", "/v1/payouts", payouts.list_payouts, "payouts:read"),
    ("GET", "/v1/payouts/{id}", payouts.read_payout, "payouts:read"),
    ("GET", "/v1/events", reports.list_events, READ),
    ("POST", "/v1/reconciliations", reports.compare_portfolio, READ),
)
"""Method, path, handler, scope. Every POST asks for a key, but quotes, which have no effect."""


class Api:
    """Answer requests: token, right, speed, key, then the handler."""

    def __init__(self, books: Books) -> None:
        self.rate_limit: int | None = None
        self._books = books
        self._tokens = Tokens(books)
        self._answers = StoredAnswers()
        self._seconds: dict[str, tuple[int, int]] = {}
        self._routes: Routes[Route] = Routes()
        self._requests = 0
        for method, path, handler, scope in TABLE:
            keyed = method == "POST" and path != "/v1/quotes"
            self._routes.add(method, path, Route(handler, scope, keyed))
        self._pages: Routes[Callable[[Mapping[str, str], SimRequest], SimResponse]] = Routes()
        self._pages.add("POST", TOKEN_PATH, lambda _, request: self._tokens.issue(request))
        self._pages.add("GET", SIGN_PATH, lambda values, _: signing.show(books, values["token"]))
        self._pages.add(
            "POST",
            SIGN_PATH,
            lambda values, request: signing.submit(books, values["token"], request),
        )

    def serves(self, path: str) -> bool:
        """Tell whether a path is one of these calls or pages."""
        return self._routes.knows(path) or self._pages.knows(path)

    def answer(self, request: SimRequest, base_url: str) -> SimResponse:
        """Answer one request."""
        self._requests += 1
        try:
            response = self._answer(request, base_url)
        except Problem as problem:
            response = problem_response(problem, request.path)
        limits = self._limits(request)
        request_id = f"req_{self._requests:08d}"
        return response.with_headers({"x-request-id": request_id, **limits})

    def refuse(self, problem: Problem, path: str = "/") -> SimResponse:
        """Write a refusal that no handler decided."""
        return problem_response(problem, path)

    def _answer(self, request: SimRequest, base_url: str) -> SimResponse:
        public = self._pages.find(request.method, request.path)
        if public is not None:
            return public.handler(public.values, request)
        matched = self._routes.find(request.method, request.path)
        if matched is None:
            raise Problem("method_not_allowed" if self.serves(request.path) else "not_found")
        access = self._tokens.access(request)
        self._spend(access)
        route = matched.handler
        if route.scope is not None and route.scope not in access.scopes:
            raise Problem("forbidden_scope", f"Droit demandé : {route.scope}.")
        call = Call(request, matched.values, access.client, access.scopes, self._books, base_url)
        if request.method == "GET":
            return route.handler(call)
        return self._once(call, route)

    def _once(self, call: Call, route: Route) -> SimResponse:
        key = self._answers.key_of(call.request, required=route.keyed)
        if key is None:
            return route.handler(call)
        client_id, now = call.client.client_id, self._books.now
        stored = self._answers.replay(client_id, key, call.request, now)
        if stored is not None:
            return stored
        response = route.handler(call)
        self._answers.store(client_id, key, call.request, response, now)
        return response

    def _spend(self, access: Access) -> None:
        """Count calls in the current second, when a limit is set."""
        second = int(self._books.now.timestamp())
        known, spent = self._seconds.get(access.client.client_id, (second, 0))
        spent = spent + 1 if known == second else 1
        self._seconds[access.client.client_id] = (second, spent)
        if self.rate_limit is not None and spent > self.rate_limit:
            raise Problem("rate_limited")

    def _limits(self, request: SimRequest) -> dict[str, str]:
        if self.rate_limit is None or "authorization" not in request.headers:
            return {}
        try:
            client_id = self._tokens.access(request).client.client_id
        except Problem:
            return {}
        _, spent = self._seconds.get(client_id, (0, 0))
        headers = {
            "ratelimit-limit": str(self.rate_limit),
            "ratelimit-remaining": str(max(0, self.rate_limit - spent)),
            "ratelimit-reset": str(int(timedelta(seconds=1).total_seconds())),
        }
        return headers | ({"retry-after": "1"} if spent > self.rate_limit else {})
