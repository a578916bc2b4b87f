"""Ask Libeo. All of the connector's HTTP is here, and all of it is GET."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from encaisse_api.answers import send, why
from encaisse_libeo.answers import Answer
from encaisse_libeo.manifest import BASE
from encaisse_libeo.rows import Listing, Row

Shape = TypeVar("Shape", bound=Row)


class LibeoClient:
    """Send requests over the lent client; the key, pacing and retries are the host's."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def get(
        self,
        path: str,
        *,
        subject: str,
        params: Mapping[str, str] | None = None,
        accept: str = "application/json",
    ) -> Answer:
        """Read once."""
        response = send(
            self._http,
            "GET",
            BASE + path,
            partner=Answer.partner,
            subject=subject,
            headers={"Accept": accept},
            params=params,
        )
        headers = response.headers
        return Answer(
            subject=subject,
            writes=False,
            status=response.status_code,
            body=response.content,
            retry_after=headers.get("retry-after"),
            date=headers.get("date"),
            request_id=headers.get("x-request-id"),
            media_type=headers.get("content-type", "").partition(";")[0].strip().lower(),
        )

    def pages(self, params: Mapping[str, str], *, subject: str) -> Iterator[Listing]:
        """Yield the pages of the list until it says it is complete and its count agrees.

        Raises `Drift` for a page that contradicts itself, a mark that comes twice, or fewer rows
        than the total. More rows than the total are fine: an invoice that changes during the pass
        moves to the end and is met twice.
        """
        marks: set[str] = set()
        query = dict(params)
        read = 0
        while True:
            answer = self.get("/invoices", subject=subject, params=query)
            page = shaped(answer, Listing)
            read += len(page.items)
            if page.has_more != (page.next_cursor is not None):
                raise answer.drift("la page dit à la fois qu'elle est la dernière et qu'il en suit")
            if page.next_cursor is None:
                if read < page.total:
                    raise answer.drift(f"{page.total} lignes annoncées et {read} données")
                yield page
                return
            if not page.items or page.next_cursor in marks:
                raise answer.drift("la liste n'avance plus")
            yield page
            marks.add(page.next_cursor)
            query["cursor"] = page.next_cursor


def shaped(answer: Answer, shape: type[Shape]) -> Shape:
    """Read an answer as the shape asked for; any other shape is a `Drift`."""
    found = answer.document()
    try:
        return shape.model_validate(found)
    except ValidationError as error:
        raise answer.drift(f"forme inattendue ({why(error)})") from None


def place(*parts: str) -> str:
    """Build a path from parts; ids are the vendor's and opaque, so each is escaped whole."""
    return "/" + "/".join(quote(part, safe="") for part in parts)
