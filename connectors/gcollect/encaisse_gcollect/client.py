"""Requests to GCollect, and what each answer means; everything about HTTP stays in this file.

Reads turn doubt into `Transient` (try again) or `Drift` (not the shape we know). Writes turn doubt
into `OutcomeUnknown`, because a lost or senseless reply may follow a commit; only a connection that
was never made says that nothing was done.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn, TypeVar
from urllib.parse import quote

import httpx
from pydantic import JsonValue, ValidationError

from encaisse_api import Drift, OutcomeUnknown, PartnerError, Transient
from encaisse_api.answers import NEVER_SENT, wait
from encaisse_gcollect.manifest import BASE
from encaisse_gcollect.problems import refusal
from encaisse_gcollect.wire import Listing, Problem, Wire

VERSION = "2026-10-01"
"""Value of `GCollect-Version`: the assumed contract is dated, as Cleavr dates its own."""

PAGE = 100
"""Rows per page, the assumed maximum."""

Shape = TypeVar("Shape", bound=Wire)


@dataclass(frozen=True, slots=True)
class Answer:
    """Keep a 2xx answer until it is read as the shape the caller expects."""

    content: bytes
    media_type: str
    etag: str | None
    request_id: str | None
    subject: str
    writing: bool

    def read(self, shape: type[Shape]) -> Shape:
        """Read the answer as `shape`, or raise the doubt."""
        if self.media_type != "application/json":
            self.doubt(f"la réponse n'est pas du JSON mais {self.media_type or 'sans type'}")
        try:
            return shape.model_validate_json(self.content)
        except ValidationError as error:
            self.doubt(f"la réponse n'a pas la forme attendue ({_places(error)})")

    def doubt(self, reason: str) -> NoReturn:
        """Raise what an answer that makes no sense stands for."""
        raise _doubt(
            reason,
            subject=self.subject,
            writing=self.writing,
            raw=self.content,
            request_id=self.request_id,
        )


class GCollectApi:
    """Speak the assumed contract over the client the host lends."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def read(self, path: str, *, subject: str, params: Mapping[str, str] | None = None) -> Answer:
        """GET one resource or one page."""
        return self._send("GET", path, subject=subject, writing=False, params=params)

    def fetch(self, path: str, *, subject: str) -> Answer:
        """GET bytes that are no JSON."""
        return self._send("GET", path, subject=subject, writing=False, accept="*/*")

    def ask(self, path: str, body: JsonValue, *, subject: str) -> Answer:
        """POST a question that has no effect there, so that asking again is harmless."""
        return self._send("POST", path, subject=subject, writing=False, body=body)

    def write(
        self,
        method: str,
        path: str,
        body: JsonValue,
        *,
        key: str,
        subject: str,
        etag: str | None = None,
    ) -> Answer:
        """Send one effect under its key; the same effect always sends the same bytes."""
        headers = {"Idempotency-Key": key}
        if etag is not None:
            headers["If-Match"] = etag
        return self._send(method, path, subject=subject, writing=True, body=body, headers=headers)

    def pages(self, path: str, params: Mapping[str, str], *, subject: str) -> Iterator[Listing]:
        """Yield the pages of one list until it says it is complete, or raise.

        `has_more` and `next_cursor` must agree, a cursor must not come twice, and the rows must
        reach the last page's `total`: a list that stops short or turns in circles would make an
        absence of a presence. More rows than the total are fine, since a row that changes while
        we page is met twice.
        """
        seen: set[str] = set()
        cursor: str | None = None
        rows = 0
        while True:
            query = {**params, "limit": str(PAGE)}
            if cursor is not None:
                query["cursor"] = cursor
            answer = self.read(path, subject=subject, params=query)
            page = answer.read(Listing)
            if page.has_more != (page.next_cursor is not None):
                answer.doubt("has_more et next_cursor se contredisent")
            if page.has_more and not page.items:
                answer.doubt("une page vide annonce une suite")
            if page.next_cursor is not None and page.next_cursor in seen:
                answer.doubt("la liste tourne en rond")
            rows += len(page.items)
            if not page.has_more and rows < page.total:
                answer.doubt(f"la liste s'arrête à {rows} lignes sur {page.total}")
            yield page
            if page.next_cursor is None:
                return
            cursor = page.next_cursor
            seen.add(cursor)

    def _send(
        self,
        method: str,
        path: str,
        *,
        subject: str,
        writing: bool,
        params: Mapping[str, str] | None = None,
        body: JsonValue = None,
        headers: Mapping[str, str] | None = None,
        accept: str = "application/json",
    ) -> Answer:
        sent = {"Accept": accept, "GCollect-Version": VERSION, **(headers or {})}
        content: bytes | None = None
        if method != "GET":
            sent["Content-Type"] = "application/json"
            content = canonical(body)
        try:
            response = self._http.request(
                method, BASE + path, params=params, content=content, headers=sent
            )
        except NEVER_SENT as error:
            raise Transient(
                f"GCollect, {subject} : la connexion n'a pas pu être établie, rien n'est parti. "
                "Un nouvel essai suit."
            ) from error
        except httpx.RequestError as error:
            if writing:
                raise _doubt(
                    "la réponse s'est perdue", subject=subject, writing=True, raw=b""
                ) from error
            raise Transient(
                f"GCollect, {subject} : la réponse s'est perdue. Un nouvel essai suit."
            ) from error
        return _answer(response, subject=subject, writing=writing)


def segment(ref: str) -> str:
    """Write an id as one step of a path, so that none of its characters leads elsewhere."""
    return quote(ref, safe=":")


def canonical(body: JsonValue) -> bytes:
    """Write a body so that equal content is equal bytes: sorted, without white space."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _answer(response: httpx.Response, *, subject: str, writing: bool) -> Answer:
    media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    request_id = response.headers.get("x-request-id")
    status = response.status_code
    if 200 <= status < 300:
        etag = response.headers.get("etag")
        return Answer(response.content, media, etag, request_id, subject, writing)
    retry_after = wait(response.headers.get("retry-after"), response.headers.get("date"))
    problem = _problem(response) if media == "application/problem+json" else None
    known = refusal(
        status, problem, subject=subject, retry_after=retry_after, request_id=request_id
    )
    if known is not None:
        raise known
    if not writing and (status >= 500 or status == 408):
        raise Transient(
            f"GCollect, {subject} : erreur {status} de leur côté. Un nouvel essai suit.",
            retry_after=retry_after,
            request_id=request_id,
        )
    raise _doubt(
        f"réponse {status} inattendue",
        subject=subject,
        writing=writing,
        raw=response.content,
        request_id=request_id,
    )


def _doubt(
    reason: str, *, subject: str, writing: bool, raw: bytes, request_id: str | None = None
) -> PartnerError:
    if writing:
        return OutcomeUnknown(
            f"GCollect, {subject} : {reason} ; on ne sait pas si la demande est passée. "
            "Elle est recherchée là-bas avant tout nouvel envoi.",
            request_id=request_id,
        )
    return Drift(
        f"GCollect, {subject} : {reason}. La réponse est gardée telle quelle et mise de côté ; "
        "une personne doit la lire.",
        raw=raw.decode("utf-8", "replace"),
        request_id=request_id,
    )


def _problem(response: httpx.Response) -> Problem | None:
    try:
        return Problem.model_validate_json(response.content)
    except ValidationError:
        return None


def _places(error: ValidationError) -> str:
    """Name the fields at fault and never their values, which may be personal."""
    entries = error.errors(include_url=False, include_context=False, include_input=False)
    places = [".".join(str(step) for step in entry["loc"]) or "racine" for entry in entries]
    return ", ".join(places[:5])
