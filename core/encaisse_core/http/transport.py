"""Send one request the house's way: admitted, paced, routed, read whole, logged, maybe again."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type

from encaisse_api import Drift, Manifest, OutcomeUnknown, PartnerError, Rejected, Transient
from encaisse_api.answers import READS
from encaisse_core import chaos
from encaisse_core.clock import Clock
from encaisse_core.http import quotas
from encaisse_core.http.answers import cause, request_id, retry_after, shown, spoken, staleness
from encaisse_core.http.guard import refusal
from encaisse_core.store import Store

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 30.0
WHOLE_ANSWER = 60.0
"""Seconds an answer may take in all, so that a server that drips bytes holds nobody longer."""

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes of a decoded body; documents are far smaller, and a bomb is not."""

ATTEMPTS = 4
BACK_OFF = 0.5
"""First pause in seconds, doubled each time; no jitter, since the quotas spread callers already."""

SAFE_METHODS = frozenset({"GET", "HEAD"})
TRY_AGAIN = frozenset({429, 500, 502, 503, 504})

NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Errors after which a partner cannot have seen the request."""

FOR_TOKENS = "encaisse.for_tokens"
"""Extension of a request to the token endpoint: losing its answer loses no write of ours."""

TOKENS = "token.request"
"""Place of token requests, whatever call they were needed for."""

log = logging.getLogger("encaisse.http")


@dataclass(frozen=True)
class Lent:
    """Say for whom and under which rules requests go out."""

    manifest: Manifest
    environment: str
    grant_id: str | None
    account: str | None
    hosts: frozenset[str]
    routes: Mapping[str, httpx.URL]
    deadline: datetime | None
    user_agent: str
    max_wait: timedelta
    bases: tuple[httpx.URL, ...] = ()
    keeps_reserve: bool = False


class _Again(Exception):
    """Carry what to raise if no further attempt is made, and when the partner wants one."""

    def __init__(self, error: PartnerError, after: timedelta | None) -> None:
        super().__init__()
        self.error = error
        self.after = after


class _Patience:
    """Hold how much longer one request may wait, over all its attempts."""

    def __init__(self, clock: Clock, deadline: datetime | None, max_wait: timedelta) -> None:
        self._clock = clock
        self._deadline = deadline
        self._left = max_wait

    @property
    def left(self) -> timedelta:
        if self._deadline is None:
            return self._left
        return min(self._left, self._deadline - self._clock.now())

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self._left -= timedelta(seconds=seconds)
            self._clock.sleep(seconds)


class LentTransport(httpx.BaseTransport):
    """Carry the requests of one lent client over a transport that belongs to the door."""

    def __init__(
        self, lent: Lent, inner: httpx.BaseTransport, *, store: Store, clock: Clock
    ) -> None:
        self._lent = lent
        self._deadline = lent.deadline
        self._inner = inner
        self._store = store
        self._clock = clock
        self._name = lent.manifest.name

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; give a whole answer or raise an error of the contract."""
        self._admit(request)
        patience = _Patience(self._clock, self._deadline, self._lent.max_wait)
        if not _reads(request):
            return self._write(request, patience)
        retrying = Retrying(
            sleep=patience.sleep,
            wait=_pause,
            stop=lambda state: (
                state.attempt_number >= ATTEMPTS
                or timedelta(seconds=state.upcoming_sleep) > patience.left
            ),
            retry=retry_if_exception_type(_Again),
            reraise=True,
        )
        try:
            return retrying(self._read, request, patience)
        except _Again as last:
            raise last.error from None

    def renew(self, deadline: datetime) -> None:
        """Start no request after another instant than before."""
        self._deadline = deadline

    def close(self) -> None:
        """Do nothing: connections are shared by all clients and closed by the door."""

    def _admit(self, request: httpx.Request) -> None:
        why = refusal(request.url, self._lent.hosts, self._lent.bases)
        if why is None and self._lent.routes and request.url.host not in self._lent.routes:
            why = f"aucun simulateur n'est déclaré pour « {request.url.host} »"
        if why is not None:
            raise Rejected(
                f"Appel vers {self._name} refusé avant l'envoi : {why}. Rien n'a été transmis.",
                code="host_refused",
            )
        request.headers["Host"] = request.url.netloc.decode("ascii")
        request.headers["User-Agent"] = self._lent.user_agent

    def _read(self, request: httpx.Request, patience: _Patience) -> httpx.Response:
        try:
            response = self._send(request, patience)
        except httpx.LocalProtocolError:
            raise self._malformed() from None
        except httpx.RequestError as error:
            raise _Again(Transient(self._silence(error)), None) from None
        if response.status_code not in TRY_AGAIN:
            old = staleness(response)
            if old is None:
                return response
            raise _Again(self._stale(response, old), None)
        after = retry_after(response, self._clock.now())
        raise _Again(self._busy(response, after), after)

    def _write(self, request: httpx.Request, patience: _Patience) -> httpx.Response:
        try:
            response = self._send(request, patience)
        except httpx.LocalProtocolError:
            raise self._malformed() from None
        except httpx.RequestError as error:
            if isinstance(error, NOTHING_SENT) or FOR_TOKENS in request.extensions:
                raise Transient(self._silence(error)) from None
            raise OutcomeUnknown(
                f"La réponse de {self._name} s'est perdue ({cause(error)}) : l'opération a "
                "pu être faite ou non. Elle sera recherchée chez lui avant tout nouvel envoi."
            ) from None
        if response.status_code == 429:
            raise self._busy(response, retry_after(response, self._clock.now()))
        return response

    def _send(self, request: httpx.Request, patience: _Patience) -> httpx.Response:
        self._pace(request, patience)
        started = self._clock.monotonic()
        said = "-"
        try:
            reads = _reads(request)
            place = TOKENS if FOR_TOKENS in request.extensions else chaos.here(reads=reads)
            chaos.point(place, "before_send")
            response = self._inner.handle_request(self._addressed(request))
            said = str(response.status_code)
            whole = self._whole(request, response, started)
            chaos.point(place, "after_reply")
        except Exception as error:
            self._note(request, f"{said}:{type(error).__name__}", started, None)
            raise
        self._note(request, said, started, request_id(whole))
        return whole

    def _pace(self, request: httpx.Request, patience: _Patience) -> None:
        """Wait for a slot in every quota, or say when to come back."""
        if self._deadline is not None and self._clock.now() >= self._deadline:
            raise Transient(
                f"Le temps prévu pour {self._name} est écoulé : rien n'a été envoyé, la suite est "
                "reprise au prochain passage."
            )
        wanted = quotas.buckets(
            self._lent.manifest,
            environment=self._lent.environment,
            grant_id=self._lent.grant_id,
            account=self._lent.account,
            method=request.method,
            path=request.url.path,
            keeps_reserve=self._lent.keeps_reserve,
        )
        if not wanted:
            return
        turn = self._turn(wanted, patience)
        if not turn.reserved:
            raise Transient(
                f"Le quota d'appels de {self._name} est épuisé : rien n'a été envoyé. Reprise "
                f"possible dans {spoken(turn.wait)}.",
                retry_after=turn.wait,
            )
        if self._lent.keeps_reserve:
            self._clock.sleep(turn.wait.total_seconds())
        else:
            patience.sleep(turn.wait.total_seconds())

    def _turn(self, wanted: Sequence[quotas.Bucket], patience: _Patience) -> quotas.Turn:
        """Take the next slot. A pull takes none far ahead: it lets whoever is in a hurry pass."""
        if not self._lent.keeps_reserve:
            return self._reserved(wanted, patience.left)
        until = self._clock.now() + max(quotas.PULLS_WAIT, self._lent.max_wait)
        if self._deadline is not None:
            until = min(until, self._deadline)
        while True:
            left = until - self._clock.now()
            turn = self._reserved(wanted, min(left, quotas.AHEAD))
            if turn.reserved or turn.wait > left:
                return turn
            self._clock.sleep((turn.wait - quotas.AHEAD).total_seconds())

    def _reserved(self, wanted: Sequence[quotas.Bucket], wait: timedelta) -> quotas.Turn:
        with self._store.begin("quota.reserve") as connection:
            return quotas.reserve(connection, self._store, wanted, wait)

    def _addressed(self, request: httpx.Request) -> httpx.Request:
        """Give the request as it travels: our timeouts, and in a simulation our address."""
        silence = SILENCE_SECONDS
        if self._deadline is not None:
            left = (self._deadline - self._clock.now()).total_seconds()
            silence = max(1.0, min(silence, left))
        timeout = httpx.Timeout(silence, connect=min(CONNECT_SECONDS, silence))
        url, headers = request.url, request.headers
        base = self._lent.routes.get(url.host)
        if base is not None:
            headers = httpx.Headers(headers)
            headers["X-Sim-Host"] = url.host
            path = base.raw_path.rstrip(b"/") + url.raw_path
            url = base.copy_with(raw_path=path)
        return httpx.Request(
            request.method,
            url,
            headers=headers,
            stream=request.stream,
            extensions={**request.extensions, "timeout": timeout.as_dict()},
        )

    def _whole(
        self, request: httpx.Request, response: httpx.Response, started: float
    ) -> httpx.Response:
        """Read the body here, so that an answer cut short is a lost answer, not a short one."""
        body = bytearray()
        try:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise self._too_large(request, response)
                if self._clock.monotonic() - started > WHOLE_ANSWER:
                    raise httpx.ReadTimeout("the whole answer took too long")
        finally:
            response.close()
        headers = httpx.Headers(response.headers)
        if request.method != "HEAD":
            for name in ("Content-Encoding", "Content-Length", "Transfer-Encoding"):
                headers.pop(name, None)  # the body below is decoded
        return httpx.Response(
            response.status_code,
            headers=headers,
            stream=httpx.ByteStream(bytes(body)),
            request=request,
            extensions={
                name: value
                for name, value in response.extensions.items()
                if name in ("http_version", "reason_phrase")
            },
        )

    def _too_large(self, request: httpx.Request, response: httpx.Response) -> PartnerError:
        sentence = (
            f"La réponse de {self._name} dépasse {LARGEST_ANSWER // 2**20} Mio : elle n'a pas été "
            "lue jusqu'au bout."
        )
        if _reads(request):
            return Drift(sentence, request_id=request_id(response))
        return OutcomeUnknown(sentence, request_id=request_id(response))

    def _busy(self, response: httpx.Response, after: timedelta | None) -> Transient:
        when = f" Reprise demandée dans {spoken(after)}." if after is not None else ""
        return Transient(
            f"{self._name} est occupé ou indisponible (réponse {response.status_code}) : rien n'a "
            f"été fait.{when}",
            retry_after=after,
            request_id=request_id(response),
        )

    def _stale(self, response: httpx.Response, old: timedelta) -> Transient:
        return Transient(
            f"{self._name} a répondu par une copie vieille de {spoken(old)} : elle ne dit pas qui "
            "a payé depuis, et n'est pas prise pour une lecture.",
            request_id=request_id(response),
        )

    def _silence(self, error: httpx.RequestError) -> str:
        return f"{self._name} ne répond pas ({cause(error)}). Un nouvel essai sera fait plus tard."

    def _malformed(self) -> Rejected:
        """Say nothing of the request: the library's own message would quote the header."""
        return Rejected(
            f"La requête préparée pour {self._name} n'est pas valide en HTTP (en-tête ou longueur) "
            ": rien n'a été envoyé. Vérifiez les réglages de l'accès.",
            code="request_malformed",
        )

    def _note(self, request: httpx.Request, said: str, started: float, id_: str | None) -> None:
        fields = {
            "partner": self._lent.manifest.slug,
            "environment": self._lent.environment,
            "method": request.method,
            "host": request.url.host,
            "path": shown(request.url.path),
            "status": said,
            "ms": round((self._clock.monotonic() - started) * 1000),
            "request_id": id_ or "-",
        }
        log.info(
            "request %s", " ".join(f"{k}={v}" for k, v in fields.items()), extra={"http": fields}
        )


def _reads(request: httpx.Request) -> bool:
    """Tell whether a request changes nothing, by its method or by its connector's promise."""
    return request.method in SAFE_METHODS or READS in request.extensions


def _pause(state: RetryCallState) -> float:
    """Give the seconds before the next attempt: what the partner asked, or a doubling pause."""
    error = state.outcome.exception() if state.outcome is not None else None
    if isinstance(error, _Again) and error.after is not None:
        return error.after.total_seconds()
    return float(BACK_OFF * 2 ** (state.attempt_number - 1))
